assets; server
address=127.0.0.1:3000 listen=(--listen "$address") previous=
for word in "$@"; do
  case $previous:$word in
    --listen:*) address=$word listen=() ;;
    *:--listen=*) address=${word#--listen=} listen=() ;;
  esac
  previous=$word
done
say "the rehearsal is at http://$address (Ctrl-C ends it)"
exec "$NARU_BIN" rehearse "${listen[@]}" --site "$NARU_SITE" "$@"
