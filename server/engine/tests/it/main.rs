//! The engine on the rehearsal's object store.

mod asking;
mod canaries;
mod changes;
mod freezing;
mod gitops;
mod http_route;
mod import;
mod kills;
mod ledger;
mod observatory;
mod quorum;
mod steer;
mod system;
