# shellcheck shell=bash
# The real Spring Cloud Gateway in the place of its stand-in. It judges tokens by the realm's key of the moment, which it is given as a
# file: pods have no way to Keycloak, and a key that is exchanged afterwards is what real gateways trip over.

GATEWAY_PARTS=(spring_gateway)

make_spring_gateway() (
  require_tools mvn:maven javac:default-jdk-headless
  # Maven writes beside its sources, which stay as they are.
  work=$1/work
  cp -r "$LAB_DIR/spring-gateway" "$work" &&
    nice mvn -B -q -ntp -f "$work/pom.xml" package > "$1/build.log" 2>&1 || { tail -n 20 "$1/build.log" >&2; exit 1; }
  mv "$work/target/gateway.jar" "$1/" && rm -r "$work"
)

use_gateway() { # spring|stand-in
  running apiserver || die "the lab $NARU_LAB is not up" "lab up"
  case ${1:-} in
    spring)
      running keycloak || die "Keycloak is not up, whose tokens the gateway judges" "lab keycloak up"
      setup_parts "${GATEWAY_PARTS[@]}"
      realm_key > "$NARU_LAB_STATE/realm.pem" || die "reading the realm's key" "curl $NARU_LAB_ISSUER"
      local key
      key=$(kc -n default create configmap realm-key --from-file="$NARU_LAB_STATE/realm.pem" --dry-run=client -o yaml | kc apply -f -) ||
        die "the realm's key" "kubectl -n default get configmaps"
      apply_file "$LAB_DIR/system/optional/spring-gateway.yaml"
      # One that runs has read the key that was there when it started.
      case $key in *configured) kc -n default rollout restart deployment/sangsang-plus-gateway > /dev/null ;; esac
      ;;
    stand-in) apply_file "$LAB_DIR/system/20-sangsang-plus-gateway.yaml" ;;
    *) usage >&2; exit 2 ;;
  esac
  kc -n default rollout status deployment/sangsang-plus-gateway --timeout=120s > /dev/null ||
    die "the gateway is not ready" "kubectl -n default logs deploy/sangsang-plus-gateway -c app"
  say "gateway: $1"
}

realm_key() {
  local key
  key=$(curl -sf --max-time 5 "$NARU_LAB_ISSUER" | jq -er .public_key) &&
    printf -- '-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n' "$(fold -w 64 <<< "$key")"
}
