# shellcheck shell=bash
# Saying what was found, and asking the lab.

PASSED=0 FAILED=0

# check WHAT GOT COMMAND...: one line for each check; GOT says what was seen, passed or not.
check() {
  local what=$1 got=$2
  shift 2
  if "$@"; then
    PASSED=$(( PASSED + 1 ))
    printf 'ok    %s (%s)\n' "$what" "$got"
  else
    FAILED=$(( FAILED + 1 ))
    printf 'FAIL  %s (%s)\n' "$what" "$got"
  fi
}

# The last line is read by machines.
finish() {
  printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
  [ "$FAILED" = 0 ]
}

is() { [ "$1" = "$2" ]; }
between() { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }
contains() { [[ $1 == *"$2"* ]]; }

k() { timeout 30 "$NARU_LAB_STATE/bin/controlplane" kubectl --kubeconfig "$NARU_LAB_KUBECONFIG" "$@"; }
load() { curl -sf --max-time 5 "$NARU_LAB_LOAD/" | jq -r "$1"; }
set_load() { curl -sf --max-time 5 -X POST "$NARU_LAB_LOAD/$1" > /dev/null; }
prom() { curl -sfG --max-time 5 "$NARU_LAB_PROMETHEUS/api/v1/query" --data-urlencode "query=$1" | jq -r "$2"; }
front() { # PATH [CURL-OPTION...]
  local path=$1
  shift
  curl -s --max-time 5 --cacert "$NARU_LAB_FRONT_CA" --connect-to "::127.0.0.1:$NARU_LAB_FRONT_PORT" "$@" "https://$NARU_LAB_HOSTNAME$path"
}

# counts NAMESPACE APP[,VERSION] JQ: an app's own counters, from its admin port, past the mesh.
counts() {
  local ip
  ip=$(k -n "$1" get pods -l "$2" -o json |
    jq -r '[.items[] | select(.metadata.deletionTimestamp == null and .status.podIP != null)][0].status.podIP // empty')
  curl -sf --max-time 5 "http://$ip:9090/counts" | jq -r "$3"
}

# waits until no request is under way, so that counters of different places can be compared.
quiet() {
  local i
  set_load 'rate?rps=0'
  for (( i = 0; i < 50; i++ )); do
    [ "$(load .in_flight)" = 0 ] && return
    sleep 0.1
  done
}

put_back() {
  set_load "rate?rps=$NARU_LAB_RPS"
  set_load 'canary?percent=0'
  k apply -f "$LAB_DIR/system/10-user-service.yaml" > /dev/null
}
