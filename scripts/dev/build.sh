# Assets and server. One profile and one fixed set of packages for every command here: features never flip, so cargo
# compiles each dependency once.
# shellcheck shell=bash

# NARU_PROFILE=ci gives the native side a little optimisation; the default is what a plain `cargo test` has compiled.
NARU_PROFILE=${NARU_PROFILE:-dev}
LOCKED=(${CI:+--locked})
# The browser's crate has its own features (hydrate, not ssr) and its own target.
NATIVE=(--workspace --exclude naru-browser --features naru-app/fixtures --profile "$NARU_PROFILE" "${LOCKED[@]}")
BROWSER=(-p naru-browser --target wasm32-unknown-unknown --profile wasm-release "${LOCKED[@]}")

# NARU_ASSETS=release is what gets shipped, and what CI tests. Otherwise the same profile in a hurry, without link-time
# optimisation and wasm-opt: the WebAssembly is twice the size, a change to it is built in seconds.
NARU_ASSETS=${NARU_ASSETS:-${CI:+release}}
TRUNK_MODE=(--release)
if [ "$NARU_ASSETS" != release ]; then
  TRUNK_MODE=(--cargo-profile wasm-release)
  export CARGO_PROFILE_WASM_RELEASE_LTO=off CARGO_PROFILE_WASM_RELEASE_CODEGEN_UNITS=16
  export CARGO_PROFILE_WASM_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_WASM_RELEASE_INCREMENTAL=true
fi
[ -z "${CI:-}" ] || export CARGO_INCREMENTAL=0

# Crates are fetched on their own, with the network's own failure; trunk then works offline.
fetch() {
  quietly "cargo fetch" "is the crate registry reachable? is Cargo.lock up to date?" cargo fetch "${LOCKED[@]}"
}

# Nothing is done when no source of theirs has changed since the last time.
assets() {
  toolchain; trunk_tools; node_packages
  local stamp=$NARU_SITE/.sources now
  now="$NARU_ASSETS $(sources_of_assets)"
  [ "$(cat "$stamp" 2>/dev/null)" = "$now" ] && return 0
  fetch
  [ -r "$stamp" ] || say "building the assets for the first time (about 3 minutes on two cores, 6 with NARU_ASSETS=release)"
  quietly "trunk build" "./dev assets builds them alone" \
    env TRUNK_OFFLINE=true TRUNK_BUILD_LOCKED="${CI:-false}" NO_COLOR=true trunk build "${TRUNK_MODE[@]}" --dist "$NARU_SITE"
  quietly "compressing the assets" "node scripts/dev/precompress.mjs FOLDER" \
    node scripts/dev/precompress.mjs "$NARU_SITE" "${NARU_ASSETS:-}"
  echo "$now" >"$stamp"
}

sources_of_assets() {
  { rustc -V; cat Cargo.toml Cargo.lock Trunk.toml package-lock.json .cargo/config.toml
    find app style public -type f -not -path '*/tests/*' -print0 | sort -z | xargs -0 cksum; } | cksum
}

# With --tests the server is the one that the tests have built: the same features, nothing compiled twice.
server() {
  toolchain; fetch
  [ -x "$(binary)" ] || say "building the server for the first time (about 5 minutes on two cores)"
  quietly "cargo build" "cargo build shows it alone" cargo build "${NATIVE[@]}" --bins --tests
  NARU_BIN=$(binary); export NARU_BIN
}

binary() { echo "$CARGO_TARGET_DIR/$(host_triple)/${NARU_PROFILE/#dev/debug}/naru"; }

export NARU_E2E_OUT=${NARU_E2E_OUT:-$NARU_OUT/journeys}

# journeys PLAYWRIGHT-ARGUMENT…
journeys() {
  browser
  # A link of our own: somebody's next build may replace the binary while the journeys run.
  NARU_BIN=$NARU_OUT/naru
  ln -f "$(binary)" "$NARU_BIN" 2>/dev/null || cp -f "$(binary)" "$NARU_BIN"
  export NARU_BIN NARU_SITE CHROMIUM
  playwright test --config end2end "$@" </dev/null
}
