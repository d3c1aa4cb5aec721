#!/usr/bin/env bash
# snapshot.sh: what a large cluster costs the server: a real API server with 500 services and 4,000 pods, a real Prometheus with their
# traffic, `naru serve` on both. Prints how long the first snapshot takes, memory, CPU at rest, and what pages cost.
#
#   NARU_BIN              the program; default: target/release/naru in $CARGO_TARGET_DIR or here
#   NARU_SITE             the built assets; default: site in $CARGO_TARGET_DIR or here
#   NARU_PROMETHEUS_BIN   Prometheus; default: the one on the path
#   NARU_BENCH_NAMESPACES how many, of ten services each; default: 50
#   NARU_BENCH_PODS       pods of each version of a service; default: 7
#
# Needs root (the lab's API server), Go, and wrk for the pages. Ends what it has started.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../target}
naru=${NARU_BIN:-$target/release/naru} site=${NARU_SITE:-$target/site}
prometheus=${NARU_PROMETHEUS_BIN:-prometheus}
size=(-namespaces "${NARU_BENCH_NAMESPACES:-50}" -pods "${NARU_BENCH_PODS:-7}")
export NARU_LAB=bench NARU_LAB_INDEX=44 NARU_LAB_STATE=/tmp/naru-lab-bench
data=$(mktemp -d "${TMPDIR:-/tmp}/naru-bench.XXXXXX")
pids=()

end() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done
  "$here/../end2end/lab/lab" down >/dev/null 2>&1 || true
  rm -rf "$data"
}
trap end EXIT

[ -x "$naru" ] || { echo "snapshot.sh: no program at $naru: cargo build --release -p naru, or set NARU_BIN" >&2; exit 2; }
command -v "$prometheus" >/dev/null || { echo "snapshot.sh: no $prometheus: install it, or set NARU_PROMETHEUS_BIN" >&2; exit 2; }

# await SECONDS COMMAND…
await() {
  local left=$(($1 * 20)); shift
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1)); [ "$left" -gt 0 ] || { echo "snapshot.sh: not within its time: $*" >&2; exit 1; }
    sleep 0.05
  done
}
# CPU seconds of a process so far; its memory in MB.
cpu() { sed 's/.*) //' "/proc/$1/stat" | awk -v hz="$(getconf CLK_TCK)" '{print ($12 + $13) / hz}'; }
memory() { awk '/^VmRSS/{printf "%.0f", $2 / 1024}' "/proc/$1/status"; }
peak() { awk '/^VmHWM/{printf "%.0f", $2 / 1024}' "/proc/$1/status"; }
free_port() { local port=$1; while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done; echo "$port"; }

(cd "$here/meshgen" && go build -trimpath -p 2 -o "$data/meshgen" .)
"$here/../end2end/lab/lab" api
# Whoever is left to its controllers loses pods on a node that is none.
"$here/../end2end/lab/lab" kill controllers
"$data/meshgen" cluster "${size[@]}" -kubeconfig "$NARU_LAB_STATE/admin.kubeconfig"
"$data/meshgen" store "${size[@]}" -out "$data/tsdb" -ahead 20m

printf 'global: {scrape_interval: 15s}\nscrape_configs: []\n' >"$data/prometheus.yml"
port=$(free_port 19500)
"$prometheus" --config.file="$data/prometheus.yml" --storage.tsdb.path="$data/tsdb" --web.listen-address="127.0.0.1:$port" \
  --log.level=error >"$data/prometheus.log" 2>&1 </dev/null & pids+=($!)
await 120 curl -sf "http://127.0.0.1:$port/-/ready"

url=http://127.0.0.1:$(free_port 19600)
begun=$(date +%s%3N)
"$naru" serve --kubeconfig "$NARU_LAB_STATE/admin.kubeconfig" --prometheus "http://127.0.0.1:$port" --listen "${url#http://}" --site "$site" \
  >"$data/naru.log" 2>&1 </dev/null & pids+=($!) ; server=$!
await 60 curl -sf "$url/readyz"
pods() { curl -sf "$url/live/overview" | grep -q '"state":"fresh".*"state":"fresh"'; }
await 60 pods
echo "both sources fresh after $(($(date +%s%3N) - begun)) ms; $(cpu "$server") CPU s; $(memory "$server") MB"
sleep 5
before=$(cpu "$server"); sleep 60
echo "at rest, refreshing: $(awk -v a="$before" -v b="$(cpu "$server")" 'BEGIN{printf "%.2f", b - a}') CPU s a minute; $(memory "$server") MB, $(peak "$server") MB at most"
if command -v wrk >/dev/null; then "$here/../server/benches/pages.sh" "$url"; fi
echo "after the pages: $(memory "$server") MB, $(peak "$server") MB at most"
