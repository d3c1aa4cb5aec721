//! Which DestinationRule is in effect for a client.

use crate::{
    Name, Why,
    fact::Labels,
    mesh::{Decider, Mesh, Proxy, host, unjudged},
    object::{Key, Kind, Object},
};
use serde_json::Value;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// A part of an object, and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Part<'a> {
    /// The object that it is of.
    pub key: Key,
    /// JSON pointer to it.
    pub path: String,
    /// What is there.
    pub value: &'a Value,
}

impl<'a> Part<'a> {
    /// The part at a pointer; None where there is nothing, or null.
    pub fn of(object: &'a Object, pointer: &str) -> Option<Self> {
        let value = object.get(pointer).filter(|value| !value.is_null())?;
        Some(Self {
            key: object.key().clone(),
            path: pointer.into(),
            value,
        })
    }

    /// A part of it.
    pub fn at(&self, pointer: &str) -> Option<Self> {
        let value = self.value.pointer(pointer).filter(|value| !value.is_null())?;
        Some(Self {
            key: self.key.clone(),
            path: format!("{}{pointer}", self.path),
            value,
        })
    }

    /// The field as a reason.
    pub fn decider(&self) -> Decider {
        Decider {
            key: self.key.clone(),
            path: self.path.as_str().into(),
        }
    }
}

/// The DestinationRule in effect for a client and a host. It may be merged from several objects.
#[derive(Clone, Debug, PartialEq)]
pub struct Effective<'a> {
    /// The host that it is written for, in full; may be a wildcard.
    pub host: Name,
    /// The objects that it consists of, in the order in which Istio merged them; never empty. The first gives its namespace and its
    /// `workloadSelector`.
    pub rules: Vec<&'a Object>,
    /// Its subsets, in order. Where a name comes twice, the first counts.
    pub subsets: Vec<Defined<'a>>,
    /// `trafficPolicy` of the whole host, from the first object that has one.
    pub policy: Option<Part<'a>>,
}

/// A subset's definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Defined<'a> {
    /// Its name.
    pub name: Name,
    /// Labels that its pods have; none means all pods.
    pub labels: Labels,
    /// The whole definition.
    pub at: Part<'a>,
    /// Its own `trafficPolicy`.
    pub policy: Option<Part<'a>>,
}

impl<'a> Effective<'a> {
    /// The subset of this name.
    pub fn subset(&self, name: &str) -> Option<&Defined<'a>> {
        self.subsets.iter().find(|subset| &*subset.name == name)
    }

    /// The rule as a reason: the host of the first object.
    pub fn decider(&self) -> Option<Decider> {
        self.rules.first().map(|rule| Decider::of(rule, "/spec/host"))
    }

    /// It is for some of its namespace's clients only.
    pub fn selects(&self) -> bool {
        self.rules.first().is_some_and(|rule| selector(rule).is_some())
    }
}

/// The DestinationRule in effect where `proxy` calls a host; `fqdn` is the host's full name. None where there is none.
///
/// The client's own namespace is asked first, then the service's, then the root namespace, and the first that has a rule for the host
/// decides *alone*: a rule in the client's namespace hides the owner's subsets. Within a namespace the most specific host counts, and
/// its rules are merged: the oldest stands, younger ones add subsets of other names, and their `trafficPolicy` if there was none. Rules
/// with different `exportTo` are kept apart. A `workloadSelector` picks clients in the rule's own namespace. (`destinationRule` and
/// `setDestinationRules` in istio's `pilot/pkg/model/push_context.go`, `mergeDestinationRule`, `SidecarScope.DestinationRule`.)
///
/// # Errors
/// Why it cannot be known.
pub fn destination_rule<'a>(
    mesh: &Mesh<'a>,
    proxy: &Proxy,
    fqdn: &str,
) -> Result<Option<Effective<'a>>, Vec<Why>> {
    let gaps: Vec<Why> = mesh
        .config
        .gap
        .clone()
        .into_iter()
        .chain(mesh.objects.gap(Kind::DestinationRule))
        .collect();
    if !gaps.is_empty() {
        return Err(gaps);
    }
    Ok(match owner(mesh, fqdn)? {
        Some(owner) => effective(mesh, proxy, fqdn, &owner),
        None => None,
    })
}

/// The namespace of the service behind a host: the Service's, else the ServiceEntry's. None where nothing is behind it.
fn owner(mesh: &Mesh<'_>, fqdn: &str) -> Result<Option<Name>, Vec<Why>> {
    if let Some(service) = host::service_of(fqdn) {
        return Ok(Some(service.namespace));
    }
    if let Some(gap) = mesh.objects.gap(Kind::ServiceEntry) {
        return Err(vec![gap]);
    }
    let entries = mesh.objects.of_kind(Kind::ServiceEntry).filter(|entry| {
        let hosts = entry.list("/spec/hosts").iter();
        hosts.filter_map(Value::as_str).any(|host| host == fqdn)
    });
    let mut places: BTreeMap<&Name, &Object> = BTreeMap::new();
    for entry in entries {
        places.entry(&entry.key().namespace).or_insert(entry);
    }
    // Which of several is seen is decided by their own exportTo and the client's scope.
    if places.len() > 1 {
        return Err(places.into_values().map(unjudged::named).collect());
    }
    Ok(places.into_keys().next().cloned())
}

/// See [`destination_rule`]; here nothing is unknown.
pub(super) fn effective<'a>(
    mesh: &Mesh<'a>,
    proxy: &Proxy,
    fqdn: &str,
    owner: &str,
) -> Option<Effective<'a>> {
    let root = &*mesh.config.root_namespace;
    let own = if *proxy.namespace == *root {
        Pool::RootAlone
    } else {
        Pool::Local
    };
    if let Some(merged) = candidates(mesh, &proxy.namespace, own, fqdn) {
        return pick(merged, proxy);
    }
    let exported = [owner, root].iter().find_map(|namespace| {
        let mut merged = candidates(mesh, namespace, Pool::Exported, fqdn)?;
        merged.retain(|it| {
            it.exports.is_empty() || it.exports.contains("*") || it.exports.contains(&*proxy.namespace)
        });
        // A more specific rule that this client may not see still hides wildcards of the same namespace, and lets the next namespace try.
        (!merged.is_empty()).then_some(merged)
    });
    pick(exported?, proxy)
}

/// Which of a namespace's rules are looked at.
#[derive(Clone, Copy, PartialEq)]
enum Pool {
    /// Those that its own clients may see.
    Local,
    /// Those that clients elsewhere may see.
    Exported,
    /// The root namespace's rules for itself alone.
    RootAlone,
}

/// Rules that Istio has merged into one.
struct Merged<'a> {
    exports: BTreeSet<&'a str>,
    selector: Option<Labels>,
    rule: Effective<'a>,
}

fn candidates<'a>(mesh: &Mesh<'a>, namespace: &str, pool: Pool, fqdn: &str) -> Option<Vec<Merged<'a>>> {
    let mut rules: Vec<(Name, &Object)> = mesh
        .oldest_first_in(Kind::DestinationRule, namespace)
        .into_iter()
        .filter(|rule| belongs(mesh, rule, pool))
        .map(|rule| (host::fqdn(rule.text("/spec/host"), namespace), rule))
        .collect();
    let best = most_specific(fqdn, rules.iter().map(|(host, _)| host))?.clone();
    rules.retain(|(host, _)| *host == best);
    rules.sort_by_key(|(_, rule)| selector(rule).is_none());
    let mut merged = Vec::new();
    for (host, rule) in rules {
        add(&mut merged, host, rule);
    }
    Some(merged)
}

/// `exportTo` as Istio takes it: a rule with a `workloadSelector` is for its own namespace, whatever it says.
fn exports(rule: &Object) -> BTreeSet<&str> {
    if selector(rule).is_some() {
        return BTreeSet::from(["."]);
    }
    let list = rule.list("/spec/exportTo").iter();
    list.filter_map(Value::as_str).collect()
}

fn selector(rule: &Object) -> Option<Labels> {
    rule.get("/spec/workloadSelector")
        .filter(|selector| selector.is_object())
        .map(|_| unjudged::labels(rule, "/spec/workloadSelector/matchLabels"))
}

fn belongs(mesh: &Mesh<'_>, rule: &Object, pool: Pool) -> bool {
    let exports = exports(rule);
    let here = &*rule.key().namespace;
    let own = exports.contains(".") || exports.contains(here);
    let by_default = || {
        let default = &mesh.config.destination_rule_export_to;
        default.iter().any(|to| &**to == ".")
    };
    let alone = match exports.len() {
        0 => by_default(),
        1 => own,
        _ => false,
    };
    match pool {
        Pool::Local => exports.is_empty() || exports.contains("*") || own,
        Pool::Exported => !alone,
        Pool::RootAlone => alone,
    }
}

/// The host itself, else the longest wildcard that covers it.
fn most_specific<'n>(fqdn: &str, hosts: impl Iterator<Item = &'n Name> + Clone) -> Option<&'n Name> {
    hosts.clone().find(|host| &***host == fqdn).or_else(|| {
        let covers = |host: &&Name| {
            host.strip_prefix('*')
                .is_some_and(|suffix| fqdn.ends_with(suffix))
        };
        hosts.filter(covers).min_by_key(|host| Reverse(host.len()))
    })
}

/// Merges a rule into those of the same host, or puts it beside them.
fn add<'a>(merged: &mut Vec<Merged<'a>>, host: Name, rule: &'a Object) {
    let incoming = Merged {
        exports: exports(rule),
        selector: selector(rule),
        rule: Effective {
            host,
            rules: vec![rule],
            subsets: subsets(rule),
            policy: Part::of(rule, "/spec/trafficPolicy"),
        },
    };
    let mut beside = true;
    for standing in merged.iter_mut() {
        if standing.exports == incoming.exports {
            beside = false;
        } else {
            beside = true;
            let wider = !standing.exports.is_empty() && incoming.exports.is_superset(&standing.exports);
            if !wider {
                continue;
            }
        }
        match (&standing.selector, &incoming.selector) {
            (None, None) => beside = false,
            (Some(a), Some(b)) if a == b => beside = false,
            (Some(_), Some(_)) => {
                beside = true;
                continue;
            }
            // A rule for all clients of the namespace alone disappears into the one that has a selector.
            (Some(_), None) | (None, Some(_)) => {}
        }
        let names: BTreeSet<Name> = standing.rule.subsets.iter().map(|it| it.name.clone()).collect();
        let new = incoming
            .rule
            .subsets
            .iter()
            .filter(|it| !names.contains(&it.name));
        standing.rule.subsets.extend(new.cloned());
        standing.rule.rules.push(rule);
        if standing.rule.policy.is_none() {
            standing.rule.policy.clone_from(&incoming.rule.policy);
        }
    }
    if beside {
        merged.push(incoming);
    }
}

fn subsets(rule: &Object) -> Vec<Defined<'_>> {
    let count = rule.list("/spec/subsets").len();
    let parts = (0..count).filter_map(|index| Part::of(rule, &format!("/spec/subsets/{index}")));
    parts
        .map(|at| Defined {
            name: at
                .at("/name")
                .and_then(|it| it.value.as_str())
                .unwrap_or("")
                .into(),
            labels: labels(at.at("/labels").map(|it| it.value)),
            policy: at.at("/trafficPolicy"),
            at,
        })
        .collect()
}

fn labels(value: Option<&Value>) -> Labels {
    let map = value.and_then(Value::as_object).into_iter().flatten();
    map.map(|(name, value)| (name.as_str().into(), value.as_str().unwrap_or("").into()))
        .collect()
}

/// The first whose selector picks the client, else the last without one. Only rules of the client's own namespace have selectors here.
fn pick<'a>(merged: Vec<Merged<'a>>, proxy: &Proxy) -> Option<Effective<'a>> {
    let mut for_all = None;
    for it in merged {
        match &it.selector {
            None => for_all = Some(it.rule),
            Some(selector) if proxy.selected_by(selector) => return Some(it.rule),
            Some(_) => {}
        }
    }
    for_all
}

/// A rule of the namespace for this host that is for some clients only: without a client's labels nobody knows whether it is in effect.
pub(super) fn selective<'a>(mesh: &Mesh<'a>, namespace: &str, fqdn: &str) -> Option<&'a Object> {
    mesh.objects.of_kind(Kind::DestinationRule).find(|rule| {
        let host = host::fqdn(rule.text("/spec/host"), namespace);
        &*rule.key().namespace == namespace
            && selector(rule).is_some()
            && most_specific(fqdn, [&host].into_iter()).is_some()
    })
}

#[cfg(test)]
mod tests;
