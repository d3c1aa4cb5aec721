#!/usr/bin/env bash
# What a page and a live body cost: server time with one viewer, then 50 viewers at once, and 1,000 who ask for the graph.
#   server/benches/pages.sh [URL]          default http://127.0.0.1:3000; needs wrk (Debian: wrk) and a running console
# Figures are of this machine at this moment: compare only within one run.
set -euo pipefail
url=${1:-http://127.0.0.1:3000}
seconds=${SECONDS_EACH:-5}
command -v wrk >/dev/null || { echo "wrk is missing: apt-get install wrk" >&2; exit 2; }
curl -sf "$url/readyz" >/dev/null || { echo "no ready console at $url" >&2; exit 3; }

# measure NAME PATH CONNECTIONS ENCODING
measure() {
  local out size
  size=$(curl -s -o /dev/null -w '%{size_download}' -H "accept-encoding: $4" "$url$2")
  out=$(wrk -t"$(( $3 > 1 ? 2 : 1 ))" -c"$3" -d"${seconds}s" --latency -H "Accept-Encoding: $4" "$url$2")
  awk -v name="$1" -v viewers="$3" -v size="$size" '
    $1 == "50%" { p50 = $2 } $1 == "99%" { p99 = $2 } $1 == "Requests/sec:" { rps = $2 }
    /Non-2xx|Socket errors/ { bad = bad " " $0 }
    END { printf "%-22s %5d viewers  p50 %-9s p99 %-9s %8.0f /s  %8d B%s\n", name, viewers, p50, p99, rps, size, bad }' <<<"$out"
}

for viewers in 1 50; do
  for path in / /topology /canary /changes; do measure "$path" "$path" "$viewers" br; done
  measure /live/topology /live/topology "$viewers" br
done
measure /live/topology /live/topology 1000 br
