# shellcheck shell=bash
# What the lab needs of the machine.

# Command and the Debian package that has it.
HOST_TOOLS=(ip:iproute2 iptables:iptables jq:jq openssl:openssl curl:curl nsenter:util-linux setpriv:util-linux unzip:unzip flock:util-linux)

require_host() {
  [ "$(id -u)" = 0 ] || die "not root" "run it with sudo: network namespaces, bridges and mounts need it"
  require_tools "${HOST_TOOLS[@]}"
}

# require_tools COMMAND:PACKAGE...
require_tools() {
  local tool missing=()
  for tool in "$@"; do
    command -v "${tool%%:*}" >/dev/null || missing+=("${tool#*:}")
  done
  [ ${#missing[@]} = 0 ] && return
  command -v apt-get >/dev/null || die "missing: ${missing[*]}" "install these packages"
  say "installing ${missing[*]}"
  { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" ||
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; }
  } > /dev/null || die "installing ${missing[*]}" "install these packages by hand"
}

# Two labs whose numbers collide would share a bridge and take each other's pods down.
require_free_place() {
  local owner
  ip link show "$NARU_LAB_BRIDGE" >/dev/null 2>&1 || return 0
  owner=$(ip -j link show "$NARU_LAB_BRIDGE" | jq -r '.[0].ifalias // empty')
  { [ -z "$owner" ] || [ "$owner" = "$NARU_LAB_STATE" ]; } ||
    die "bridge $NARU_LAB_BRIDGE belongs to the lab in $owner" "set NARU_LAB_INDEX to another number"
}
