# shellcheck shell=bash
# Every name, port and address of the lab, each overridable from the environment.
# Sourced by ./lab; nothing here starts anything.

# Which lab: a second one runs beside the first under another name (its own state, bridge, ports, pod network).
export NARU_LAB=${NARU_LAB:-main}
# The number that keeps two labs apart. "main" is 0; another name gets one from its letters, and `up` refuses a collision.
if [ -z "${NARU_LAB_INDEX:-}" ]; then
  if [ "$NARU_LAB" = main ]; then NARU_LAB_INDEX=0
  else NARU_LAB_INDEX=$(( $(printf %s "$NARU_LAB" | cksum | cut -d' ' -f1) % 40 + 1 )); fi
fi
export NARU_LAB_INDEX

# State goes away with `down`; the cache holds what is built or downloaded and outlives the checkout.
export NARU_LAB_STATE=${NARU_LAB_STATE:-/tmp/naru-lab-$NARU_LAB}
export NARU_LAB_CACHE=${NARU_LAB_CACHE:-${NARU_CACHE:-$HOME/.cache/naru}/lab}

# Ports on loopback, a hundred per lab.
_base=$(( 16400 + 100 * NARU_LAB_INDEX ))
export NARU_LAB_API_PORT=${NARU_LAB_API_PORT:-$(( _base + 43 ))}
export NARU_LAB_FRONT_PORT=${NARU_LAB_FRONT_PORT:-$(( _base + 44 ))}
export NARU_LAB_LOAD_PORT=${NARU_LAB_LOAD_PORT:-$(( _base + 45 ))}
export NARU_LAB_PROMETHEUS_PORT=${NARU_LAB_PROMETHEUS_PORT:-$(( _base + 90 ))}
export NARU_LAB_ETCD_PORT=${NARU_LAB_ETCD_PORT:-$(( _base + 79 ))}
export NARU_LAB_ETCD_PEER_PORT=${NARU_LAB_ETCD_PEER_PORT:-$(( _base + 80 ))}
export NARU_LAB_CONTROLLERS_PORT=${NARU_LAB_CONTROLLERS_PORT:-$(( _base + 57 ))}
export NARU_LAB_SCHEDULER_PORT=${NARU_LAB_SCHEDULER_PORT:-$(( _base + 59 ))}
export NARU_LAB_KEYCLOAK_PORT=${NARU_LAB_KEYCLOAK_PORT:-$(( _base + 88 ))}
# Where a console is that people sign in to: Keycloak must know beforehand whom to tell that a session has ended.
export NARU_LAB_CONSOLE_PORT=${NARU_LAB_CONSOLE_PORT:-$(( _base + 30 ))}
unset _base

# The pod network: a bridge on the host whose address is the node's, and from which pods are reached directly.
# A service address never leaves a pod's own network namespace, so labs may share the range.
export NARU_LAB_BRIDGE=${NARU_LAB_BRIDGE:-naru$NARU_LAB_INDEX}
export NARU_LAB_NET=${NARU_LAB_NET:-10.$(( 99 + NARU_LAB_INDEX ))}
export NARU_LAB_HOST_IP=$NARU_LAB_NET.0.1
export NARU_LAB_POD_CIDR=$NARU_LAB_NET.0.0/16
export NARU_LAB_SERVICE_NET=${NARU_LAB_SERVICE_NET:-10.96}
export NARU_LAB_SERVICE_CIDR=$NARU_LAB_SERVICE_NET.0.0/16

# The system under migration.
export NARU_LAB_HOSTNAME=${NARU_LAB_HOSTNAME:-oauth.buildingbite.com}
export NARU_LAB_RPS=${NARU_LAB_RPS:-60}
export NARU_LAB_SCRAPE_INTERVAL=${NARU_LAB_SCRAPE_INTERVAL:-5s}

# Versions. The Go modules' own are pinned in cluster/go.mod and istio/go.mod.
export NARU_LAB_KUBERNETES_VERSION=v1.35.4
export NARU_LAB_ISTIO_VERSION=1.31.0
export NARU_LAB_ENVOY_VERSION=1.40.0
export NARU_LAB_KEYCLOAK_VERSION=26.7.3
export NARU_LAB_KEYCLOAK_SHA256=27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f

# Of the loopback address alone, as the passwords in keycloak/realm.json.
export NARU_LAB_KEYCLOAK_ADMIN_PASSWORD=admin

# Files that others are told about (`lab env`).
export NARU_LAB_KUBECONFIG=$NARU_LAB_STATE/admin.kubeconfig
export NARU_LAB_NARU_KUBECONFIG=$NARU_LAB_STATE/naru.kubeconfig
export NARU_LAB_ISTIOD_TOKEN=$NARU_LAB_STATE/istiod.token
export NARU_LAB_AUDIT_LOG=$NARU_LAB_STATE/logs/audit.jsonl
export NARU_LAB_PROMETHEUS=http://127.0.0.1:$NARU_LAB_PROMETHEUS_PORT
export NARU_LAB_LOAD=http://127.0.0.1:$NARU_LAB_LOAD_PORT
export NARU_LAB_FRONT=https://127.0.0.1:$NARU_LAB_FRONT_PORT
export NARU_LAB_FRONT_CA=$NARU_LAB_STATE/pki/front-ca.crt
export NARU_LAB_KEYCLOAK=http://127.0.0.1:$NARU_LAB_KEYCLOAK_PORT
export NARU_LAB_ISSUER=$NARU_LAB_KEYCLOAK/realms/lab
export NARU_LAB_CONSOLE=http://127.0.0.1:$NARU_LAB_CONSOLE_PORT
