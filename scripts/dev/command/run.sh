assets; server
address=127.0.0.1:3000
case " $* " in *" --listen"*) address= ;; esac
say "the rehearsal is at http://${address:-the address given} (Ctrl-C ends it)"
exec "$NARU_BIN" rehearse ${address:+--listen "$address"} --site "$NARU_SITE" "$@"
