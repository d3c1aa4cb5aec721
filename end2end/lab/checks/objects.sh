# shellcheck shell=bash
# What the control planes accept, refuse and record.

got=$(k get deployments -A -o json | jq '[.items[] | select((.status.readyReplicas // 0) != .spec.replicas)] | length')
check "every Deployment is ready" "$got are not" is "$got" 0

got=$(k -n user-service get pods -l app=user-service -o json | jq -r '[.items[] | select(any(.spec.initContainers[]?; .name == "istio-proxy"))] | length')
check "the injector put a sidecar into user-service" "$got pods" between "$got" 2 4

got=$(k -n batch get pods -o json | jq -r '[.items[] | select(any(.spec.initContainers[]?, .spec.containers[]; .name == "istio-proxy"))] | length')
check "the batch job has none" "$got pods with one" is "$got" 0

got=$(k -n user-service patch virtualservice user-service --dry-run=server --type=json \
  -p '[{"op": "add", "path": "/spec/http/0/match", "value": [{"uri": {"regex": "["}}]}]' 2>&1)
check "istiod's validator refuses a bad route" "${got:0:60}..." contains "$got" 'admission webhook'

got=$(k get ingress -A -o json | jq -r '.items[0] | "\(.spec.rules[0].host) -> \(.spec.rules[0].http.paths[0].backend.service.name)"')
check "the Ingress describes the way in" "$got" is "$got" "$NARU_LAB_HOSTNAME -> istio-ingressgateway"

got=$(front /users/1 -o /dev/null -w '%{http_code} %{ssl_verify_result}')
check "the front door answers over TLS" "$got" is "$got" "200 0"

got=$(front / -o /dev/null -w '%{http_code}' -H 'Host: nobody.example')
check "and serves no other name" "$got" is "$got" 421

mark=lab-check-$$-$RANDOM
k -n user-service annotate virtualservice user-service --overwrite "naru.lab/check=$mark" > /dev/null
got=$(grep -F "$mark" "$NARU_LAB_AUDIT_LOG" | tail -1 | jq -r '"\(.level) \(.verb) \(.objectRef.resource) by \(.user.username), body \(.requestObject != null)"')
check "the audit log has a write with its body" "$got" is "$got" "RequestResponse patch virtualservices by admin, body true"

got=$("$NARU_LAB_STATE/bin/istioctl" --kubeconfig "$NARU_LAB_KUBECONFIG" analyze -A --output json 2> /dev/null | jq -r '[.[] | select(.level == "Error" and ((.code == "IST0112" and (.origin | endswith("user-service/user-service"))) | not))] | length')
# IST0112: user-service has an HTTP/2 port beside its first, and the guide's route names none. Each caller's proxy has the route at both ports, by the
# same weights, which is what the streams of the steps' journey rest on.
check "istioctl analyze finds no error" "$got errors" is "$got" 0
