assets; server
say "server: $NARU_BIN, assets: $NARU_SITE"
