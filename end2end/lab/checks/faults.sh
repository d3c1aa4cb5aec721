# shellcheck shell=bash
# Each component killed and started again, while the traffic goes on.

lab() { "$LAB_DIR/lab" "$@" 2> /dev/null; }
k_get() { k get namespace default -o name 2> /dev/null; }
istiod_ready() { k -n istio-system get deployment istiod -o jsonpath='{.status.readyReplicas}' 2> /dev/null; }

lab kill apiserver
got=$(k_get); check "a killed API server does not answer" "${got:-nothing}" is "$got" ""
lab start apiserver
got=$(k_get); check "and answers when started again" "$got" is "$got" namespace/default

lab kill istiod
got=$(istiod_ready); check "a killed istiod is away" "${got:-0} ready" is "${got:-0}" 0
lab start istiod
got=$(istiod_ready); check "and comes back" "$got ready" is "$got" 2

lab kill prometheus
got=$(prom up .status 2> /dev/null); check "a killed Prometheus does not answer" "${got:-nothing}" is "$got" ""
lab start prometheus
got=$(prom up .status); check "and answers when started again" "$got" is "$got" success
