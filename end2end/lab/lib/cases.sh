# shellcheck shell=bash
# What the cases of the mesh model stand on: cases/system.yaml, the Gateway API's definitions, a certificate for the gateway.

CASES=$LAB_DIR/cases
CASE_NAMESPACES=(case-a case-b case-plain case-gateway case-disabled case-rev case-rev-other case-both case-disabled-rev)

up_cases() {
  local namespace
  running apiserver || die "the lab $NARU_LAB is not up" "lab up"
  setup_parts
  link_parts
  write_images
  kc apply --server-side --force-conflicts -f "$BIN/gateway-api.yaml" > "$NARU_LAB_STATE/logs/apply.log" 2>&1 ||
    { cat "$NARU_LAB_STATE/logs/apply.log" >&2; die "the Gateway API's definitions" "read the lines above"; }
  kc wait --for=condition=established crd --all --timeout=30s > /dev/null ||
    die "custom resource definitions are not established" "kubectl get crd"
  apply_file "$CASES/system.yaml"
  [ -f "$PKI/case.crt" ] || new_cert front-ca case /CN=case.test extendedKeyUsage=serverAuth "subjectAltName=DNS:*.case.test"
  kc -n case-gateway create secret tls case-tls --cert="$PKI/case.crt" --key="$PKI/case.key" --dry-run=client -o yaml |
    kc apply -f - > /dev/null || die "the gateway's certificate" "kubectl -n case-gateway get secrets"
  for namespace in $(kc get deployments -A -o json | jq -r '.items[].metadata.namespace' | sort -u | grep ^case-); do
    kc -n "$namespace" rollout status deployment --timeout=60s > /dev/null ||
      die "a deployment in $namespace is not ready" "kubectl -n $namespace describe pods"
  done
  say "the cases' system is up"
}

# The rest of the lab's tests count pods and edges, so that what is of the cases goes as a whole.
away_cases() {
  KC_TIMEOUT=120 kc delete namespace --ignore-not-found "${CASE_NAMESPACES[@]}" > /dev/null &&
    kc delete --ignore-not-found -f "$BIN/gateway-api.yaml" > /dev/null
}

# make_gateway_api takes the definitions out of the module that istiod itself was built with.
make_gateway_api() (
  cd "$LAB_DIR/istio" || exit 1
  go mod download sigs.k8s.io/gateway-api &&
    from=$(go list -m -f '{{.Dir}}' sigs.k8s.io/gateway-api)/config/crd/standard || exit 1
  for kind in gatewayclasses gateways httproutes grpcroutes referencegrants; do
    echo ---
    cat "$from/gateway.networking.k8s.io_$kind.yaml" || exit 1
  done > "$1/gateway-api.yaml"
)
