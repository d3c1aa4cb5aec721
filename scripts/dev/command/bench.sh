toolchain; fetch
cargo bench --workspace --exclude naru-browser "${LOCKED[@]}" --benches "$@"
