# shellcheck shell=bash
# The graph that Prometheus shows is the one that was built, no edge more and none less.

expected_source='default/sangsang-plus-gateway > product-service/product-service
default/sangsang-plus-gateway > user-service/user-service-v1
default/sangsang-plus-gateway > user-service/user-service-v2
istio-system/istio-ingressgateway > default/sangsang-plus-gateway'
expected_destination="$expected_source
unknown/unknown > product-service/product-service"

edges() {
  prom "sum by (source_workload_namespace, source_workload, destination_workload_namespace, destination_workload) (increase(istio_requests_total{reporter=\"$1\"}[1m])) > 0" \
    '.data.result[].metric | "\(.source_workload_namespace)/\(.source_workload) > \(.destination_workload_namespace)/\(.destination_workload)"' | LC_ALL=C sort
}

# A lab that has just come up needs some scrapes first.
for (( i = 0; i < 20; i++ )); do
  [ "$(edges destination)" = "$expected_destination" ] && [ "$(edges source)" = "$expected_source" ] && break
  sleep 1
done

got=$(edges source)
check "edges seen by callers' proxies" "$(grep -c . <<< "$got") edges" is "$got" "$expected_source"
got=$(edges destination)
check "edges seen by servers' proxies" "$(grep -c . <<< "$got") edges" is "$got" "$expected_destination"

security() { prom "sum by (connection_security_policy) (increase(istio_requests_total{reporter=\"destination\",$1}[1m])) > 0" '[.data.result[].metric.connection_security_policy] | join(",")'; }
got=$(security 'source_workload!="unknown"')
check "callers in the mesh are encrypted" "$got" is "$got" mutual_tls
got=$(security 'source_workload="unknown"')
check "the unknown caller is not" "$got" is "$got" none

# A pod that was stopped a moment ago is a target for some seconds more.
for (( i = 0; i < 20; i++ )); do
  got=$(prom 'count(up == 1)' '.data.result[0].value[1]')
  [ "$got" = 8 ] && break
  sleep 1
done
check "Prometheus reaches all five proxies, two istiods and nginx" "$got targets" is "$got" 8

# Envoy flushes histograms every 5 s and counters at once: the two differ by some seconds of traffic, which in a young
# lab is much of it.
near_one() { awk -v r="$1" 'BEGIN { exit !(r > 0.9 && r < 1.1) }'; }
for (( i = 0; i < 40; i++ )); do
  got=$(prom 'sum(istio_request_duration_milliseconds_count{reporter="destination"}) / sum(istio_requests_total{reporter="destination"})' '.data.result[0].value[1] // "none"')
  near_one "$got" && break
  sleep 1
done
check "requests have their durations" "$got durations a request" near_one "$got"
