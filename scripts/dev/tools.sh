# The programs beside cargo: trunk and wasm-bindgen for the assets, npm's packages, a browser, cargo-deny.
# shellcheck shell=bash

TRUNK_VERSION=0.22.1
DENY_VERSION=0.20.2

# cargo_tool CRATE VERSION ABOUT [OPTION…]: installs it once into the cache. Prebuilt by cargo-binstall where that is there.
cargo_tool() {
  local crate=$1 version=$2 about=$3 stamp; shift 3
  stamp=$NARU_CACHE/tools/.$crate-$version
  [ -e "$stamp" ] && return 0
  if have cargo-binstall && cargo binstall --no-confirm --root "$NARU_CACHE/tools" "$crate@$version" </dev/null >&2; then
    : >"$stamp"; return 0
  fi
  say "compiling $crate $version (about $about on two cores, once)"
  # Quick to build rather than quick to run: these run for seconds. Trunk only calls others: no optimisation at all.
  CARGO_TARGET_DIR=$NARU_CACHE/tools/target CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_DEV_DEBUG=0 \
    quietly "cargo install $crate" "is the crate registry reachable? is a C compiler installed?" \
    env -C "$NARU_CACHE" cargo install --root "$NARU_CACHE/tools" --ignore-rust-version "$@" "$crate@$version"
  : >"$stamp"
}

trunk_tools() {
  cargo_tool wasm-bindgen-cli "$(version_in_lock wasm-bindgen)" "2 minutes"
  cargo_tool trunk "$TRUNK_VERSION" "5 minutes" --debug --locked --no-default-features --features rustls
}

deny_tool() { cargo_tool cargo-deny "$DENY_VERSION" "4 minutes" --locked; }

# npm's packages, as package-lock.json has them: Tailwind, wasm-opt, Playwright, axe.
node_packages() {
  node_itself
  local want; want=$(cksum <"$NARU_ROOT/package-lock.json")
  [ "$(cat "$NARU_ROOT/node_modules/.naru" 2>/dev/null)" = "$want" ] && return 0
  say "installing npm packages: Tailwind, wasm-opt, Playwright (about 10 s)"
  quietly "npm ci" "is the npm registry reachable?" \
    env PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --prefix "$NARU_ROOT" --ignore-scripts --no-fund --no-audit
  echo "$want" >"$NARU_ROOT/node_modules/.naru"
}

# Playwright asks for Node 20 or later; where the distribution's is older, npm brings one into the cache.
node_itself() {
  export PATH="$NARU_CACHE/tools/node/bin:$PATH"
  have npm || packages nodejs npm
  have npm || die "node" "install Node.js 20 or later, with npm"
  [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] && return 0
  say "Node $(node -v) is too old: fetching Node 22 (about 20 s)"
  quietly "node 22" "install Node.js 20 or later" npm install --no-fund --no-audit --global --prefix "$NARU_CACHE/tools/node" node@22
}

# A Chromium for the journeys, and a font that can write Korean (for screenshots; the console brings its own).
browser() {
  if [ -z "${CHROMIUM:-}" ]; then
    CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
  fi
  if [ -z "$CHROMIUM" ] || ! fc-list 2>/dev/null | grep -qi 'nanum\|cjk'; then
    packages chromium fonts-nanum fontconfig
    CHROMIUM=${CHROMIUM:-$(command -v chromium || true)}
  fi
  [ -x "$CHROMIUM" ] || die "browser" "install Chromium and set CHROMIUM to its path"
  export CHROMIUM
}
