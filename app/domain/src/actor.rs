//! Who acts, and what they may see.

use crate::Name;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The groups that Naru's own roles are given to (`k8s/base/rbac.yaml`).
pub const GROUPS: [&str; 5] = [
    "naru:viewer",
    "naru:service-team",
    "naru:operator",
    "naru:security-officer",
    "naru:platform-admin",
];

/// Whether a group is one of Kubernetes' own (`system:masters` and the like). Nobody gets one through Naru, whatever a provider or RBAC
/// says: `system:masters` passes every check of the API server
/// (<https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings>).
pub fn reserved(group: &str) -> bool {
    let group = group.trim_start();
    group
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("system:"))
}

/// A person, as their identity provider names them. Identity is `issuer` and `sub`; `name` is for display only, since names and
/// e-mail addresses change hands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Actor {
    /// The identity provider's issuer URL; `naru:loopback` without a login, `kubernetes` for users whom the cluster itself knows.
    pub issuer: Name,
    /// The provider's stable subject.
    pub sub: Name,
    /// Shown to people.
    pub name: Name,
    /// Groups, each impersonated by name; rights in the cluster are given to them.
    pub groups: Arc<[Name]>,
}

/// The issuer of users that the cluster itself knows: of tokens of its own, and of kubeconfigs. `k8s/base/admission.yaml` knows it too.
pub const CLUSTER: &str = "kubernetes";

/// Naru itself, as the API server calls its ServiceAccount. The policies in `k8s/base` know it too.
pub const NARU: &str = "system:serviceaccount:naru:naru";

impl Actor {
    /// Whoever a kubeconfig names: `user` is what the API server calls them. Their groups are the API server's business and are not kept.
    pub fn of_cluster(user: &Name) -> Self {
        Self {
            issuer: CLUSTER.into(),
            sub: user.clone(),
            name: user.clone(),
            groups: Arc::from([]),
        }
    }

    /// The one fixed actor of a console that only listens on loopback and has no login.
    pub fn loopback() -> Self {
        Self {
            issuer: "naru:loopback".into(),
            sub: "operator".into(),
            name: "operator".into(),
            groups: Arc::from([Name::from("naru:operator")]),
        }
    }
}

/// What a viewer may see: namespaces by name. Equal scopes share one encoded view.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// None: all namespaces.
    pub namespaces: Option<Arc<[Name]>>,
}

impl Scope {
    /// Sees everything.
    pub fn all() -> Self {
        Self { namespaces: None }
    }

    /// Whether this namespace may be seen. What has no namespace (unknown callers) may.
    pub fn sees(&self, namespace: &str) -> bool {
        namespace.is_empty()
            || self
                .namespaces
                .as_ref()
                .is_none_or(|names| names.iter().any(|name| &**name == namespace))
    }
}

#[cfg(test)]
mod tests {
    use super::{GROUPS, reserved};

    #[test]
    fn groups_of_kubernetes_are_known_however_they_are_written() {
        for group in [
            "system:masters",
            "SYSTEM:masters",
            "system:",
            " system:nodes",
            "System:x",
        ] {
            assert!(reserved(group), "{group}");
        }
        for group in [
            "naru:operator",
            "system",
            "systems:x",
            "",
            "한국:x",
            "a system:masters",
        ] {
            assert!(!reserved(group), "{group}");
        }
        assert!(!GROUPS.into_iter().any(reserved));
    }
}
