//! What gateways serve, and what a gateway does with a request.
//!
//! Several Gateways that select one proxy are merged into one, oldest first: [`merged`] says which servers stand and which are passed over.
//! [`serves`] says what one Gateway object really serves.

mod choose;
mod merge;
pub mod names;
mod server;
mod serves;

pub use choose::{Asked, Rules, choose};
pub use merge::{Group, Merged, Placed, Skip, Skipped, Target, merged, selects};
pub use server::{Mode, Server, Speaks, Tls, servers};
pub use serves::{Reach, Served, Serving, ServingPod, bound, serves};
