//! The rehearsal, held to the ports' contracts and to its own promises.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod cluster;
mod exposition;
mod guardrail;
mod journal;
mod knobs;
mod mesh;
mod metrics;
mod reports;
mod rollout;
mod sized;
mod stories;
mod time;
mod traffic;
mod world;
