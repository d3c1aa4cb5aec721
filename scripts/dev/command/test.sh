# Everything that needs no mesh. Quick answers first.
. scripts/dev/steps.sh
toolchain; trunk_tools; node_packages; browser; fetch

crates_alone() {
  local crate
  for crate in $(cargo metadata --no-deps --format-version 1 | node -p 'JSON.parse(require("fs").readFileSync(0)).packages.map(p => p.name).join(" ")'); do
    [ "$crate" = naru-browser ] && continue   # linted and built for its own target
    echo "== $crate"
    cargo check --profile "$NARU_PROFILE" "${LOCKED[@]}" -p "$crate" || return 1
  done
}

licences() {
  # Advisories want the RustSec database from GitHub; without it the rest is still checked.
  cargo deny --offline check licenses bans sources &&
    if timeout 60 cargo deny fetch db; then cargo deny check advisories; else echo "advisories: database not reachable, not checked"; fi
}

step "format"            "cargo fmt --all"                      cargo fmt --all --check || true
step "types of journeys" "npm run typecheck"                    tsc --project end2end || true
step "lints"             "cargo clippy shows them"              cargo clippy "${NATIVE[@]}" --all-targets --keep-going -- -D warnings || true
step "lints, browser"    "cargo clippy ${BROWSER[*]}"           cargo clippy "${BROWSER[@]}" -- -D warnings || true
step "tests"             "cargo test shows them"                cargo test "${NATIVE[@]}" --no-fail-fast || true
step "crates alone"      "cargo check -p CRATE, as listed"      crates_alone || true
if have cargo-deny || [ -n "${CI:-}" ]; then
  deny_tool
  step "licences and bans" "cargo deny check licenses bans sources; deny.toml says what is allowed" licences || true
else
  warn "licences and bans: skipped, no cargo-deny (cargo install cargo-deny)"
fi
browser_journeys() { journeys --project journeys --project no-script --project phone; }
step "assets" "./dev assets" assets &&
  step "server" "./dev build" server &&
  step "journeys" "./dev journeys FILE runs one; traces lie in $NARU_E2E_OUT" browser_journeys || true
summary "./dev test"
