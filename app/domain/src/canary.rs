//! Weighted routes as they are: what was set, what is behind it, what is really observed.

mod observed;

use crate::{
    Name, Refused, Timestamp, Why,
    change::{
        owner,
        plan::Intent,
        record::{Phase, Record, records},
        touched,
    },
    mesh::{
        host::{self, Host},
        route::{self, Rule},
        subset::{self, Subset},
    },
    object::{Kind, Object, canonical},
    snapshot::{Objects, Snapshot},
    topology::round,
    traffic::{Reporter, ServiceId, SplitQuestion},
};
use jiff::SignedDuration;
use naru_view::canary::{Canary, Destination, RouteRef};
use std::collections::BTreeSet;

/// From the API server's answer to all proxies routing by it. Istiod waits 100 ms for further changes before it pushes, and a push takes
/// some tens of milliseconds for each proxy (111 ms in all was the median in our lab); counting starts well after that.
const SETTLE: SignedDuration = SignedDuration::from_secs(2);

/// Weights that stand for longer are counted over this: what was so yesterday hides what is so now, and raw samples of many hours cost
/// Prometheus dearly.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(1);

/// Every weighted rule of every VirtualService, by namespace, name and position.
pub fn canaries(snapshot: &Snapshot) -> Vec<Canary> {
    let objects = &*snapshot.objects.value;
    let records = records(objects);
    let weighted = objects.of_kind(Kind::VirtualService).flat_map(|object| {
        route::rules(object)
            .into_iter()
            .filter(Rule::weighted)
            .map(move |rule| (object, rule))
    });
    weighted
        .map(|(object, rule)| canary(snapshot, &records, object, &rule))
        .collect()
}

/// The splits to ask Prometheus for: one for each weighted rule, from the moment since which its weights stand.
pub fn questions(objects: &Objects, now: Timestamp) -> Vec<(RouteRef, SplitQuestion)> {
    let records = records(objects);
    let mut questions = Vec::new();
    for object in objects.of_kind(Kind::VirtualService) {
        for rule in route::rules(object).iter().filter(|rule| rule.weighted()) {
            let route = reference(object, rule);
            let since = moment(&records, object, &route).map(|moment| (moment + SETTLE).max(now - LOOK_BACK));
            if let (Some(since), Ok(service)) = (since, service(objects, object, rule)) {
                questions.push((route, SplitQuestion { service, since }));
            }
        }
    }
    questions
}

/// Since when the weights stand for certain: since the object was last written, by whomever and whatever for. Where nobody recorded that,
/// since our last change that still stands.
fn moment(records: &[Record], object: &Object, route: &RouteRef) -> Option<Timestamp> {
    object
        .written_at()
        .or_else(|| match last_change(records, object, route)?.phase {
            Phase::Landed { at, .. } => Some(at),
            _ => None,
        })
}

/// Requests per second that callers' proxies send to the rule's service now. The rule's own share of them cannot be told where other
/// rules send requests there too.
///
/// # Errors
/// Why it is not known: the destinations are of several services, or nothing was measured.
pub fn rate(snapshot: &Snapshot, object: &Object, rule: &Rule) -> Result<f64, Why> {
    let service = service(&snapshot.objects.value, object, rule)?;
    let traffic = &snapshot.traffic.value.traffic;
    let Some(traffic) = traffic else {
        return Err(Why::NotYet {
            source: crate::SourceName::Prometheus,
        });
    };
    let to_it = traffic
        .flows
        .iter()
        .filter(|(key, _)| key.service == service && key.reporter == Reporter::Source);
    let rate: f64 = to_it.map(|(_, flow)| flow.rate).sum();
    if rate > 0.0 {
        Ok(rate)
    } else {
        Err(Why::NoTraffic {
            window_s: traffic.window_s,
        })
    }
}

/// The one service that all destinations of a rule name.
pub(crate) fn service(objects: &Objects, object: &Object, rule: &Rule) -> Result<ServiceId, Why> {
    let mut services = BTreeSet::new();
    for destination in &rule.destinations {
        match host::resolve(objects, &destination.host, &object.key().namespace) {
            Host::Service(service) => drop(services.insert(service)),
            Host::Absent { fqdn } => return Err(Why::NotJudged { what: fqdn }),
            Host::Unknown(why) => return Err(why),
        }
    }
    match (services.pop_first(), services.is_empty()) {
        (Some(service), true) => Ok(service),
        _ => Err(Why::NotJudged {
            what: "destinations of several services".into(),
        }),
    }
}

fn reference(object: &Object, rule: &Rule) -> RouteRef {
    let key = object.key();
    RouteRef {
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        rule: rule.index,
    }
}

/// The last change that landed on this rule, if all that it set still stands.
fn last_change<'a>(records: &'a [Record], object: &Object, route: &RouteRef) -> Option<&'a Record> {
    let on_it = records
        .iter()
        .filter(|record| record.target == *object.key() && record.uid == object.uid());
    let landed = on_it.filter_map(|record| match &record.phase {
        Phase::Landed { at, .. } => Some((*at, record)),
        _ => None,
    });
    let (_, last) = landed.max_by_key(|(at, record)| (*at, record.key.name.clone()))?;
    let touched = touched::of(last);
    let about_rule = match &last.intent {
        Intent::SetWeights(wish) => wish.route == *route,
        Intent::Undo { .. } | Intent::Mend(_) => touched
            .iter()
            .any(|line| line.path.starts_with(&format!("/spec/http/{}/", route.rule))),
    };
    let still = touched
        .iter()
        .all(|line| object.get(&line.path).map(|value| canonical(value).into()) == line.after);
    (about_rule && still).then_some(last)
}

fn canary(snapshot: &Snapshot, records: &[Record], object: &Object, rule: &Rule) -> Canary {
    let objects = &*snapshot.objects.value;
    let route = reference(object, rule);
    let last = last_change(records, object, &route);
    let destinations: Vec<Destination> = rule
        .destinations
        .iter()
        .zip(rule.weights())
        .map(|(is, weight)| destination(objects, object, is, weight))
        .collect();
    Canary {
        observed: observed::observed(
            snapshot,
            object,
            rule,
            &destinations,
            moment(records, object, &route).is_some(),
        ),
        findings: findings(objects, object, rule, &destinations),
        rule_name: rule.name.clone(),
        hosts: route::hosts(object),
        gateways: route::gateways(object),
        resource_version: object.resource_version(),
        rate: rate(snapshot, object, rule).ok().map(round::significant),
        owner: owner::of(object),
        last_change: last.map(|record| record.key.name.clone()),
        destinations,
        route,
    }
}

fn destination(objects: &Objects, object: &Object, is: &route::Destination, weight: u32) -> Destination {
    let namespace = &object.key().namespace;
    let behind = match host::resolve(objects, &is.host, namespace) {
        Host::Service(service) => match subset::endpoints(objects, &service, &is.subset, namespace) {
            Subset::Pods(behind) => Some(behind),
            Subset::Undefined => Some(subset::Behind::default()),
            Subset::Unknown(_) => None,
        },
        Host::Absent { .. } => Some(subset::Behind::default()),
        Host::Unknown(_) => None,
    };
    let workloads = behind.iter().flat_map(|behind| &behind.workloads);
    Destination {
        host: is.host.clone(),
        subset: is.subset.clone(),
        port: is.port,
        weight,
        ready: behind.as_ref().map(|behind| behind.ready),
        workloads: workloads
            .map(|(namespace, name)| Name::from(format!("{namespace}/{name}")))
            .collect(),
    }
}

/// What is wrong with a rule as it is: destinations that get requests now and cannot answer them.
fn findings(objects: &Objects, object: &Object, rule: &Rule, destinations: &[Destination]) -> Vec<Refused> {
    let namespace = &object.key().namespace;
    let getting = rule
        .destinations
        .iter()
        .zip(destinations)
        .filter(|(_, shown)| shown.weight > 0);
    getting
        .filter_map(|(is, shown)| match host::resolve(objects, &is.host, namespace) {
            Host::Absent { .. } => Some(Refused::HostUnknown {
                host: is.host.clone(),
            }),
            Host::Unknown(_) => None,
            Host::Service(service) => match subset::endpoints(objects, &service, &is.subset, namespace) {
                Subset::Undefined => Some(Refused::SubsetUndefined {
                    host: is.host.clone(),
                    subset: is.subset.clone(),
                }),
                Subset::Pods(behind) if behind.ready == 0 => Some(Refused::NoReadyPods {
                    host: is.host.clone(),
                    subset: is.subset.clone(),
                    weight: shown.weight,
                }),
                Subset::Pods(_) | Subset::Unknown(_) => None,
            },
        })
        .collect()
}
