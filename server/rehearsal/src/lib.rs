//! A simulated system behind the same ports: object store, world, traffic.

#![forbid(unsafe_code)]

pub mod api;
mod clock;

pub use clock::ManualClock;
