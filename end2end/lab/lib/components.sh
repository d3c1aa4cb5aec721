# shellcheck shell=bash
# Killing and starting single components, for tests that ask what happens then.

COMPONENTS=(etcd apiserver controllers scheduler kubelet istiod prometheus load keycloak)

known_component() {
  [[ " ${COMPONENTS[*]} " == *" ${1:-} "* ]] || die "no component '${1:-}'" "one of: ${COMPONENTS[*]}"
}

# kill_component ends it at once, without a chance to tidy up.
kill_component() {
  known_component "${1:-}"
  case $1 in
    istiod)
      # Its Deployment would start it again, so it is scaled away as well.
      kc -n istio-system scale deployment/istiod --replicas=0 > /dev/null ||
        die "istiod is a Deployment and the API server does not answer" "lab start apiserver"
      kc -n istio-system delete pod -l app=istiod --grace-period=0 --force > /dev/null 2>&1
      await 30 "istiod gone" "kubectl -n istio-system get pods" no_istiod
      ;;
    *) end "$1" KILL ;;
  esac
}

no_istiod() { [ -z "$(kc -n istio-system get pods -l app=istiod -o name)" ]; }

# start_component returns when it is at work again. Pods of a killed kubelet are started anew.
start_component() {
  known_component "${1:-}"
  case $1 in
    istiod)
      kc -n istio-system scale deployment/istiod --replicas=2 > /dev/null &&
        kc -n istio-system rollout status deployment/istiod --timeout=60s > /dev/null ||
        die "istiod does not come back" "kubectl -n istio-system describe pods -l app=istiod"
      ;;
    apiserver) start_apiserver; await_apiserver ;;
    prometheus) start_prometheus; await_prometheus ;;
    load) start_load; await_load ;;
    keycloak) start_keycloak; await_keycloak ;;
    kubelet)
      start_kubelet
      mark_bridge
      sleep 1 # until its pods have said that they are not ready
      await_system
      ;;
    *) "start_$1" ;;
  esac
}
