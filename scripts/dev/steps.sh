# A test run is a list of steps. Each is counted by what its own runner counted; a step that fails without having counted
# a failure counts as one. The rest still runs, so that one run tells everything.
# shellcheck shell=bash

PASSED=0 FAILED=0 BROKEN=()

# step NAME REMEDY COMMAND…
step() {
  local name=$1 remedy=$2 start=$SECONDS log ok=0 passed failed; shift 2
  log=$NARU_OUT/${name//[^a-zA-Z0-9]/-}.log
  say "$name …"
  within "${NARU_STEP_MINUTES:-30}" "$@" </dev/null >"$log" 2>&1 || ok=$?
  read -r passed failed < <(counted "$log")
  [ "$ok" = 0 ] || [ "$failed" -gt 0 ] || failed=1
  PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed))
  local took=$((SECONDS - start)) tests=
  [ "$passed" = 0 ] || tests=", $passed passed"
  if [ "$failed" -gt 0 ]; then
    BROKEN+=("$name: $remedy")
    tail -n "${NARU_TAIL:-120}" "$log" >&2
    printf '\033[1;31m✗ %s\033[0m (%s s%s, %s failed)\n  %s\n  all of it: %s\n' "$name" "$took" "$tests" "$failed" "$remedy" "$log" >&2
    return 1
  fi
  printf '\033[1;32m✓\033[0m %s (%s s%s)\n' "$name" "$took" "$tests" >&2
}

# within MINUTES COMMAND…: in a process group of its own, ended as a whole when the time is up: what hangs is a failure too.
within() {
  local minutes=$1 job watch ok=0; shift
  set -m
  ( "$@" ) & job=$!
  ( sleep $((minutes * 60)); echo "not done after $minutes minutes: ended"; kill -- -$job ) & watch=$!
  set +m
  trap 'kill -- -$job -$watch; exit 130' INT TERM
  wait $job || ok=$?
  trap - INT TERM
  kill -- -$watch 2>/dev/null || true
  wait $watch 2>/dev/null || true
  return $ok
}

# counted LOG: what cargo's test harness, Playwright and the lab's checks say that they counted: PASSED FAILED.
counted() {
  sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
    /^test result: / { for (i = 2; i <= NF; i++) { if ($i == "passed;") p += $(i-1); if ($i == "failed;") f += $(i-1) } }
    /^ +[0-9]+ passed( |$)/  { p += $1 }
    /^ +[0-9]+ failed$/      { f += $1 }
    /^ +[0-9]+ (flaky|interrupted|did not run)$/ { f += $1 }
    /^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3 }
    /^[0-9]+ agreed, [0-9]+ differ, [0-9]+ known$/ { p += $1; f += $3 }
    END { print p + 0, f + 0 }'
}

# summary WHAT: the last lines of a run; its exit status is the run's.
summary() {
  local line
  for line in "${BROKEN[@]+"${BROKEN[@]}"}"; do printf '\033[1;31m✗\033[0m %s\n' "$line" >&2; done
  [ -z "${NARU_TALLY:-}" ] || echo "$PASSED $FAILED" >>"$NARU_TALLY"
  say "$1: $((SECONDS / 60)) min $((SECONDS % 60)) s"
  echo "$PASSED passed, $FAILED failed"
  [ "$FAILED" = 0 ]
}
