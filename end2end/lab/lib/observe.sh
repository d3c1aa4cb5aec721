# shellcheck shell=bash
# Prometheus and the load generator, both on the host's loopback.

start_prometheus() {
  sed -e "s|@STATE@|$NARU_LAB_STATE|" -e "s|@INTERVAL@|$NARU_LAB_SCRAPE_INTERVAL|g" \
    "$LAB_DIR/observe/prometheus.yml" > "$NARU_LAB_STATE/prometheus.yml"
  launch prometheus "$BIN/prometheus" --config.file="$NARU_LAB_STATE/prometheus.yml" \
    --storage.tsdb.path="$NARU_LAB_STATE/prometheus" --storage.tsdb.retention.time=1d \
    --web.listen-address="127.0.0.1:$NARU_LAB_PROMETHEUS_PORT"
}

await_prometheus() {
  await 30 "Prometheus ready" "read $NARU_LAB_STATE/logs/prometheus.log" curl -sf --max-time 2 "$NARU_LAB_PROMETHEUS/-/ready"
}

start_load() {
  FRONT=$NARU_LAB_FRONT HOST=$NARU_LAB_HOSTNAME CA=$NARU_LAB_FRONT_CA RPS=$NARU_LAB_RPS \
    LISTEN=127.0.0.1:$NARU_LAB_LOAD_PORT launch load "$BIN/apps" load
}

await_load() {
  await 10 "the load generator at work" "read $NARU_LAB_STATE/logs/load.log" curl -sf --max-time 2 "$NARU_LAB_LOAD/"
}
