//! The traits through which the inside asks the outside, and the contract suites that hold every adapter to them.
//!
//! Each port has two adapters: the real one, and the rehearsal. Feature `contract` brings one suite per port; both adapters run it.

#![forbid(unsafe_code)]

mod clock;
mod cluster;
mod console;
#[cfg(feature = "contract")]
pub mod contract;
mod inquiries;
mod metrics;
mod rehearsal;
mod tokens;

pub use clock::{Clock, SystemClock};
pub use cluster::{Access, As, Cluster, ClusterError, Seen, Submitted};
pub use console::{Console, Judged, Sheet, Stuck, Surveyed};
pub use inquiries::Inquiries;
#[cfg(feature = "contract")]
pub use inquiries::Nobody;
pub use metrics::Metrics;
pub use rehearsal::Rehearsing;
pub use tokens::{TokenUser, Tokens};
