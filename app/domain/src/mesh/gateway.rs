//! What gateways serve, and what a gateway does with a request.
//!
//! Several Gateways that select one proxy are merged into one, oldest first: [`merged`] says which servers stand and which are passed over.
//! [`serves`] says what one Gateway object really serves.

mod chain;
mod choose;
pub(in crate::mesh) mod edge;
mod merge;
pub mod names;
mod rules;
mod server;
mod serves;
#[cfg(test)]
mod tests;
mod virtual_host;

pub use choose::{Asked, Rules, by_rules};
pub use merge::{Group, Merged, Placed, Skip, Skipped, Target, merged, selects};
pub use server::{Mode, Server, Speaks, Tls, servers};
pub use serves::{Reach, Served, Serving, ServingPod, bound, serves};

use super::{
    Mesh, Proxy,
    route::{Choice, Request},
};

/// What a gateway does with a request at a server's port; see [`by_rules`].
pub fn choose(mesh: &Mesh<'_>, proxy: &Proxy, request: &Request) -> Choice {
    by_rules(mesh, proxy, request, &rules::Own::of(mesh, proxy))
}
