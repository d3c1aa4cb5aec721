//! Which `Sidecar` limits a proxy, and to what.

use super::{
    name,
    registry::{Registered, Spoken},
};
use crate::{
    Name,
    mesh::{Mesh, Proxy},
    object::{Kind, Object},
};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// The Sidecar that applies: of the proxy's namespace the oldest that selects it, then the oldest without a selector; else the root
/// namespace's oldest without a selector. (`initSidecarScopes` and `doGetSidecarScope` in istio's `pilot/pkg/model`.)
pub(crate) fn applying<'a>(mesh: &Mesh<'a>, proxy: &Proxy) -> Option<&'a Object> {
    let all = mesh.oldest_first(Kind::Sidecar);
    let selector = |it: &&Object| it.get("/spec/workloadSelector").is_some_and(|it| !it.is_null());
    let here = |it: &&Object| it.key().namespace == proxy.namespace;
    let selects = |it: &&Object| {
        selector(it)
            && proxy.selected_by(&crate::mesh::unjudged::labels(
                it,
                "/spec/workloadSelector/labels",
            ))
    };
    let root = |it: &&Object| it.key().namespace == mesh.config.root_namespace && !selector(it);
    let find = |wanted: &dyn Fn(&&Object) -> bool| all.iter().find(|it| wanted(it)).copied();
    find(&|it| here(it) && selects(it))
        .or_else(|| find(&|it| here(it) && !selector(it)))
        .or_else(|| find(&root))
}

/// An egress listener.
#[derive(Clone, Debug, Default)]
pub(crate) struct Egress {
    /// Its own port, with what is spoken there; None for all other ports.
    pub(crate) port: Option<(u16, Spoken)>,
    /// It binds or captures in its own way, which is not judged.
    pub(crate) odd: bool,
    imports: BTreeMap<Name, Imports>,
}

#[derive(Clone, Debug, Default)]
struct Imports {
    hosts: Vec<Name>,
    excluded: Vec<Name>,
}

/// Egress listeners in order; without any, one that takes in everything.
pub(crate) fn egress(sidecar: Option<&Object>, namespace: &str) -> Vec<Egress> {
    let listeners = sidecar.map_or(&[][..], |it| it.list("/spec/egress"));
    let all: Vec<Egress> = listeners.iter().map(|it| listener(it, namespace)).collect();
    if all.is_empty() {
        return vec![listener(&serde_json::json!({"hosts": ["*/*"]}), namespace)];
    }
    all
}

fn listener(json: &Value, namespace: &str) -> Egress {
    let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str).unwrap_or("");
    let number = json.pointer("/port/number").and_then(Value::as_u64);
    let has_port = json.get("port").is_some_and(|it| !it.is_null());
    let mut egress = Egress {
        port: number
            .and_then(|it| u16::try_from(it).ok())
            .map(|it| (it, Spoken::parse(text("/port/protocol")))),
        odd: !text("/bind").is_empty()
            || text("/captureMode") == "NONE"
            || text("/port/protocol").eq_ignore_ascii_case("http_proxy")
            || has_port && number.is_none_or(|it| it == 0),
        imports: BTreeMap::new(),
    };
    let hosts = json.get("hosts").and_then(Value::as_array).into_iter().flatten();
    for host in hosts.filter_map(Value::as_str) {
        let Some((space, name)) = host.split_once('/').filter(|(_, name)| !name.contains('/')) else {
            continue;
        };
        let (space, excluded) = match space.strip_prefix('~') {
            Some("") => ("*", true),
            Some(space) => (space, true),
            None => (space, false),
        };
        let space = if space == "." { namespace } else { space };
        let imports = egress.imports.entry(space.into()).or_default();
        if excluded {
            &mut imports.excluded
        } else {
            &mut imports.hosts
        }
        .push(name.into());
    }
    egress
}

impl Egress {
    fn excluded(&self, space: &str, host: &str) -> bool {
        [space, "*"]
            .iter()
            .filter_map(|it| self.imports.get(*it))
            .any(|it| it.excluded.iter().any(|out| name::subset_of(host, out)))
    }

    fn takes(&self, space: &str, fits: impl Fn(&str) -> bool) -> bool {
        [space, "*"]
            .iter()
            .filter_map(|it| self.imports.get(*it))
            .any(|it| it.hosts.iter().any(|host| fits(host)))
    }

    /// Whether it takes in a host of the registry. (`selectServices` in istio's `pilot/pkg/model`.)
    pub(crate) fn imports_service(&self, service: &Registered) -> bool {
        !self.excluded(&service.namespace, &service.host)
            && self.takes(&service.namespace, |host| name::subset_of(&service.host, host))
    }

    /// Whether it takes in a VirtualService of a namespace by any of its hosts; a wildcard overlaps both ways.
    /// (`SelectVirtualServices` in istio's `pilot/pkg/model`.)
    pub(crate) fn imports_rule(&self, space: &str, hosts: &[Name]) -> bool {
        hosts
            .iter()
            .any(|own| !self.excluded(space, own) && self.takes(space, |host| name::matches(own, host)))
    }

    /// The services that it takes in; of one host the namespace's own, else a Kubernetes Service's, else the first.
    pub(crate) fn services(&self, seen: &[Arc<Registered>], namespace: &str) -> Vec<Arc<Registered>> {
        let mut taken: Vec<Arc<Registered>> = seen
            .iter()
            .filter(|it| self.imports_service(it))
            .cloned()
            .collect();
        if let Some((number, _)) = self.port {
            taken.retain(|it| it.port(number).is_some());
            taken
                .iter_mut()
                .for_each(|it| Arc::make_mut(it).ports.retain(|(port, _)| *port == number));
        }
        let mut place: BTreeMap<Name, (Name, bool)> = BTreeMap::new();
        for it in &taken {
            let is = (it.namespace.clone(), it.kubernetes());
            match place.get(&it.host) {
                Some((space, kubernetes))
                    if !(*it.namespace == *namespace
                        || !kubernetes && it.kubernetes() && **space != *namespace) => {}
                _ => drop(place.insert(it.host.clone(), is)),
            }
        }
        taken.retain(|it| {
            place
                .get(&it.host)
                .is_some_and(|(space, _)| *space == it.namespace)
        });
        taken
    }
}
