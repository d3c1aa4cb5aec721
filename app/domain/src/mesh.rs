//! The model of Istio's semantics: what a proxy would do with a configuration. Pure functions over a snapshot's objects; each answer
//! carries its reason, and is `Unknown` where something decides that Naru does not judge. One question, one file. Checks, plans,
//! predictions and the rehearsal all ask here: Istio's rules are written down nowhere else in the house.
//!
//! So far: [`host`] (what a name in a rule means), [`route`] (the rules of a VirtualService and what reaches a subset), [`subset`]
//! (which pods are behind a subset).

pub mod host;
pub mod route;
pub mod subset;

/// The cluster's DNS domain that Istio takes for granted unless told otherwise (`meshConfig.trustDomain` is another matter).
pub const DOMAIN: &str = "cluster.local";

/// Where mesh-wide configuration lives unless told otherwise (`meshConfig.rootNamespace`).
pub const ROOT_NAMESPACE: &str = "istio-system";
