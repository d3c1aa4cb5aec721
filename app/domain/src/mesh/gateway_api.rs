//! Objects of the Gateway API in Istio's own vocabulary, as istiod turns them before it does anything else with them.
//! (istio's `pilot/pkg/config/kube/gateway`.)

pub(crate) mod backend;
mod filter;
mod grant;
mod listener;
mod route;
mod rule;
pub mod weights;

pub use listener::{CLASS, Front, fronts, listener_of};
pub use route::{Translation, origin, virtual_services};

use crate::{Name, Why, object::Object, snapshot::Objects};

/// Marks an object as made of the Gateway API's, as istiod does.
pub const SEMANTICS: &str = "internal.istio.io/route-semantics";

/// Stands before namespace and name of a Secret that a listener's certificate is in. (`KubernetesGatewaySecretTypeURI` in istio.)
pub const SECRET: &str = "kubernetes-gateway://";

/// The Gateway API's group.
const GROUP: &str = "gateway.networking.k8s.io";

/// What Gateways and the HTTPRoutes that are attached to them come to.
#[derive(Clone, Debug, Default)]
pub struct AtGateways {
    /// Gateways, with what is said of the Services in front of them.
    pub fronts: Vec<Front>,
    /// VirtualServices of their listeners.
    pub virtual_services: Vec<Object>,
    /// Listeners, as `namespace/name`, and the HTTPRoutes for them that are not judged.
    pub unjudged: Vec<(Name, Why)>,
}

/// Gateways of Istio's class and their HTTPRoutes.
pub fn at_gateways(objects: &Objects) -> AtGateways {
    let fronts = fronts(objects);
    let listeners: Vec<listener::Listener> = fronts.iter().flat_map(|it| it.listeners.clone()).collect();
    let translation = if listeners.is_empty() {
        Translation::default()
    } else {
        route::at_listeners(objects, &listeners)
    };
    AtGateways {
        fronts,
        virtual_services: translation.virtual_services,
        unjudged: translation.unjudged,
    }
}
