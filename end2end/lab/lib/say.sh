# shellcheck shell=bash
# Talking and waiting: what every step of the lab shares.

say() { printf 'lab %s: %s\n' "$NARU_LAB" "$*" >&2; }

# die STEP REMEDY: an error names what did not work and what to do about it.
die() {
  printf 'lab %s: %s\n  remedy: %s\n' "$NARU_LAB" "$1" "$2" >&2
  exit 1
}

now_ms() { date +%s%3N; }

# await SECONDS WHAT REMEDY COMMAND...: polls ten times a second until the command succeeds.
await() {
  local seconds=$1 what=$2 remedy=$3 end
  shift 3
  end=$(( $(now_ms) + seconds * 1000 ))
  until "$@" >/dev/null 2>&1; do
    [ "$(now_ms)" -lt "$end" ] || die "$what: not after $seconds s" "$remedy"
    sleep 0.1
  done
}

# kc: the kubectl of the control plane's own version, as cluster admin. A dead API must not hang a script.
kc() { timeout "${KC_TIMEOUT:-60}" "$BIN/controlplane" kubectl --kubeconfig "$NARU_LAB_KUBECONFIG" "$@"; }
