assets
say "assets: $NARU_SITE"
