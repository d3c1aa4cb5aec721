//! The contract suites, one per port.

pub mod cluster;
