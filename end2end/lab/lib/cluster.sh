# shellcheck shell=bash
# The Kubernetes control plane and the one node, each component a process of its own.

start_etcd() {
  launch etcd "$BIN/controlplane" etcd "$NARU_LAB_STATE/etcd" \
    "http://127.0.0.1:$NARU_LAB_ETCD_PORT" "http://127.0.0.1:$NARU_LAB_ETCD_PEER_PORT"
}

start_apiserver() {
  # shellcheck disable=SC2054 # the commas are the flags' own
  local flags=(
    --etcd-servers="http://127.0.0.1:$NARU_LAB_ETCD_PORT"
    --bind-address=127.0.0.1 --secure-port="$NARU_LAB_API_PORT" --advertise-address="$NARU_LAB_HOST_IP"
    --service-cluster-ip-range="$NARU_LAB_SERVICE_CIDR"
    --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" --client-ca-file="$PKI/ca.crt"
    --requestheader-client-ca-file="$PKI/ca.crt" --requestheader-allowed-names=front-proxy-client
    --requestheader-extra-headers-prefix=X-Remote-Extra- --requestheader-group-headers=X-Remote-Group
    --requestheader-username-headers=X-Remote-User
    --proxy-client-cert-file="$PKI/front-proxy.crt" --proxy-client-key-file="$PKI/front-proxy.key"
    --service-account-key-file="$PKI/sa.pub" --service-account-signing-key-file="$PKI/sa.key"
    --service-account-issuer=https://kubernetes.default.svc.cluster.local
    # istio-ca is the audience of the tokens with which proxies ask istiod for certificates.
    --api-audiences=https://kubernetes.default.svc.cluster.local,istio-ca
    --authorization-mode=Node,RBAC --anonymous-auth=true
    --kubelet-client-certificate="$PKI/kubelet-client.crt" --kubelet-client-key="$PKI/kubelet-client.key"
    --kubelet-preferred-address-types=InternalIP
    # Webhooks are called at their endpoints' addresses, which the host reaches; service addresses it does not.
    --enable-aggregator-routing=true
    --allow-privileged=true --profiling=false
    --audit-policy-file="$LAB_DIR/cluster/audit-policy.yaml" --audit-log-path="$NARU_LAB_AUDIT_LOG"
    --audit-log-maxsize=100 --audit-log-maxbackup=2
  )
  mkdir -p "$NARU_LAB_STATE/logs"
  launch apiserver "$BIN/controlplane" kube-apiserver "${flags[@]}"
}

await_apiserver() {
  await 60 "kube-apiserver ready" "read $NARU_LAB_STATE/logs/apiserver.log" \
    curl -sf --max-time 2 --cacert "$PKI/ca.crt" "https://127.0.0.1:$NARU_LAB_API_PORT/readyz"
}

start_controllers() {
  local config=$NARU_LAB_STATE/controllers.kubeconfig
  # Everything but what needs a cloud, volumes or several nodes. Endpoint updates are not batched: a test that kills a
  # pod should not wait for a timer.
  launch controllers "$BIN/controlplane" kube-controller-manager \
    --kubeconfig="$config" --authentication-kubeconfig="$config" --authorization-kubeconfig="$config" \
    --bind-address=127.0.0.1 --secure-port="$NARU_LAB_CONTROLLERS_PORT" --leader-elect=false \
    --use-service-account-credentials=true --service-account-private-key-file="$PKI/sa.key" --root-ca-file="$PKI/ca.crt" \
    --cluster-signing-cert-file="$PKI/ca.crt" --cluster-signing-key-file="$PKI/ca.key" \
    --cluster-cidr="$NARU_LAB_POD_CIDR" --allocate-node-cidrs=false --profiling=false \
    --controllers='*,-node-ipam-controller,-node-route-controller,-service-lb-controller,-cloud-node-lifecycle-controller,-ttl-controller,-persistentvolume-binder-controller,-persistentvolume-attach-detach-controller,-persistentvolume-expander-controller,-ephemeral-volume-controller,-storage-version-migrator-controller' \
    --concurrent-endpoint-syncs=5 --endpointslice-updates-batch-period=0s --node-monitor-grace-period=120s
}

start_scheduler() {
  local config=$NARU_LAB_STATE/scheduler.kubeconfig
  launch scheduler "$BIN/controlplane" kube-scheduler \
    --kubeconfig="$config" --authentication-kubeconfig="$config" --authorization-kubeconfig="$config" \
    --bind-address=127.0.0.1 --secure-port="$NARU_LAB_SCHEDULER_PORT" --leader-elect=false --profiling=false
}

start_kubelet() {
  write_images
  launch kubelet "$BIN/kubelet" run --kubeconfig "$NARU_LAB_KUBECONFIG" --bridge "$NARU_LAB_BRIDGE" \
    --address "$NARU_LAB_HOST_IP/16" --services "$NARU_LAB_SERVICE_CIDR" --dir "$NARU_LAB_STATE/pods" --images "$NARU_LAB_STATE/images.json" \
    --targets "$NARU_LAB_STATE/targets.json"
}

# The mark tells labs apart. A kubelet's first act is to remove the bridge of the one before it, hence the wait.
mark_bridge() {
  await 20 "the bridge made" "read $NARU_LAB_STATE/logs/kubelet.log" ip link set "$NARU_LAB_BRIDGE" alias "$NARU_LAB_STATE"
}

node_ready() { kc get node naru-node -o jsonpath='{.status.conditions[?(@.type=="Ready")].status}' | grep -q True; }

# New pods are refused until the namespace's default account exists, which the controllers make.
default_account() { kc -n default get serviceaccount default; }

up_api() {
  start_etcd
  start_apiserver
  await_apiserver
  start_controllers
  await 60 "the controllers at work" "read $NARU_LAB_STATE/logs/controllers.log" default_account
}

up_cluster() {
  start_etcd
  start_apiserver
  await_apiserver
  start_controllers
  start_scheduler
  start_kubelet
  await 60 "the node ready" "read $NARU_LAB_STATE/logs/kubelet.log" node_ready
  mark_bridge
  await 60 "the controllers at work" "read $NARU_LAB_STATE/logs/controllers.log" default_account
}
