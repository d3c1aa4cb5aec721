//! What the system is, where it goes, and what counts as done: the one `Migration` object of a cluster.
//!
//! Everything that only the team can know is said here, so that no check guesses. What is left out makes the checks that need it Unknown.

use super::OwnItems;
use crate::{
    Name,
    object::{Kind, Object},
    snapshot::Objects,
};
use serde::{Deserialize, Serialize};

/// `spec` of a Migration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Migration {
    /// The system's name, for people.
    pub system: Name,
    /// How the outside comes in.
    pub edge: Option<Edge>,
    /// The service that the edge leads to, and that goes first into the mesh (item 2.1): a Kubernetes Service.
    pub entry: Option<Place>,
    /// The other services, in the order in which they go into the mesh (item 2.2).
    pub services: Vec<Place>,
    /// Who calls whom, as the team knows it (item 2.3).
    pub calls: Vec<Call>,
    /// The identity provider, if the system has one.
    pub identity: Option<Identity>,
    /// What the system promises.
    pub objectives: Objectives,
    /// How long a service must have been well after its injection before the next goes; a duration such as `24h`.
    pub soak: Name,
    /// The longest interval at which a batch job calls: refused callers are looked for over so long; a duration such as `720h`.
    pub batch_cycle: Name,
    /// Items whose signature wants a second person.
    pub two_people: Vec<Name>,
    /// Who would give a new version more than so many percent of a rule's requests proposes it, and another person carries it out; 0 to 100.
    /// One person is enough if left out.
    pub quorum_above: Option<u32>,
    /// How long a signed item's state must have been unwell before the item is open again; a duration such as `10m`, which is also what
    /// holds if it is left out. What is written wrongly opens it at once.
    pub reopen_after: Name,
    /// Items of the team's own, beside the sixteen.
    pub items: OwnItems,
}

/// A namespace and a name in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Place {
    /// The namespace.
    pub namespace: Name,
    /// The name.
    pub name: Name,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// How the outside comes in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Edge {
    /// Hosts under which the system is asked for from outside.
    pub hosts: Vec<Name>,
    /// The workload of the old ingress controller.
    pub ingress: Option<Place>,
    /// The Service of the Istio gateway.
    pub gateway: Option<Place>,
    /// Where TLS ends.
    pub tls: Option<Tls>,
    /// Proxies between the client and the Istio gateway that set `X-Forwarded-For`; the gateway's `numTrustedProxies` must be the same.
    pub trusted_hops: Option<u32>,
    /// How it went at the old ingress before anything was moved, at a usual hour: what must not get worse.
    pub baseline: Option<Baseline>,
}

/// What was measured at the edge before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// The share of requests that succeeded, 0 to 1.
    pub success: f64,
    /// The mean duration of a request, in milliseconds.
    pub mean_ms: f64,
}

/// Where TLS from outside ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// At the old ingress, which goes on in plaintext.
    Terminate,
    /// At the old ingress, which goes on in TLS of its own to the gateway.
    ReEncrypt,
    /// At the Istio gateway: the old ingress passes bytes on.
    Passthrough,
}

/// One workload calls one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// The calling workload.
    pub from: Place,
    /// The called Service.
    pub to: Place,
    /// The Service's port; the only one if left out.
    #[serde(default)]
    pub port: Option<u16>,
    /// The longest time between two calls; a duration such as `24h`. Calls are steady if left out.
    #[serde(default)]
    pub period: Name,
    /// A path that the call asks for, where it speaks HTTP; `/` if left out, and then a rule that takes other paths only tells nothing.
    #[serde(default)]
    pub path: Name,
}

/// The identity provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Identity {
    /// The host of its issuer.
    pub host: Name,
    /// Path prefixes at that host that are its own, such as `/realms`.
    pub paths: Vec<Name>,
    /// Its Service in the cluster; none if it is elsewhere.
    pub service: Option<Place>,
}

/// What the system promises.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Objectives {
    /// The least share of requests that succeed, 0 to 1.
    pub success: f64,
}

impl Default for Objectives {
    /// 99.9 % of requests succeed.
    fn default() -> Self {
        Self { success: 0.999 }
    }
}

/// The Migration cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its name.
    pub name: Name,
    /// What is wrong, in the parser's words.
    pub detail: Name,
}

impl Migration {
    /// Reads `spec`.
    ///
    /// # Errors
    /// A field of another type than it should be.
    pub fn read(object: &Object) -> Result<Self, Unreadable> {
        let spec = object.get("/spec").cloned().unwrap_or_default();
        serde_json::from_value(spec).map_err(|error| Unreadable {
            name: object.key().name.clone(),
            detail: error.to_string().into(),
        })
    }

    /// The cluster's Migration: the first by name; None if there is none.
    ///
    /// # Errors
    /// See [`read`](Self::read).
    pub fn of(objects: &Objects) -> Result<Option<(&Object, Self)>, Unreadable> {
        let first = objects.of_kind(Kind::Migration).next();
        first.map(|object| Ok((object, Self::read(object)?))).transpose()
    }

    /// The entry and the other services, the entry first.
    pub fn all_services(&self) -> impl Iterator<Item = &Place> {
        self.entry.iter().chain(&self.services)
    }
}

#[cfg(test)]
mod tests {
    use super::{Migration, Tls};
    use crate::object::{Kind, Object};
    use serde_json::json;

    fn read(spec: &serde_json::Value) -> Result<Migration, super::Unreadable> {
        let json = json!({"metadata": {"name": "m"}, "spec": spec});
        Migration::read(&Object::new(Kind::Migration, json).unwrap())
    }

    #[test]
    fn what_is_left_out_is_not_guessed() {
        let empty = read(&json!({})).unwrap();
        assert_eq!((empty.edge.clone(), empty.entry.clone()), (None, None));
        let edge = read(&json!({"edge": {"hosts": ["a.example"], "tls": "re-encrypt"}}))
            .unwrap()
            .edge;
        let edge = edge.unwrap();
        assert_eq!((edge.tls, edge.trusted_hops), (Some(Tls::ReEncrypt), None));
    }

    #[test]
    fn a_wrong_type_is_told() {
        for spec in [
            json!({"services": 3}),
            json!({"edge": {"tls": "perhaps"}}),
            json!("x"),
        ] {
            assert!(!read(&spec).unwrap_err().detail.is_empty(), "{spec}");
        }
    }
}
