# shellcheck shell=bash
# A rolling restart under load, which the drain settings must make harmless.

set_load 'rate?rps=100'
lost=$(load .total.lost)
bad=$(load '[.total.by_code | to_entries[] | select(.key != "200") | .value] | add // 0')
k -n user-service rollout restart deployment/user-service-v1 > /dev/null
k -n user-service rollout status deployment/user-service-v1 --timeout=25s > /dev/null
# The old pod drains for some seconds after the new one is ready.
sleep 9
set_load "rate?rps=$NARU_LAB_RPS"
got="$(( $(load .total.lost) - lost )) lost, $(( $(load '[.total.by_code | to_entries[] | select(.key != "200") | .value] | add // 0') - bad )) refused"
check "a rolling restart under load costs nothing" "$got" is "$got" "0 lost, 0 refused"
