# Shared by every sub-command of ./dev: where things are kept, how we speak, how things get installed.
# shellcheck shell=bash

NARU_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
NARU_CACHE=${NARU_CACHE:-$HOME/.cache/naru}
# What commands said, and what journeys left behind; two checkouts do not get in each other's way.
NARU_OUT=$NARU_CACHE/log/$(basename "$NARU_ROOT")-$(printf %s "$NARU_ROOT" | cksum | cut -d' ' -f1)
export NARU_ROOT NARU_CACHE
mkdir -p "$NARU_OUT"

# One target folder, outside the checkout, for every cargo command: nothing is built twice.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$NARU_CACHE/target}
export NARU_SITE=${NARU_SITE:-$CARGO_TARGET_DIR/site}
export PATH="$NARU_CACHE/tools/bin:$NARU_ROOT/node_modules/.bin:$PATH"

say()  { printf '\033[1;34m▸\033[0m %s\n' "$*" >&2; }
warn() { printf '\033[1;33m!\033[0m %s\n' "$*" >&2; }
# die STEP REMEDY: every failure names the step and what to do about it.
die()  { printf '\033[1;31m✗ %s\033[0m\n  %s\n' "$1" "$2" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# quietly NAME REMEDY COMMAND…: output goes to a log; its end is shown when the command fails.
quietly() {
  local name=$1 remedy=$2 log start=$SECONDS; shift 2
  log=$NARU_OUT/${name//[^a-zA-Z0-9]/-}.log
  if ! "$@" </dev/null >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    die "$name" "$remedy (all of its output: $log)"
  fi
  say "$name: done in $((SECONDS - start)) s"
}

# packages PACKAGE…: Debian packages, asked for only when one is missing.
packages() {
  local missing=() p
  have dpkg-query || return 0
  for p in "$@"; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local as=()
  if [ "$(id -u)" != 0 ]; then
    have sudo || die "packages ${missing[*]}" "install them as root: apt-get install ${missing[*]}"
    as=(sudo)
  fi
  say "installing from the distribution: ${missing[*]} (about a minute)"
  quietly "apt update" "is the package mirror reachable?" "${as[@]}" apt-get update -q
  quietly "apt install ${missing[0]}…" "try it by hand: apt-get install ${missing[*]}" \
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
}

# version_in_lock CRATE: the version Cargo.lock settled on.
version_in_lock() {
  awk -v n="\"$1\"" '$1=="name"{hit=($3==n)} hit&&$1=="version"{gsub(/"/,"",$3);print $3;exit}' "$NARU_ROOT/Cargo.lock" 2>/dev/null
}

host_triple() { rustc -vV | sed -n 's/^host: //p'; }

# Two builds at once on few cores only get in each other's way: be polite to whatever else runs here.
have nice && [ -z "${NARU_NICED:-}" ] && { export NARU_NICED=1; renice -n 5 -p $$ >/dev/null 2>&1 || true; }
:
