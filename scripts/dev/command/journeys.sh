assets; server
[ $# -gt 0 ] || set -- --project journeys --project no-script --project phone
journeys "$@"
