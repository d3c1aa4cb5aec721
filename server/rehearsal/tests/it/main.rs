//! The rehearsal, held to the ports' contracts and to its own promises.

mod cluster;
mod knobs;
mod metrics;
mod traffic;
mod world;
