//! Who acts, and what they may see.

use crate::Name;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A person, as their identity provider names them. Identity is `issuer` and `sub`; `name` is for display only, since names and
/// e-mail addresses change hands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Actor {
    /// The identity provider's issuer URL; `naru:loopback` while there is no login.
    pub issuer: Name,
    /// The provider's stable subject.
    pub sub: Name,
    /// Shown to people.
    pub name: Name,
    /// Groups, each impersonated by name; rights in the cluster are given to them.
    pub groups: Arc<[Name]>,
}

impl Actor {
    /// The one fixed actor of a console that only listens on loopback and has no login yet.
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
