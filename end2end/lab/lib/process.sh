# shellcheck shell=bash
# Processes of the lab, each known by a pid file; ended by pid only, never by name.

pid_file() { echo "$NARU_LAB_STATE/pids/$1"; }

# A pid may have been given to somebody else since (a reboot, a long pause): the start time in the file must agree too.
started_at() { awk '{ sub(/.*\) /, ""); print $20 }' "/proc/$1/stat" 2>/dev/null; }

pid_of() {
  local pid start
  read -r pid start 2>/dev/null < "$(pid_file "$1")" || return 1
  [ -n "$start" ] && [ "$(started_at "$pid")" = "$start" ] || return 1
  # A zombie still has its start time but does nothing any more.
  [ "$(awk '{ sub(/.*\) /, ""); print $1 }' "/proc/$pid/stat" 2>/dev/null)" != Z ] || return 1
  echo "$pid"
}

running() { pid_of "$1" >/dev/null; }

# launch NAME COMMAND...: starts it in a session of its own, unless it runs already.
launch() {
  local name=$1 pid
  shift
  running "$name" && return
  mkdir -p "$NARU_LAB_STATE/pids" "$NARU_LAB_STATE/logs"
  setsid "$@" >> "$NARU_LAB_STATE/logs/$name.log" 2>&1 < /dev/null &
  pid=$!
  disown "$pid"
  echo "$pid $(started_at "$pid")" > "$(pid_file "$name")"
}

# end NAME [SIGNAL] [SECONDS]: signals it and waits until it is gone; after the time it is killed outright.
# The wait matters: the API server lingers over open watches, and its port is free only when it is gone.
end() {
  local name=$1 signal=${2:-TERM} seconds=${3:-10} pid i
  pid=$(pid_of "$name") || { rm -f "$(pid_file "$name")"; return 0; }
  kill -"$signal" "$pid" 2>/dev/null
  for (( i = 0; i < seconds * 20; i++ )); do
    running "$name" || break
    sleep 0.05
  done
  if running "$name"; then kill -KILL "$pid" 2>/dev/null; while running "$name"; do sleep 0.05; done; fi
  rm -f "$(pid_file "$name")"
}
