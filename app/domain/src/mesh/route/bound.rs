//! VirtualServices as istiod reads them, and which of them are bound for a proxy: names in full, delegates merged in, in the order in
//! which they win.

use super::{delegate, matching::gateway};
use crate::{
    Name,
    mesh::{
        Decider, Mesh, age, gateway_api, host,
        host::registry::{effective, exported, names},
    },
    object::{Key, Kind, Object},
};
use serde_json::Value;
use std::sync::Arc;

/// A VirtualService with hosts.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) key: Key,
    /// Full names, in lower case.
    pub(crate) hosts: Vec<Name>,
    /// Full names: `mesh`, `namespace/name`.
    pub(crate) gateways: Vec<Name>,
    export_to: Vec<Name>,
    /// It is made of HTTPRoutes: for callers of its own namespace, and for services of it.
    pub(crate) gateway_api: bool,
    pub(crate) http: Vec<Rule>,
    pub(crate) tls: Vec<Rule>,
    pub(crate) tcp: Vec<Rule>,
}

impl Bound {
    /// Whether any of its rules is for callers of some labels only.
    pub(crate) fn asks_labels(&self) -> bool {
        let rules = self.http.iter().chain(&self.tls).chain(&self.tcp);
        rules.flat_map(Rule::blocks).any(|block| {
            let labels = block.get("sourceLabels").and_then(Value::as_object);
            labels.is_some_and(|it| !it.is_empty())
        })
    }
}

/// A rule of it, or of a delegate.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// Names of destinations and gateways in it are full.
    pub(crate) json: Value,
    /// The object that it is written in, and its position there.
    pub(crate) at: (Key, u32),
    /// The reasons: the rule itself, then what delegated to it.
    pub(crate) deciders: Vec<Decider>,
}

impl Rule {
    /// Its `match` blocks.
    pub(crate) fn blocks(&self) -> &[Value] {
        self.json
            .get("match")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}

/// All that have hosts, those made of HTTPRoutes too, oldest first. Those without are delegates. (`mergeVirtualServices` in istio's
/// `pilot/pkg/model`.)
pub(crate) fn all(mesh: &Mesh<'_>) -> Vec<Bound> {
    let made = &mesh.translation().virtual_services;
    let written = mesh.objects.of_kind(Kind::VirtualService);
    let mut objects: Vec<&Object> = written.chain(made).collect();
    objects.sort_by(|a, b| age(a).cmp(&age(b)));
    objects
        .into_iter()
        .filter(|it| !it.list("/spec/hosts").is_empty())
        .map(|it| read(mesh, it))
        .collect()
}

fn read(mesh: &Mesh<'_>, object: &Object) -> Bound {
    let space = &object.key().namespace;
    let full = |name: &Name| host::fqdn(name, space);
    let gateways: Vec<Name> = super::gateways(object)
        .iter()
        .map(|it| gateway(it, space))
        .collect();
    Bound {
        key: object.key().clone(),
        hosts: super::hosts(object)
            .iter()
            .map(|it| full(it).to_lowercase().into())
            .collect(),
        gateways,
        gateway_api: object.annotation(gateway_api::SEMANTICS).is_some(),
        export_to: export_to(mesh, object),
        http: object
            .list("/spec/http")
            .iter()
            .enumerate()
            .flat_map(|(index, json)| http(mesh, object, index, json))
            .collect(),
        tls: rules(object, "tls"),
        tcp: rules(object, "tcp"),
    }
}

fn export_to(mesh: &Mesh<'_>, object: &Object) -> Vec<Name> {
    effective(
        names(object.list("/spec/exportTo")),
        &mesh.config.virtual_service_export_to,
    )
}

fn rules(object: &Object, kind: &str) -> Vec<Rule> {
    let list = object.list(&format!("/spec/{kind}")).iter().enumerate();
    list.map(|(index, json)| rule(object, kind, index, resolved(json, &object.key().namespace)))
        .collect()
}

fn rule(object: &Object, kind: &str, index: usize, json: Value) -> Rule {
    let (at, deciders) = written(object, kind, index);
    Rule { json, at, deciders }
}

/// Where a rule was written, and why it stands where it does: one that is made of another object's is told by that.
pub(crate) fn written(object: &Object, kind: &str, index: usize) -> ((Key, u32), Vec<Decider>) {
    let own = Decider::of(object, format!("/spec/{kind}/{index}"));
    let made = (kind == "http")
        .then(|| gateway_api::origin(object, index))
        .flatten();
    let Some((key, at)) = made else {
        let at = (object.key().clone(), u32::try_from(index).unwrap_or(u32::MAX));
        return (at, vec![own]);
    };
    let list = if key.kind == Kind::HttpRoute {
        "rules"
    } else {
        "http"
    };
    let mut deciders = vec![Decider {
        key: key.clone(),
        path: format!("/spec/{list}/{at}").into(),
    }];
    let root = object.get(&format!("/spec/http/{index}/origin/root"));
    if let Some(root) = root.and_then(Value::as_u64) {
        deciders.push(Decider::of(object, format!("/spec/http/{root}")));
    }
    ((key, at), deciders)
}

/// A VirtualService with its delegates' rules in the place of its own; None where it has no delegates. (`mergeVirtualServices` in istio's
/// `pilot/pkg/model`.)
pub(crate) fn undelegated(mesh: &Mesh<'_>, object: &Object) -> Option<Object> {
    let written = object.list("/spec/http");
    written
        .iter()
        .find(|it| it.get("delegate").is_some_and(|it| !it.is_null()))?;
    let mut rules = Vec::new();
    for (index, json) in written.iter().enumerate() {
        for rule in http(mesh, object, index, json) {
            let (key, at) = &rule.at;
            let mut json = rule.json;
            if let Some(json) = json.as_object_mut() {
                let origin = serde_json::json!({"kind": "VirtualService", "namespace": key.namespace, "name": key.name, "rule": at});
                json.insert("origin".into(), origin);
                if rule.deciders.len() > 1 {
                    json["origin"]["root"] = Value::from(index);
                }
            }
            rules.push(json);
        }
    }
    let mut json = object.json().clone();
    *json.pointer_mut("/spec/http")? = Value::Array(rules);
    Object::new(Kind::VirtualService, json).ok()
}

/// A rule, or those of the delegate that it names: one that is not there, has hosts of its own, or is not exported here gives none.
fn http(mesh: &Mesh<'_>, object: &Object, index: usize, json: &Value) -> Vec<Rule> {
    let space = &object.key().namespace;
    let own = rule(object, "http", index, resolved(json, space));
    let Some(to) = json.get("delegate").filter(|it| !it.is_null()) else {
        return vec![own];
    };
    let text = |name: &str| to.get(name).and_then(Value::as_str).unwrap_or("");
    let namespace = if text("namespace").is_empty() {
        space
    } else {
        text("namespace")
    };
    let found = mesh.objects.object(Kind::VirtualService, namespace, text("name"));
    let found = found
        .filter(|it| it.list("/spec/hosts").is_empty() && exported(&export_to(mesh, it), namespace, space));
    let Some(found) = found else {
        return Vec::new();
    };
    let theirs: Vec<Value> = found
        .list("/spec/http")
        .iter()
        .map(|it| resolved(it, namespace))
        .collect();
    let merged = delegate::merge(&own.json, &theirs).into_iter();
    merged
        .map(|(position, json)| {
            let mut rule = rule(found, "http", position as usize, json);
            rule.deciders.extend(own.deciders.clone());
            rule
        })
        .collect()
}

/// A rule with the names of its destinations and gateways in full. (`ResolveVirtualServiceShortnames` in istio's `pilot/pkg/model`.)
pub(crate) fn resolved(json: &Value, space: &str) -> Value {
    let mut json = json.clone();
    let name = |at: Option<&mut Value>| {
        if let Some(at) = at
            && let Some(text) = at.as_str()
        {
            *at = Value::from(&*host::fqdn(text, space));
        }
    };
    name(json.pointer_mut("/mirror/host"));
    for list in ["route", "mirrors"] {
        for it in json
            .get_mut(list)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            name(it.pointer_mut("/destination/host"));
        }
    }
    for block in json
        .get_mut("match")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        for it in block
            .get_mut("gateways")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(text) = it.as_str() {
                *it = Value::from(&*gateway(text, space));
            }
        }
    }
    json
}

/// Those that are bound to `mesh` and exported to a namespace, as a sidecar's: its own private ones first, then those exported to it by
/// name, then its own HTTPRoutes, then everyone's; each oldest first. (`initVirtualServices`, `SelectVirtualServices` and
/// `VirtualServicesForGateway` in istio's `pilot/pkg/model`.)
pub(crate) fn for_sidecars(all: &[Arc<Bound>], namespace: &str) -> Vec<Arc<Bound>> {
    let mut bound: Vec<(u8, &Arc<Bound>)> = all
        .iter()
        .filter(|it| it.gateways.iter().any(|gateway| &**gateway == "mesh"))
        .filter(|it| exported(&it.export_to, &it.key.namespace, namespace))
        .map(|it| match () {
            () if it.export_to.iter().any(|to| &**to == "*") => {
                let own = it.gateway_api && *it.key.namespace == *namespace;
                (if own { 2 } else { 3 }, it)
            }
            () if *it.key.namespace == *namespace => (0, it),
            () => (1, it),
        })
        .collect();
    bound.sort_by_key(|(rank, _)| *rank);
    bound.into_iter().map(|(_, it)| it.clone()).collect()
}
