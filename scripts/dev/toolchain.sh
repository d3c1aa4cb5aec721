# A Rust that compiles for this machine and for the browser.
#
# Usually that is rustup with the wasm32-unknown-unknown target. Where rustup cannot fetch targets (a closed
# network, or NARU_TOOLCHAIN=debian), the distribution's own Rust serves: its std for wasm is built once, from the
# distribution's sources, into a private sysroot that knows both targets.
# shellcheck shell=bash

WASM=wasm32-unknown-unknown

toolchain() {
  local env=$NARU_CACHE/toolchain/env
  # shellcheck disable=SC1090
  if [ -r "$env" ]; then . "$env"; fi
  case ${NARU_TOOLCHAIN:-auto} in
    debian) toolchain_debian ;;
    rustup) toolchain_rustup || die "rust target $WASM" "rustup target add $WASM failed; NARU_TOOLCHAIN=debian uses the distribution's Rust" ;;
    auto)   has_wasm || toolchain_rustup || toolchain_debian ;;
    *)      die "NARU_TOOLCHAIN=$NARU_TOOLCHAIN" "it is one of: auto, rustup, debian" ;;
  esac
  # shellcheck disable=SC1090
  . "$env"
  has_wasm || die "rust toolchain" "$(rustc -V 2>&1) has no $WASM; remove $NARU_CACHE/toolchain and try again"
}

has_wasm() {
  local lib
  lib=$(rustc --print target-libdir --target $WASM 2>/dev/null) && compgen -G "$lib/libstd-*.rlib" >/dev/null &&
    mkdir -p "$NARU_CACHE/toolchain" && { [ -r "$NARU_CACHE/toolchain/env" ] || : >"$NARU_CACHE/toolchain/env"; }
}

toolchain_rustup() {
  have rustup || return 1
  say "asking rustup for the target $WASM (about half a minute)"
  timeout 180 rustup target add $WASM >&2 </dev/null || return 1
  mkdir -p "$NARU_CACHE/toolchain"; : >"$NARU_CACHE/toolchain/env"
}

toolchain_debian() {
  local t=$NARU_CACHE/toolchain/debian lld version host
  have apt-get || die "rust toolchain" "install rustup and run: rustup target add $WASM"
  packages rustc-web cargo-web rust-web-src rust-web-clippy rustfmt-web lld-22 gcc libc6-dev pkg-config
  version=$(/usr/bin/rustc -V)
  host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
  if [ "$(cat "$t/.done" 2>/dev/null)" != "$version" ]; then
    say "building std for $WASM with $version (about a minute, once)"
    rm -rf "$t"
    quietly "std for $WASM" "remove $NARU_CACHE/toolchain and try again" wasm_sysroot "$t" "$host"
    echo "$version" >"$t/.done"
  fi
  {
    if have rustup; then
      rustup toolchain link naru-debian "$t" >&2
      echo 'export RUSTUP_TOOLCHAIN=naru-debian'
    else
      echo "export PATH=\"$t/bin:\$PATH\""
    fi
    lld=${host//-/_}
    echo "export CARGO_TARGET_${lld^^}_LINKER=\"$t/bin/cc-lld\""
  } >"$NARU_CACHE/toolchain/env"
}

# wasm_sysroot FOLDER HOST: a sysroot that borrows the distribution's std for HOST and adds one for wasm.
wasm_sysroot() (
  set -euo pipefail
  t=$1 host=$2
  native=$t/lib/rustlib/$host wasm=$t/lib/rustlib/$WASM/lib
  mkdir -p "$t/bin" "$t/ld" "$native/bin" "$wasm"
  ln -s "/usr/lib/rustlib/$host/lib" "$native/lib"
  ln -s /usr/lib/rustlib/src "$t/lib/rustlib/src"
  ln -s /usr/bin/lld-22 "$native/bin/rust-lld"
  ln -s /usr/bin/ld.lld-22 "$t/ld/ld.lld"
  for b in rustc rustdoc; do printf '#!/bin/sh\nexec /usr/bin/%s --sysroot %s "$@"\n' $b "$t" >"$t/bin/$b"; done
  printf '#!/bin/sh\nSYSROOT=%s exec /usr/bin/clippy-driver "$@"\n' "$t" >"$t/bin/clippy-driver"
  printf '#!/bin/sh\nexec cc -fuse-ld=lld -B%s "$@"\n' "$t/ld" >"$t/bin/cc-lld"
  cp /usr/bin/cargo-clippy /usr/bin/cargo-fmt "$t/bin/"
  ln -s /usr/bin/cargo /usr/bin/rustfmt "$t/bin/"
  chmod +x "$t"/bin/*

  # An empty crate whose only purpose is to have std built for wasm; bitcode is embedded so that LTO works.
  s=$(mktemp -d); trap 'rm -rf "$s"' EXIT
  mkdir "$s/src"; : >"$s/src/lib.rs"
  printf '[package]\nname = "std-for-wasm"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n[profile.release]\ncodegen-units = 1\n' >"$s/Cargo.toml"
  cd "$s"
  env -u RUSTUP_TOOLCHAIN -u RUSTFLAGS PATH=/usr/bin:/bin RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=/usr/bin/wasm-ld-22 \
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=-Cembed-bitcode=yes \
    /usr/bin/cargo build --release --target $WASM --target-dir "$s/target" -Zbuild-std=std,panic_abort,test
  find "$s/target/$WASM/release/deps" -name '*.rlib' ! -name 'libstd_for_wasm*' -exec cp {} "$wasm" \;
)
