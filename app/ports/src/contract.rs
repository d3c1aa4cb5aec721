//! The contract suites, one per port.

pub mod cluster;
pub mod metrics;
