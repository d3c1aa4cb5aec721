# Two watchers: trunk for the assets, and this loop for the server. In development the server reads the assets' index
# at each page, so that a rebuilt stylesheet or WebAssembly only wants a reload.
toolchain; trunk_tools; node_packages; fetch
NARU_SITE=$CARGO_TARGET_DIR/site-watch
trunk watch --dist "$NARU_SITE" &
running=
trap 'kill $(jobs -p) 2>/dev/null' EXIT
newest() { find app server Cargo.toml Cargo.lock -type f -printf '%T@\n' | sort -n | tail -1; }
while :; do
  seen=$(newest)
  if cargo build "${NATIVE[@]}" --bins --tests; then
    [ -n "$running" ] && kill "$running" 2>/dev/null && wait "$running" 2>/dev/null
    "$(binary)" rehearse --listen 127.0.0.1:3000 --site "$NARU_SITE" "$@" &
    running=$!
  fi
  while [ "$(newest)" = "$seen" ]; do sleep 1; done
done
