if [ "${1:-}" = all ]; then
  say "removing $NARU_CACHE"
  rm -rf "$NARU_CACHE" node_modules
else
  say "removing $CARGO_TARGET_DIR"
  rm -rf "$CARGO_TARGET_DIR"
fi
