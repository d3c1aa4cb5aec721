# shellcheck shell=bash
# What a person or a test is told about the lab.

print_env() {
  local name
  for name in NARU_LAB NARU_LAB_INDEX NARU_LAB_STATE NARU_LAB_KUBECONFIG NARU_LAB_NARU_KUBECONFIG NARU_LAB_ISTIOD_TOKEN NARU_LAB_PROMETHEUS NARU_LAB_LOAD \
    NARU_LAB_AUDIT_LOG NARU_LAB_FRONT NARU_LAB_FRONT_CA NARU_LAB_HOSTNAME NARU_LAB_SCRAPE_INTERVAL; do
    printf 'export %s=%q\n' "$name" "${!name}"
  done
  if running keycloak; then
    for name in NARU_LAB_KEYCLOAK NARU_LAB_KEYCLOAK_ADMIN_PASSWORD NARU_LAB_ISSUER NARU_LAB_CONSOLE; do
      printf 'export %s=%q\n' "$name" "${!name}"
    done
  fi
  printf 'export NARU_LAB_KUBECTL=%q\n' "$BIN/controlplane kubectl --kubeconfig $NARU_LAB_KUBECONFIG"
  printf 'export NARU_LAB_ISTIOCTL=%q\n' "$BIN/istioctl --kubeconfig $NARU_LAB_KUBECONFIG"
}

memory_of() { awk '/^Pss:/ { printf "%.0f MiB", $2 / 1024 }' "/proc/$1/smaps_rollup" 2>/dev/null; }

print_status() {
  local name pid where
  printf '%-12s %-9s %-9s %s\n' COMPONENT PID MEMORY WHERE
  for name in "${COMPONENTS[@]}"; do
    case $name in
      istiod) continue ;;
      apiserver) where=https://127.0.0.1:$NARU_LAB_API_PORT ;;
      prometheus) where=$NARU_LAB_PROMETHEUS ;;
      load) where=$NARU_LAB_LOAD ;;
      keycloak) where=$NARU_LAB_ISSUER ;;
      kubelet) where="bridge $NARU_LAB_BRIDGE $NARU_LAB_POD_CIDR" ;;
      *) where= ;;
    esac
    if pid=$(pid_of "$name"); then printf '%-12s %-9s %-9s %s\n' "$name" "$pid" "$(memory_of "$pid")" "$where"
    else printf '%-12s %-9s\n' "$name" "-"; fi
  done
  running apiserver || return 1
  echo
  kc get pods -A -o json | jq -r '["NAMESPACE", "POD", "READY", "PHASE", "RESTARTS", "ADDRESS"],
    (.items[] | (.status.containerStatuses // []) as $apps | ((.status.initContainerStatuses // []) | map(select(.state.running))) as $sidecars
      | [.metadata.namespace, .metadata.name, "\([($apps + $sidecars)[] | select(.ready)] | length)/\($apps + $sidecars | length)",
         (if .metadata.deletionTimestamp then "Ending" else .status.phase end), ([($apps + $sidecars)[].restartCount] | add // 0), .status.podIP // "-"])
    | @tsv' | column -t
  echo
  if running load; then
    curl -s --max-time 2 "$NARU_LAB_LOAD/" |
      jq -r '"load: \(.rps) rps, sent \(.total.sent), answered \(.total.answered), lost \(.total.lost), by code \(.total.by_code | tojson), by version \(.total.by_version | tojson), p50 \(.latency_ms.p50) ms, p99 \(.latency_ms.p99) ms"'
  fi
}
