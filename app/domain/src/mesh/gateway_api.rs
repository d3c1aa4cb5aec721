//! Objects of the Gateway API in Istio's own vocabulary, as istiod turns them before it does anything else with them.
//! (istio's `pilot/pkg/config/kube/gateway`.)

mod route;

pub use route::{Translation, origin, virtual_services};

/// Marks an object as made of the Gateway API's, as istiod does.
pub const SEMANTICS: &str = "internal.istio.io/route-semantics";

/// The class whose Gateways istiod serves. Other classes may be its own too, which only a GatewayClass object says.
pub const CLASS: &str = "istio";
