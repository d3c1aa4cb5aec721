# shellcheck shell=bash
# What each image name stands for on this machine. A prefix is enough: tags are free.

write_images() {
  local bin
  bin() { realpath "$BIN/$1"; }
  jq -n \
    --arg istiod "$(bin pilot-discovery)" --arg agent "$(bin pilot-agent)" --arg envoy "$(bin envoy)" \
    --arg bootstrap "$(bin envoy_bootstrap.json)" --arg nginx "$(bin nginx)" --arg apps "$(bin apps)" \
    --arg gateway "$(part_dir spring_gateway)/gateway.jar" --arg java "$(command -v java || echo /usr/bin/java)" \
    --arg version "$NARU_LAB_ISTIO_VERSION" --arg sha "stock-envoy-$NARU_LAB_ENVOY_VERSION" '
    def app(program): {command: ["/app/apps", program], mounts: {($apps): "/app/apps"}};
    {
      "naru.lab/istio/pilot": {command: ["/usr/local/bin/pilot-discovery"], uid: 1337,
        mounts: {($istiod): "/usr/local/bin/pilot-discovery"}},
      "naru.lab/istio/proxyv2": {command: ["/usr/local/bin/pilot-agent"], uid: 1337,
        env: {ISTIO_META_ISTIO_VERSION: $version, ISTIO_META_ISTIO_PROXY_SHA: $sha},
        mounts: {($agent): "/usr/local/bin/pilot-agent", ($envoy): "/usr/local/bin/envoy",
                 ($bootstrap): "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json"}},
      "naru.lab/nginx": {command: ["/usr/local/bin/nginx", "-e", "stderr", "-c", "/etc/naru-nginx/nginx.conf"], uid: 0,
        mounts: {($nginx): "/usr/local/bin/nginx"}},
      "naru.lab/sangsang-plus-gateway": app("gateway"),
      "naru.lab/spring-gateway": {mounts: {($gateway): "/app/gateway.jar"},
        command: [$java, "-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", "/app/gateway.jar"]},
      "naru.lab/user-service": app("service"),
      "naru.lab/product-service": app("service"),
      "naru.lab/stock-batch": app("batch"),
      "naru.lab/nginx-exporter": app("edge"),
      "naru.lab/peer": app("peer")
    }' > "$NARU_LAB_STATE/images.json"
}
