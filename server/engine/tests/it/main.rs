//! The engine on the rehearsal's object store.

mod asking;
mod changes;
mod kills;
mod ledger;
mod observatory;
mod system;
