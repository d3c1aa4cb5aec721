//! Where a caller's proxy sends a request, by the objects of the moment.
//!
//! Names, rules, weights and subsets are the mesh model's (`naru_domain::mesh`); here is only the choice among them.

use naru_domain::{
    Name,
    fact::{Labels, Proxy},
    mesh::{
        ROOT_NAMESPACE,
        host::{self, Host},
        route, subset,
    },
    object::{Kind, Object},
    snapshot::Objects,
    traffic::{Party, ServiceId},
    workload::{selects, workload_of},
};
use serde_json::Value;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    /// A host at a gateway.
    Host(Name),
    /// A service, through a proxy.
    Service(ServiceId),
    /// A service, without one.
    Plain(ServiceId),
}

/// One pod that may answer.
#[derive(Clone, Debug)]
pub(super) struct Backend {
    pub(super) party: Party,
    pub(super) meshed: bool,
    /// Refuses plaintext.
    pub(super) strict: bool,
}

/// Where a share of requests goes.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Pods(ServiceId, Vec<Backend>),
    /// Nowhere: response code and flags that the caller's proxy answers with.
    Nowhere(Option<ServiceId>, &'static str, &'static str),
}

/// One rule, ready to be drawn from.
#[derive(Clone, Debug)]
struct Rule {
    spec: Value,
    choices: Vec<(u32, Target)>,
}

/// All that a proxy knows about what is asked for.
#[derive(Clone, Debug)]
pub(super) struct Table {
    rules: Vec<Rule>,
    /// What happens if no rule fits.
    otherwise: Target,
}

impl Table {
    pub(super) fn of(objects: &Objects, client_namespace: &str, asked: &Asked) -> Self {
        let bound = objects.of_kind(Kind::VirtualService).filter(|it| match asked {
            Asked::Host(host) => at_gateway(objects, it, host),
            Asked::Service(service) => in_mesh(it, service),
            Asked::Plain(_) => false,
        });
        // The oldest decides alone.
        let oldest = bound.min_by_key(|it| {
            (
                it.text("/metadata/creationTimestamp").to_owned(),
                it.key().clone(),
            )
        });
        let service = match asked {
            Asked::Host(_) => None,
            Asked::Service(service) | Asked::Plain(service) => Some(service.clone()),
        };
        let Some(decides) = oldest else {
            let otherwise = match &service {
                Some(service) => target(objects, service, "", client_namespace),
                None => Target::Nowhere(None, "404", "NR"),
            };
            return Self {
                rules: Vec::new(),
                otherwise,
            };
        };
        let specs = decides.list("/spec/http");
        let rules = route::rules(decides).into_iter().zip(specs).map(|(rule, spec)| {
            let choices = rule
                .weights()
                .into_iter()
                .zip(&rule.destinations)
                .map(|(weight, to)| {
                    let target = match host::resolve(objects, &to.host, &decides.key().namespace) {
                        Host::Service(service) => target(objects, &service, &to.subset, client_namespace),
                        Host::Absent { .. } | Host::Unknown(_) => {
                            Target::Nowhere(service.clone(), "503", "NC")
                        }
                    };
                    (weight, target)
                });
            Rule {
                spec: spec.clone(),
                choices: choices.collect(),
            }
        });
        let rules = rules.collect();
        Self {
            rules,
            otherwise: Target::Nowhere(service, "404", "NR"),
        }
    }

    /// Where this request goes; `unit` is drawn evenly from 0 to 1.
    pub(super) fn choose(&self, header: Option<(&str, &str)>, unit: f64) -> &Target {
        let Some(rule) = self.rules.iter().find(|rule| fits(&rule.spec, header)) else {
            return &self.otherwise;
        };
        let total: u32 = rule.choices.iter().map(|(weight, _)| weight).sum();
        let mut left = unit * f64::from(total);
        for (weight, target) in &rule.choices {
            left -= f64::from(*weight);
            if left < 0.0 {
                return target;
            }
        }
        rule.choices.last().map_or(&self.otherwise, |(_, target)| target)
    }
}

/// Whether a rule's `match` fits a request for `/` with this header: any of its entries, all of an entry's conditions. Conditions of
/// other sorts than a path prefix and exact headers fit nothing.
fn fits(rule: &Value, header: Option<(&str, &str)>) -> bool {
    let Some(entries) = rule
        .get("match")
        .and_then(Value::as_array)
        .filter(|it| !it.is_empty())
    else {
        return true;
    };
    let text =
        |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    entries.iter().filter_map(Value::as_object).any(|entry| {
        entry.iter().all(|(condition, value)| match condition.as_str() {
            "name" => true,
            "uri" => text(value, "/prefix").as_deref() == Some("/"),
            "headers" => value.as_object().into_iter().flatten().all(|(name, wanted)| {
                header
                    .is_some_and(|(it, value)| it == name && text(wanted, "/exact").as_deref() == Some(value))
            }),
            _ => false,
        })
    })
}

fn in_mesh(virtual_service: &Object, service: &ServiceId) -> bool {
    let (namespace, wanted) = (&virtual_service.key().namespace, host::of_service(service));
    route::gateways(virtual_service).iter().any(|it| &**it == "mesh")
        && route::hosts(virtual_service)
            .iter()
            .any(|it| host::fqdn(it, namespace) == wanted)
}

/// Bound to a Gateway that is there and serves the host.
fn at_gateway(objects: &Objects, virtual_service: &Object, host: &str) -> bool {
    let serves = |it: &str| {
        it == "*" || it == host || it.split_once('/').is_some_and(|(_, it)| it == host || it == "*")
    };
    let bound = route::gateways(virtual_service).iter().any(|name| {
        let (namespace, name) = name
            .split_once('/')
            .unwrap_or((&virtual_service.key().namespace, name));
        objects
            .object(Kind::Gateway, namespace, name)
            .is_some_and(|gateway| {
                let servers = gateway.list("/spec/servers").iter();
                let mut hosts = servers
                    .filter_map(|it| it.get("hosts")?.as_array())
                    .flatten()
                    .filter_map(Value::as_str);
                hosts.any(serves)
            })
    });
    bound && route::hosts(virtual_service).iter().any(|it| serves(it))
}

fn target(objects: &Objects, service: &ServiceId, wanted: &str, client_namespace: &str) -> Target {
    let labels = if wanted.is_empty() {
        Some(Labels::new())
    } else {
        subset::subset_labels(objects, service, wanted, client_namespace)
    };
    let nowhere = |flags| Target::Nowhere(Some(service.clone()), "503", flags);
    let Some(labels) = labels else {
        return nowhere("NC");
    };
    if objects.service(&service.namespace, &service.name).is_none() {
        return nowhere("NC");
    }
    let backends = pods(objects, service, &labels);
    if backends.is_empty() {
        nowhere("UH")
    } else {
        Target::Pods(service.clone(), backends)
    }
}

fn pods(objects: &Objects, service: &ServiceId, labels: &Labels) -> Vec<Backend> {
    let ready = subset::pods_of(objects, service)
        .into_iter()
        .filter(|(pod, ready)| *ready && !pod.leaving);
    let wanted = ready.filter(|(pod, _)| {
        labels
            .iter()
            .all(|(name, value)| pod.labels.get(name) == Some(value))
    });
    let backend = |(pod, _): (&std::sync::Arc<naru_domain::fact::Pod>, bool)| {
        let (namespace, workload) = workload_of(objects, pod);
        Backend {
            party: party(&namespace, &workload, &pod.labels),
            meshed: pod.proxy == Proxy::Sidecar,
            strict: pod.proxy == Proxy::Sidecar && strict(objects, &pod.namespace, &pod.labels),
        }
    };
    wanted.map(backend).collect()
}

/// A workload in the words of Istio's labels.
pub(super) fn party(namespace: &Name, workload: &Name, labels: &Labels) -> Party {
    let label = |names: [&str; 2]| names.iter().find_map(|name| labels.get(*name)).cloned();
    Party {
        cluster: "Kubernetes".into(),
        namespace: namespace.clone(),
        workload: workload.clone(),
        app: label(["service.istio.io/canonical-name", "app"]).unwrap_or_else(|| workload.clone()),
        version: label(["service.istio.io/canonical-revision", "version"]).unwrap_or_else(|| "latest".into()),
    }
}

/// Whether plaintext is refused: by the workload's PeerAuthentication, else the namespace's, else the mesh's (Istio reference,
/// PeerAuthentication). Modes of single ports are passed over.
fn strict(objects: &Objects, namespace: &str, labels: &Labels) -> bool {
    let mode = |namespace: &str, own: bool| {
        let mut here = objects
            .of_kind(Kind::PeerAuthentication)
            .filter(|it| &*it.key().namespace == namespace);
        here.find_map(|it| {
            let selector: Labels = it
                .get("/spec/selector/matchLabels")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.as_str().into(), value.as_str().unwrap_or("").into()))
                .collect();
            let fits = if own {
                selects(&selector, labels)
            } else {
                selector.is_empty()
            };
            let mode = it.text("/spec/mtls/mode").to_owned();
            (fits && !mode.is_empty() && mode != "UNSET").then_some(mode)
        })
    };
    let decided = mode(namespace, true)
        .or_else(|| mode(namespace, false))
        .or_else(|| mode(ROOT_NAMESPACE, false));
    decided.as_deref() == Some("STRICT")
}
