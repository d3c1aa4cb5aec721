//! The engine on the rehearsal's object store.

mod changes;
mod kills;
mod observatory;
mod system;
