# shellcheck shell=bash
# Istio, rendered by istioctl and run as the Deployments that it renders.

istioctl() { timeout 60 "$BIN/istioctl" --kubeconfig "$NARU_LAB_KUBECONFIG" "$@"; }

# render_istio needs no cluster, so `up` lets it run while the API server starts.
render_istio() {
  "$BIN/istioctl" manifest generate -f "$LAB_DIR/mesh/istio.yaml" > "$NARU_LAB_STATE/istio.yaml.next" 2> "$NARU_LAB_STATE/logs/istio-render.log" &&
    mv "$NARU_LAB_STATE/istio.yaml.next" "$NARU_LAB_STATE/istio.yaml"
}

# Custom resources in the same file as their definitions are refused until these are established: a few rounds settle it.
apply_istio() {
  kc apply --server-side --force-conflicts -f "$NARU_LAB_STATE/istio.yaml" > "$NARU_LAB_STATE/logs/istio-apply.log" 2>&1
}

injector_signed() {
  kc get mutatingwebhookconfiguration istio-revision-tag-default -o json |
    jq -e '.webhooks | length > 0 and all((.clientConfig.caBundle // "") != "")'
}

# istiod lets its validator fail closed only when it has found it to work.
validator_closed() {
  [ "$(kc get validatingwebhookconfiguration istiod-default-validator -o jsonpath='{.webhooks[0].failurePolicy}')" = Fail ]
}

up_mesh() {
  kc create namespace istio-system --dry-run=client -o yaml | kc apply -f - > /dev/null
  await 30 "Istio's objects accepted" "read $NARU_LAB_STATE/logs/istio-apply.log" apply_istio
  kc -n istio-system rollout status deployment/istiod --timeout=60s > /dev/null ||
    die "istiod is not ready" "kubectl -n istio-system logs deploy/istiod"
  # The last act of `istioctl install`: the default tag. Without it objects that carry no istio.io/rev label are not
  # validated at all. It also moves injection by namespace label to the tag's webhook.
  istioctl tag set default --revision default --overwrite > "$NARU_LAB_STATE/logs/istio-tag.log" 2>&1 ||
    die "setting Istio's default tag" "read $NARU_LAB_STATE/logs/istio-tag.log"
  await 30 "Istio's injector signed" "kubectl -n istio-system logs deploy/istiod" injector_signed
  await 30 "Istio's validator fail-closed" "kubectl -n istio-system logs deploy/istiod" validator_closed
  kc apply -f "$LAB_DIR/mesh/telemetry.yaml" > "$NARU_LAB_STATE/logs/telemetry-apply.log" 2>&1 ||
    die "the telemetry filter is refused" "read $NARU_LAB_STATE/logs/telemetry-apply.log"
  kc -n istio-system rollout status deployment/istio-ingressgateway --timeout=60s > /dev/null ||
    die "the ingress gateway is not ready" "kubectl -n istio-system logs deploy/istio-ingressgateway"
}
