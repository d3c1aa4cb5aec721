//! Which requests a workload's proxy lets in: `AuthorizationPolicy` and `RequestAuthentication` as istiod turns them into Envoy's filters.
//!
//! The filters run in this order: CUSTOM, the token's check, AUDIT, DENY, ALLOW (`buildHTTPConnectionManager` and `buildCompleteNetworkFilters`
//! in istio's `pilot/pkg/networking/core`), and a request has to pass them all. So a refusal by one is sure even where another is not
//! judged. Switches of istiod (`PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS`, `ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY`) are taken at
//! their defaults. Objects are taken as istiod takes them, whether or not its webhook would have let them in.
//!
//! Not judged, so Unknown: waypoints and ambient mode, what EnvoyFilters and WasmPlugins do to the inbound side, the answer of an external
//! authorizer, `experimental.envoy.filters.*`, a dry-run CUSTOM policy (Envoy enforces its rules in some versions), headers that the proxy
//! itself sets or removes, and whatever a rule asks that the [`Request`] does not say.

mod condition;
mod custom;
mod decide;
mod dropped;
mod jwt;
mod matcher;
mod path;
mod policy;
mod request;
mod rule;
mod seen;
mod tri;
mod trust_domain;

#[cfg(test)]
mod tests;

pub use decide::{Decision, Kind, Verdict, decide};
pub use dropped::{Dropped, Problem, dropped};
pub use policy::{Action, Applied, Policy, policies};
pub use request::{Protocol, Request};
