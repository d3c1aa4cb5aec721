# Assets and server. One profile and one fixed set of packages for every command here: features never flip, so cargo
# compiles each dependency once.
# shellcheck shell=bash

# NARU_PROFILE=ci gives the native side a little optimisation; the default is what a plain `cargo test` has compiled.
NARU_PROFILE=${NARU_PROFILE:-dev}
LOCKED=(${CI:+--locked})
# The browser's crate has its own features (hydrate, not ssr) and its own target.
NATIVE=(--workspace --exclude naru-browser --features naru-app/fixtures --profile "$NARU_PROFILE" "${LOCKED[@]}")
BROWSER=(-p naru-browser --target wasm32-unknown-unknown --profile wasm-release "${LOCKED[@]}")

# NARU_ASSETS=release is what gets shipped, and what CI tests. Otherwise the same profile, but in a hurry: the
# WebAssembly is three times the size and comes in half the time, the second time in a fraction of it.
NARU_ASSETS=${NARU_ASSETS:-${CI:+release}}
if [ "$NARU_ASSETS" != release ]; then
  export CARGO_PROFILE_WASM_RELEASE_LTO=off CARGO_PROFILE_WASM_RELEASE_CODEGEN_UNITS=16
  export CARGO_PROFILE_WASM_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_WASM_RELEASE_INCREMENTAL=true
fi
[ -z "${CI:-}" ] || export CARGO_INCREMENTAL=0

# Crates are fetched on their own, with the network's own failure; trunk then works offline.
fetch() {
  quietly "cargo fetch" "is the crate registry reachable? is Cargo.lock up to date?" cargo fetch "${LOCKED[@]}"
}

# assets [TRUNK OPTION…]
assets() {
  toolchain; trunk_tools; node_packages; fetch
  say "building the assets into $NARU_SITE (about 3 minutes the first time)"
  quietly "trunk build" "./dev assets builds them alone" \
    env TRUNK_OFFLINE=true TRUNK_BUILD_LOCKED="${CI:-false}" NO_COLOR=true trunk build --release --dist "$NARU_SITE" "$@"
}

# With --tests the server is the one that the tests have built: the same features, nothing compiled twice.
server() {
  toolchain; fetch
  say "building the server (about 5 minutes the first time)"
  quietly "server" "cargo build shows it alone" cargo build "${NATIVE[@]}" --bins --tests
  NARU_BIN=$(binary); export NARU_BIN
}

binary() { echo "$CARGO_TARGET_DIR/$(host_triple)/${NARU_PROFILE/#dev/debug}/naru"; }

export NARU_E2E_OUT=${NARU_E2E_OUT:-${TMPDIR:-/tmp}/naru-e2e}

# journeys PLAYWRIGHT-ARGUMENT…
journeys() {
  browser
  NARU_BIN=$(binary)
  export NARU_BIN NARU_SITE CHROMIUM
  playwright test --config end2end "$@" </dev/null
}
