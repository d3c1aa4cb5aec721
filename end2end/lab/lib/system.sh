# shellcheck shell=bash
# The system under migration, and what the project itself wants in the cluster.

DEPLOYMENTS=(
  istio-system/istiod istio-system/istio-ingressgateway ingress-nginx/ingress-nginx-controller
  default/sangsang-plus-gateway user-service/user-service-v1 user-service/user-service-v2
  product-service/product-service batch/stock-batch
)

# fill puts the settings into a manifest of the lab's own.
fill() { sed -e "s|@HOSTNAME@|$NARU_LAB_HOSTNAME|g" -e "s|@FRONT_PORT@|$NARU_LAB_FRONT_PORT|g" -e "s|@ISSUER@|$NARU_LAB_ISSUER|g" "$1"; }

apply_file() {
  fill "$1" | kc apply -f - > "$NARU_LAB_STATE/logs/apply.log" 2>&1 ||
    { cat "$NARU_LAB_STATE/logs/apply.log" >&2; die "applying ${1#"$REPO_DIR"/}" "correct the manifest; the lab stays up as it is"; }
}

# Server-side, because a large definition does not fit into the annotation that a client's apply leaves behind.
apply_kustomization() { # FOLDER [KUBECTL OPTION…]
  local folder=$1; shift
  kc apply --server-side --force-conflicts "$@" -k "$folder" > "$NARU_LAB_STATE/logs/apply.log" 2>&1 ||
    { cat "$NARU_LAB_STATE/logs/apply.log" >&2; die "applying ${folder#"$REPO_DIR"/}" "correct the manifest and run 'up' again"; }
}

front_secret() { # NAMESPACE
  kc -n "$1" create secret tls oauth-buildingbite-com-tls --cert="$PKI/front.crt" --key="$PKI/front.key" \
    --dry-run=client -o yaml | kc apply -f - > /dev/null
}

# renew_front does what a renewal does: another certificate of the same authority in the same Secret. A plain nginx reads it when it starts.
renew_front() {
  running apiserver || die "the lab $NARU_LAB is not up" "lab up"
  new_front
  front_secret ingress-nginx
  front_secret istio-system
  kc -n ingress-nginx rollout restart deployment/ingress-nginx-controller > /dev/null
  kc -n ingress-nginx rollout status deployment/ingress-nginx-controller --timeout=60s > /dev/null ||
    die "nginx does not come back" "kubectl -n ingress-nginx describe pods"
  await 30 "a request through the front door" "kubectl -n ingress-nginx logs deploy/ingress-nginx-controller" front_answers
}

up_system() {
  local file
  apply_file "$LAB_DIR/system/00-namespaces.yaml"
  front_secret ingress-nginx
  front_secret istio-system
  for file in "$LAB_DIR"/system/[1-9]*.yaml; do apply_file "$file"; done
  up_naru
  await_system
}

# up_naru applies what Naru is installed with, opts one namespace in, and leaves a kubeconfig of Naru's own ServiceAccount: who tests
# with it finds out what its rights do not cover.
up_naru() {
  apply_kustomization "$REPO_DIR/k8s"
  kc wait --for=condition=established crd --all --timeout=30s > /dev/null ||
    die "custom resource definitions are not established" "kubectl get crd"
  apply_file "$LAB_DIR/migration.yaml"
  apply_kustomization "$REPO_DIR/k8s/opt-in" -n user-service
  apply_kustomization "$REPO_DIR/k8s/opt-in/canary" -n user-service
  local token
  token=$(kc -n naru create token naru --duration=24h) || die "a token for Naru's ServiceAccount" "kubectl -n naru get serviceaccounts"
  (
    umask 077
    cat > "$NARU_LAB_NARU_KUBECONFIG" <<YAML
apiVersion: v1
kind: Config
current-context: lab
contexts: [{name: lab, context: {cluster: lab, user: naru}}]
clusters: [{name: lab, cluster: {server: "https://127.0.0.1:$NARU_LAB_API_PORT", certificate-authority: $PKI/ca.crt}}]
users: [{name: naru, user: {token: $token}}]
YAML
    kc -n naru create token naru --audience istio-ca --duration=24h > "$NARU_LAB_ISTIOD_TOKEN"
  )
}

await_system() {
  local d
  for d in "${DEPLOYMENTS[@]}"; do
    kc -n "${d%/*}" rollout status "deployment/${d#*/}" --timeout=60s > /dev/null ||
      die "deployment $d is not ready" "kubectl -n ${d%/*} describe pods; kubectl -n ${d%/*} logs deploy/${d#*/}"
  done
  await 30 "a request through the front door" "kubectl -n ingress-nginx logs deploy/ingress-nginx-controller" front_answers
}

front_answers() {
  curl -sf --max-time 2 --cacert "$NARU_LAB_FRONT_CA" \
    --connect-to "$NARU_LAB_HOSTNAME:443:127.0.0.1:$NARU_LAB_FRONT_PORT" "https://$NARU_LAB_HOSTNAME/users/" &&
  curl -sf --max-time 2 --cacert "$NARU_LAB_FRONT_CA" \
    --connect-to "$NARU_LAB_HOSTNAME:443:127.0.0.1:$NARU_LAB_FRONT_PORT" "https://$NARU_LAB_HOSTNAME/products/"
}
