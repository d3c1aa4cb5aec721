toolchain >&2
cat "$NARU_CACHE/toolchain/env"
for name in NARU_CACHE CARGO_TARGET_DIR NARU_SITE; do printf 'export %s=%q\n' $name "${!name}"; done
# shellcheck disable=SC2016
printf 'export PATH=%q:"$PATH"\n' "$NARU_CACHE/tools/bin:$NARU_ROOT/node_modules/.bin"
