#!/usr/bin/env bash
# What a long ledger costs: the checklist's pages from a server whose ledger holds so many signatures, and `naru verify` of its export.
#   server/benches/signatures.sh [NUMBER]        default: 1000 signatures, each with an Evidence of some ten kilobytes
#   NARU_BIN             a built naru; default: release/naru in $CARGO_TARGET_DIR or here
#   NARU_SITE            the built assets; default: site in $CARGO_TARGET_DIR or here
# Each page is asked for anew, one after the other; server time is what curl waits for the first byte. Figures are of this machine at this moment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
target=${CARGO_TARGET_DIR:-target}
naru=${NARU_BIN:-$target/release/naru} site=${NARU_SITE:-$target/site}
count=${1:-1000} times=${TIMES:-100}
[ -x "$naru" ] || { echo "no naru at $naru: cargo build --release -p naru" >&2; exit 2; }
work=$(mktemp -d) port=${PORT:-3917}
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
url=http://127.0.0.1:$port

cargo run --quiet --locked -p naru-domain --example signatures -- "$count" >"$work/lists"
mkdir "$work/objects" && split -l 1 --additional-suffix=.json "$work/lists" "$work/objects/"
"$naru" rehearse --site "$site" -f "$work/objects" --listen "127.0.0.1:$port" >"$work/log" 2>&1 &
server=$!
for _ in $(seq 600); do curl -sf "$url/readyz" >/dev/null && break; sleep 0.1; done
curl -sf "$url/readyz" >/dev/null || { cat "$work/log" >&2; exit 3; }
sleep "${SETTLE:-5}"

cargo run --quiet --locked -p naru-domain --example signatures -- "$count" export >"$work/export.json"
head=$(jq -r .head "$work/export.json")
page=$(curl -sf "$url/checklist")
[[ $page == *"${head:0:12}"* ]] || { echo "the page does not name the ledger's head, $head" >&2; exit 1; }

# measure PATH
measure() {
  local size
  size=$(curl -sf -o "$work/page" -w '%{size_download}' "$url$1")
  for _ in $(seq "$times"); do curl -sf -o /dev/null -w '%{time_starttransfer}\n' "$url$1"; done | sort -n |
    awk -v path="$1" -v size="$size" '{ t[NR] = $1 * 1000 }
      END { printf "%-18s p50 %6.1f ms  p99 %6.1f ms  %8d B\n", path, t[int((NR + 1) / 2)], t[int(NR * 0.99)], size }'
}
for page in /checklist /checklist/1.2 /checklist/3.1; do measure "$page"; done

"$naru" verify "$work/export.json" >/dev/null
for _ in $(seq 10); do
  begun=$(date +%s%N); "$naru" verify "$work/export.json" >/dev/null; echo $((($(date +%s%N) - begun) / 1000000))
done | sort -n | awk -v size="$(stat -c %s "$work/export.json")" '{ t[NR] = $1 } END { printf "naru verify        p50 %6d ms  max %6d ms  %8d B\n", t[int((NR + 1) / 2)], t[NR], size }'
