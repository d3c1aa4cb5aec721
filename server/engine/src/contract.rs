//! What must hold when a server dies or falls asleep in the middle of a change: before or after, never half; the journal true; nothing
//! written twice; a server that wakes up late changes nothing. The same properties run on the rehearsal and on a real API server.
//!
//! Time is the machine's here, with a grace of half a second in the place of a minute: a real API server cannot be hand-wound.

mod killing;
mod trial;

pub use killing::{Killing, Moment};
pub use trial::{Outcome, Trial};

use naru_domain::Name;
use naru_ports::{Cluster, Metrics};
use naru_view::canary::RouteRef;
use std::sync::Arc;

/// A system with a VirtualService of two weighted destinations that both have ready pods.
pub trait Subject: Send + Sync {
    /// The API, as Naru reaches it.
    fn cluster(&self) -> Arc<dyn Cluster>;

    /// Metrics; what they say does not matter here.
    fn metrics(&self) -> Arc<dyn Metrics>;

    /// The weighted rule.
    fn route(&self) -> RouteRef;

    /// Where the recovery's Lease may lie.
    fn lease_namespace(&self) -> Name;
}

/// More API calls than a change makes; the suites end when the change comes to its end before the call.
const CALLS: u32 = 100;

/// A kill before and after every API call of a change, all of them. Returns how many kills there were.
///
/// # Panics
/// If anything was left half done, written twice, or told falsely by the journal.
pub async fn a_kill_at_every_call(subject: &dyn Subject) -> u32 {
    let mut kills = 0;
    for call in 0..CALLS {
        for moment in [Moment::before(call), Moment::after(call)] {
            match Trial::new(subject).killed_at(moment).await {
                Some(_) => kills += 1,
                None => return kills,
            }
        }
    }
    panic!("the change made more than {CALLS} calls");
}

/// A server that falls asleep before each API call of a change in turn, and wakes up after another has recovered. Returns how often.
///
/// # Panics
/// If the sleeper changed anything when it woke up.
pub async fn a_sleeper_changes_nothing(subject: &dyn Subject) -> u32 {
    for call in 0..CALLS {
        if Trial::new(subject).asleep_before(call).await.is_none() {
            return call;
        }
    }
    panic!("the change made more than {CALLS} calls");
}
