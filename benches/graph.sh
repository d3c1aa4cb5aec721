#!/usr/bin/env bash
# graph.sh [NAMESPACES…]: what one `naru graph` costs, itself and in Prometheus, for meshes of these sizes (default: 50).
#
#   NARU_BIN            the program; default: target/release/naru in $CARGO_TARGET_DIR or here
#   NARU_PROMETHEUS_BIN Prometheus; default: the one on the path
#   NARU_BENCH_ROUNDS   how often each is run; default: 10
#   NARU_BENCH_DATA     where data folders are made and thrown away (a gigabyte); default: a temporary folder
#
# Prints wall time and CPU seconds; on a machine that does other things too, only the CPU means something.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
naru=${NARU_BIN:-${CARGO_TARGET_DIR:-$here/../target}/release/naru}
prometheus=${NARU_PROMETHEUS_BIN:-prometheus}
rounds=${NARU_BENCH_ROUNDS:-10}
data=$(mktemp -d "${NARU_BENCH_DATA:-${TMPDIR:-/tmp}}/naru-bench.XXXXXX")
pid=

end() {
  if [ -n "$pid" ]; then kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; pid=; fi
}
trap 'end; rm -rf "$data"' EXIT

[ -x "$naru" ] || { echo "graph.sh: no program at $naru: cargo build --release -p naru, or set NARU_BIN" >&2; exit 2; }
command -v "$prometheus" >/dev/null || { echo "graph.sh: no $prometheus: install it, or set NARU_PROMETHEUS_BIN" >&2; exit 2; }

echo "building meshgen" >&2
(cd "$here/meshgen" && go build -trimpath -p 2 -o "$data/meshgen" .)

# A free port: nobody listens there now.
port=19400
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
url=http://127.0.0.1:$port

start() {
  printf 'global: {scrape_interval: 15s}\nscrape_configs: []\n' >"$data/prometheus.yml"
  "$prometheus" --config.file="$data/prometheus.yml" --storage.tsdb.path="$data/tsdb" --web.listen-address="127.0.0.1:$port" \
    --log.level=error >"$data/prometheus.log" 2>&1 </dev/null &
  pid=$!
  for _ in $(seq 600); do
    curl -sf "$url/-/ready" >/dev/null 2>&1 && return
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.2
  done
  tail -n 20 "$data/prometheus.log" >&2
  echo "graph.sh: Prometheus does not start" >&2
  exit 1
}

# CPU of Prometheus so far, in clock ticks.
ticks() { sed 's/.*) //' "/proc/$pid/stat" | awk '{print $12 + $13}'; }
# Queries that Prometheus has answered so far.
queries() { curl -s "$url/metrics" | awk '/^prometheus_http_requests_total.*handler="\/api\/v1\/query"/{n += $2} END{print n + 0}'; }

one_size() {
  local namespaces=$1 round asked cpu
  rm -rf "$data/tsdb"
  "$data/meshgen" store -namespaces "$namespaces" -out "$data/tsdb" -ahead 20m
  start
  "$naru" graph --prometheus "$url" >"$data/graph.json"   # the first query after a start reads from disk
  asked=$(queries) cpu=$(ticks)
  : >"$data/times"
  for ((round = 0; round < rounds; round++)); do
    { TIMEFORMAT='%R %U %S'; time "$naru" graph --prometheus "$url" >"$data/graph.json" 2>"$data/graph.log"; } 2>>"$data/times"
  done
  asked=$(($(queries) - asked)) cpu=$(($(ticks) - cpu))
  sort -n "$data/times" | awk -v n="$namespaces" -v rounds="$rounds" -v asked="$asked" -v ticks="$cpu" -v hz="$(getconf CLK_TCK)" \
    -v bytes="$(wc -c <"$data/graph.json")" '
    {wall[NR] = $1; cpu += $2 + $3}
    END {
      printf "%4d namespaces: wall min %.2f median %.2f s; CPU ours %.3f + Prometheus %.3f s; %.1f queries; %d bytes\n",
        n, wall[1], wall[int((NR + 1) / 2)], cpu / NR, ticks / hz / rounds, asked / rounds, bytes
    }'
  end
}

for namespaces in "${@:-50}"; do one_size "$namespaces"; done
