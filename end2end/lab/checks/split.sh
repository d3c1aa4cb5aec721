# shellcheck shell=bash
# Weights: what was set, what callers got, what each place counted, and a change of them on its way to the traffic.

versions() { load '.paths["/users/"].by_version | "\(.v1 // 0) \(.v2 // 0)"'; }
weights() { k -n user-service patch virtualservice user-service --type=json \
  -p "[{\"op\": \"replace\", \"path\": \"/spec/http/0/route/0/weight\", \"value\": $1}, {\"op\": \"replace\", \"path\": \"/spec/http/0/route/1/weight\", \"value\": $2}]" > /dev/null; }

# Counters of four places over the same requests, with nothing under way at either end.
quiet
read -r v1_then v2_then <<< "$(versions)"
sent_then=$(load .total.sent)
ok_then=$(load '.total.by_code["200"] // 0')
before=$(counts default app=sangsang-plus-gateway .requests)
v1_before=$(counts user-service app=user-service,version=v1 .requests)
v2_before=$(counts user-service app=user-service,version=v2 .requests)
set_load 'rate?rps=300'
sleep 10
quiet
read -r v1 v2 <<< "$(versions)"
v1=$(( v1 - v1_then )) v2=$(( v2 - v2_then ))
n=$(( v1 + v2 ))
sent=$(( $(load .total.sent) - sent_then ))
# 0.1 +- 4 standard deviations: a sound lab fails this once in fifteen thousand runs.
half=$(awk -v n="$n" 'BEGIN { printf "%d", 4 * sqrt(n * .09) + 1 }')
check "90/10 over $n requests" "$v2 to v2, expected $(( n / 10 )) +- $half" between "$v2" "$(( n / 10 - half ))" "$(( n / 10 + half ))"
got=$(( $(load '.total.by_code["200"] // 0') - ok_then ))
check "every one of $sent was answered 200" "$got" is "$got" "$sent"
got=$(( $(counts default app=sangsang-plus-gateway .requests) - before ))
check "the gateway's own counter agrees with the load generator's" "$got and $sent" is "$got" "$sent"
got="$(( $(counts user-service app=user-service,version=v1 .requests) - v1_before )) $(( $(counts user-service app=user-service,version=v2 .requests) - v2_before ))"
check "each version's own counter agrees with the callers'" "$got and $v1 $v2" is "$got" "$v1 $v2"

# A change of weights under load, there and back.
set_load "rate?rps=$NARU_LAB_RPS"
weights 0 100
sleep 1
read -r v1_before v2_before <<< "$(versions)"
sleep 2
read -r v1 v2 <<< "$(versions)"
check "a second after 0/100 all goes to v2" "$(( v1 - v1_before )) to v1, $(( v2 - v2_before )) to v2" test "$v1" = "$v1_before" -a "$v2" -gt "$v2_before"
weights 90 10

k apply -f "$LAB_DIR/system/optional/canary-header.yaml" > /dev/null
sleep 1
got=$(for (( i = 0; i < 30; i++ )); do front /users/ -H 'canary: true' | jq -r .version; done | sort | uniq -c | xargs)
check "with the header rule, canary: true goes to v2" "$got" is "$got" "30 v2"
k apply -f "$LAB_DIR/system/10-user-service.yaml" > /dev/null
