toolchain; trunk_tools; node_packages; browser; fetch
say "ready: $(rustc -V), trunk $TRUNK_VERSION, $CHROMIUM"
