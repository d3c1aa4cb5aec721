//! What crosses the wire between server and browser: names, wire types, weight arithmetic.
//!
//! The browser links this crate and never the domain, so nothing can reach a page that has not been put into one of these types by
//! the domain's single door (`view`). Everything here is plain data: serde only, no I/O, no clock. Times are milliseconds since the
//! Unix epoch by the *server's* clock.
//!
//! Reading order: [`why`] (why something is unknown or refused), [`source`] (how fresh is what we show), [`topology`], [`canary`],
//! [`order`] (a canary that is moved by steps), [`freeze`], [`change`], [`overview`], [`checklist`], [`mesh`], [`explanation`],
//! [`rehearsal`], [`session`] (who is signed in), [`weights`] (the arithmetic of linked sliders).

#![forbid(unsafe_code)]

pub mod canary;
pub mod change;
pub mod checklist;
pub mod explanation;
pub mod freeze;
pub mod in_force;
pub mod ledger;
pub mod mesh;
pub mod order;
pub mod overview;
pub mod rehearsal;
pub mod session;
pub mod source;
pub mod topology;
pub mod version;
pub mod weights;
pub mod why;

use std::sync::Arc;

/// A Kubernetes or Istio name, shared where it repeats.
pub type Name = Arc<str>;

/// Milliseconds since the Unix epoch, by the server's clock.
pub type Millis = i64;

/// Everything that one viewer may see of one snapshot: what the domain's door lets through. Viewers of equal scope share one.
#[derive(Clone, Debug)]
pub struct View {
    /// Of the snapshot.
    pub version: version::Version,
    /// For the front page.
    pub overview: Arc<overview::Overview>,
    /// For the graph and its table.
    pub topology: Arc<topology::Topology>,
    /// For the canary pages.
    pub canaries: Arc<canary::Canaries>,
    /// For the journal.
    pub changes: Arc<change::Changes>,
    /// For the frame around every page.
    pub standstill: Arc<freeze::Standstill>,
}
