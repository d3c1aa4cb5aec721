toolchain; fetch
# By package, so that nothing else is compiled with optimisation.
cargo bench -p naru-domain -p naru-rehearsal "${LOCKED[@]}" --bench '*' "$@"
