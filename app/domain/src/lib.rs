//! The pure heart of Naru: values in, values out. No async, no clock, no I/O; time is an argument.
//!
//! ```text
//! Fact ─► Snapshot ─► mesh (what a proxy would do) ─► topology · canary · change::plan ─► view() ─► page, stream, script
//! ```
//!
//! Reading order: [`object`] (lossless JSON, keys, guarded writes), [`fact`] (what is kept of kinds that are never edited),
//! [`snapshot`], [`traffic`], [`mesh`] (the model of Istio's semantics), [`topology`], [`crossing`] (what is to be done), [`judge`] (how far it
//! is, by checks), [`promql`] (what people may ask Prometheus), [`change`], [`view`] (the only door out).
//!
//! Glossary, in the field's own words: a *workload* is what owns pods (Deployment, mostly); a *subset* is a DestinationRule's named
//! label selection; an *edge* joins caller and called; the *reporter* is the proxy that counted (source: the caller's, destination:
//! the called side's); a *principal* is the SPIFFE identity under mutual TLS; a *revision* is an installed istiod.

#![forbid(unsafe_code)]

pub mod actor;
pub mod canary;
pub mod change;
pub mod crossing;
#[cfg(test)]
mod example;
pub mod fact;
pub mod freeze;
pub mod inquiry;
pub mod judge;
pub mod manifests;
pub mod mesh;
pub mod object;
pub mod promql;
pub mod snapshot;
pub mod survey;
pub mod topology;
pub mod traffic;
pub mod view;
pub mod workload;

pub use jiff::Timestamp;
pub use naru_view::{
    Name,
    why::{Refused, Risk, SourceName, Why},
};
