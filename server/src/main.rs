//! The doorway: see `cli` for the commands.
fn main() {}
