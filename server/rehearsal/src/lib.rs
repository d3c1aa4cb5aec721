//! A simulated system behind the same ports: what `naru rehearse` and `./dev run` start, and what tests stand on.
//!
//! ```text
//! scenario ─► world (manifests, and what a cluster makes of them) ─► api (object store) ─ Cluster ─►
//!          ├► demand ─► traffic (requests along the present routes ─► counters ─► samples) ─ Metrics ─►
//!          └► story ──► run (goals and harms, judged each second of the traffic)
//! ```
//!
//! Deliberately absent: background tasks, wall time, randomness that a seed does not decide. Time is caught up with when somebody asks,
//! so that a [`ManualClock`] drives all of it. Nor is there a second model of Istio: routes are chosen by `naru_domain::mesh`.

#![forbid(unsafe_code)]

pub mod api;
mod clock;
mod draw;
mod rehearsal;
pub mod run;
pub mod scenario;
pub mod story;
pub mod time;
pub mod traffic;
pub mod world;

pub use clock::ManualClock;
pub use rehearsal::{Rehearsal, Settings};
pub use run::Run;
