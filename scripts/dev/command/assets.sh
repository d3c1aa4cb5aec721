assets "$@"
