# The lab is end2end/lab's own; only its tests are put together here.
lab=end2end/lab/lab

lab_test() {
  . scripts/dev/steps.sh
  local mine=
  NARU_LAB_KUBECONFIG=''; NARU_LAB_PROMETHEUS=''
  while [ $# -gt 0 ]; do
    case $1 in
      --kubeconfig) NARU_LAB_KUBECONFIG=$(realpath "$2"); shift 2 ;;
      --prometheus) NARU_LAB_PROMETHEUS=$2; shift 2 ;;
      *) die "lab test: $1" "usage: ./dev lab test [--kubeconfig FILE --prometheus URL]" ;;
    esac
  done
  toolchain; node_packages; browser; assets; server
  if [ -z "$NARU_LAB_KUBECONFIG" ]; then
    [ "$(id -u)" = 0 ] || die "lab" "it makes network namespaces: run as root, or give --kubeconfig and --prometheus"
    mine=1
    # Names and numbers of their own: a lab that somebody is working with stays as it is.
    export NARU_LAB=${NARU_LAB:-test} NARU_LAB_INDEX=${NARU_LAB_INDEX:-41}
    trap 'api down >/dev/null 2>&1; "$lab" down >/dev/null 2>&1 || true' EXIT
    step "lab up" "$lab status tells what runs" lab_up || { summary "./dev lab test"; return 1; }
    eval "$("$lab" env)"
    # The contract of Cluster and the sets of manifests install and remove definitions, one program after the other: they have an API server to themselves.
    step "a bare API" "NARU_LAB=test-api $lab api shows it" api api || { summary "./dev lab test"; return 1; }
    export NARU_LAB_API_KUBECONFIG=/tmp/naru-lab-test-api/admin.kubeconfig NARU_TEST_PROMETHEUS=$NARU_LAB_STATE/bin/prometheus
  fi
  [ -n "$NARU_LAB_PROMETHEUS" ] || die "lab test" "--kubeconfig wants --prometheus URL beside it"
  export NARU_LAB_KUBECONFIG NARU_LAB_PROMETHEUS

  [ -z "$mine" ] || step "lab checks" "$lab check" "$lab" check || true
  # Cases go before the rest, and everything of theirs with them: others count pods and edges.
  [ -z "$mine" ] || { step "lab model" "./dev lab model" lab_model; "$lab" cases away >&2 || true; } || true
  # What is ignored elsewhere is what needs the lab; `speed` measures and wants a Prometheus of its own. On a cluster from outside
  # nothing is installed, killed or moved: there the commands and the journeys that only look are run.
  local -a which=(--ignored --skip speed)
  [ -n "$mine" ] || which+=(--skip kill --skip sleeper --skip real --skip sources::prometheus)
  step "contracts on the lab" "cargo test … --tests -- --ignored" \
    cargo test "${NATIVE[@]}" --tests --no-fail-fast -- "${which[@]}" || true
  # Constant load at several weights, minutes at a time: half an hour is not enough for all of it.
  NARU_STEP_MINUTES=50 step "lab journeys" "./dev journeys --project lab" journeys --project lab --pass-with-no-tests || true
  [ -z "$mine" ] || sign_in_test || true
  [ -z "$mine" ] || { trap - EXIT; api down >/dev/null 2>&1; step "lab down" "$lab status tells what is left" "$lab" down || true; }
  summary "./dev lab test"
}

# Cases that run through the mesh model and through the lab's own mesh; the last line says how many agreed.
lab_model() {
  eval "$("$lab" env)"
  export NARU_LAB_KUBECTL
  "$lab" cases || return 1
  cargo run --profile "$NARU_PROFILE" "${LOCKED[@]}" --quiet -p naru-lab-model -- "$@"
}

# Last, because Keycloak and the gateway in front of it are no part of the system that the rest counts.
sign_in_test() {
  step "Keycloak up" "$lab keycloak up" "$lab" keycloak up || return 1
  eval "$("$lab" env)"
  step "sign-in and gateway" "./dev journeys --project sign-in" journeys --project sign-in
}

api() { NARU_LAB=test-api NARU_LAB_INDEX=42 NARU_LAB_STATE="" "$lab" "$1"; }

lab_up() { "$lab" setup && "$lab" up; }

case ${1:-} in
  test) shift; lab_test "$@" ;;
  model) shift; toolchain; lab_model "$@" ;;
  "")   "$lab" ;;
  *)    exec "$lab" "$@" ;;
esac
