//! The WebAssembly entry: `hydrate()` and nothing else.
