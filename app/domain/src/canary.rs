//! Weighted routes as they are: what was set, what is behind it, what is really observed.

mod arriving;
pub mod begin;
mod capacity;
mod facts;
mod in_force;
pub mod live;
mod observed;
mod ordered;
mod question;
pub mod spec;
pub mod status;
pub mod steps;
mod version;

pub use capacity::capacity;
pub use facts::facts;
pub use in_force::{InForce, in_force};
pub use ordered::{astray, running, stable};
pub use question::question;
pub use version::{deployment, workloads};

use crate::{
    Name, Refused, Timestamp, Why,
    change::{
        owner,
        plan::Intent,
        quorum::{self, Proposal},
        record::{Phase, Record, records},
        touched,
    },
    mesh::{
        MeshConfig, gateway_api,
        host::Host,
        route::{self, Leading, Rule},
        route_tag,
        subset::{self, Subset},
    },
    object::{Key, Kind, Object},
    snapshot::{Objects, Snapshot},
    topology::round,
    traffic::{Reporter, ServiceId, SplitQuestion},
};
use jiff::SignedDuration;
use naru_view::{
    canary::{Canary, Destination, Proposed, Role, RouteRef, RuleList, SetWeights},
    weights::{self, TOTAL},
};
use std::collections::BTreeSet;

/// Kinds with weighted rules. A change of weights is one of an object of these.
pub const KINDS: [Kind; 2] = [Kind::VirtualService, Kind::HttpRoute];

/// From the API server's answer to all proxies routing by it. Istiod waits 100 ms for further changes before it pushes, and a push takes
/// some tens of milliseconds for each proxy (111 ms in all was the median in our lab); counting starts well after that.
const SETTLE: SignedDuration = SignedDuration::from_secs(2);

/// managedFields tell whole seconds, by the API server's clock.
const SAME_WRITE: SignedDuration = SignedDuration::from_secs(3);

/// Weights that stand for longer are counted over this: what was so yesterday hides what is so now, and raw samples of many hours cost
/// Prometheus dearly.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(1);

/// Every weighted rule of every VirtualService and HTTPRoute, by namespace, name, list and position.
pub fn canaries(snapshot: &Snapshot) -> Vec<Canary> {
    let objects = &*snapshot.objects.value;
    let (records, ordered) = (records(objects), ordered::Ordered::of(objects));
    let seen = Seen {
        snapshot,
        records,
        ordered,
        waiting: quorum::waiting(objects, snapshot.taken),
        leading: Leading::of(objects),
    };
    let mut all: Vec<Canary> = weighted(objects)
        .map(|(object, rule)| canary(&seen, object, &rule))
        .collect();
    all.sort_by(|a, b| a.route.cmp(&b.route));
    all
}

fn weighted(objects: &Objects) -> impl Iterator<Item = (&Object, Rule)> {
    let all = KINDS.into_iter().flat_map(|kind| objects.of_kind(kind));
    all.flat_map(|object| {
        route::weighted(object)
            .into_iter()
            .map(move |rule| (object, rule))
    })
}

/// The splits to ask Prometheus for: one for each weighted rule, from the moment since which its weights stand.
pub fn questions(objects: &Objects, now: Timestamp) -> Vec<(RouteRef, SplitQuestion)> {
    let records = records(objects);
    let told = route_tag::told_since(objects, &MeshConfig::of(objects));
    let leading = Leading::of(objects);
    let mut questions = Vec::new();
    for (object, rule) in weighted(objects).filter(|(_, rule)| !rule.list.connections()) {
        let route = reference(object, &rule);
        let moment = moment(&records, object, &route);
        if let (Some(moment), Ok(services)) = (moment, services(objects, object, &rule)) {
            // Where several rules lead to the same pods: what was counted before the proxies told by which of them says nothing, and what
            // another was called or did before it was last written is not known.
            let moment = match observed::mixes(objects, &leading, object, &rule) {
                true => leading
                    .to(&services)
                    .filter_map(|it| it.object.written_at())
                    .chain(told)
                    .fold(moment, Timestamp::max),
                false => moment,
            };
            let question = SplitQuestion {
                services,
                since: (moment + SETTLE).max(now - LOOK_BACK),
                changed: changed(&records, object, &route).filter(|it| *it >= now - LOOK_BACK),
            };
            questions.push((route, question));
        }
    }
    questions
}

/// When the weights were set, where it was Naru that set them and nobody has written the object since: another write, of whatever it is, is no
/// change of weights that anything could be compared with.
fn changed(records: &[Record], object: &Object, route: &RouteRef) -> Option<Timestamp> {
    let Phase::Landed { at, .. } = last_change(records, object, route)?.phase else {
        return None;
    };
    let near = |written: Timestamp| written.duration_since(at).abs() <= SAME_WRITE;
    object.written_at().is_none_or(near).then_some(at)
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

/// Requests per second that callers' proxies send to the rule's service now, or to its services if it is an HTTPRoute's. The rule's own share of
/// them cannot be told where other rules send requests there too.
///
/// # Errors
/// Why it is not known: the rule splits connections, a VirtualService's destinations are of several services, or nothing was measured.
pub fn rate(snapshot: &Snapshot, object: &Object, rule: &Rule) -> Result<f64, Why> {
    if rule.list.connections() {
        return Err(Why::Connections);
    }
    let services = services(&snapshot.objects.value, object, rule)?;
    let traffic = &snapshot.traffic.value.traffic;
    let Some(traffic) = traffic else {
        return Err(Why::NotYet {
            source: crate::SourceName::Prometheus,
        });
    };
    let to_it = traffic
        .flows
        .iter()
        .filter(|(key, _)| services.contains(&key.service) && key.reporter == Reporter::Source);
    let rate: f64 = to_it.map(|(_, flow)| flow.rate).sum();
    if rate > 0.0 {
        Ok(rate)
    } else {
        Err(Why::NoTraffic {
            window_s: traffic.window_s,
        })
    }
}

/// The services that a rule's destinations name: one, unless it is an HTTPRoute's, whose versions are Services each.
///
/// # Errors
/// A destination names none, or a VirtualService's name several: who calls one of those has not gone by the rule.
pub(crate) fn services(objects: &Objects, object: &Object, rule: &Rule) -> Result<BTreeSet<ServiceId>, Why> {
    let mut services = BTreeSet::new();
    for destination in &rule.destinations {
        match destination.resolve(objects, &object.key().namespace) {
            Host::Service(service) => drop(services.insert(service)),
            Host::Absent { fqdn } => return Err(Why::NotJudged { what: fqdn }),
            Host::Unknown(why) => return Err(why),
        }
    }
    if services.len() == 1 || rule.list == RuleList::HttpRoute {
        Ok(services)
    } else {
        Err(Why::NotJudged {
            what: "destinations of several services".into(),
        })
    }
}

/// The object that a rule is in.
pub fn target(route: &RouteRef) -> Key {
    let kind = match route.list {
        RuleList::Http | RuleList::Tls | RuleList::Tcp => Kind::VirtualService,
        RuleList::HttpRoute => Kind::HttpRoute,
    };
    Key::new(kind, route.namespace.clone(), route.name.clone())
}

/// The list of rules that a path of such an object leads into; None where it leads elsewhere.
pub fn list_at(kind: Kind, path: &str) -> Option<RuleList> {
    let leads =
        |it: &RuleList| it.kind() == kind.name() && path.starts_with(&format!("/spec/{}/", it.field()));
    RuleList::ALL.into_iter().find(leads)
}

/// The weighted rule that is named, if this object, which is the one that is named, has it.
pub fn rule(object: &Object, route: &RouteRef) -> Option<Rule> {
    let mut all = route::weighted(object).into_iter();
    all.find(|it| (it.list, it.index) == (route.list, route.rule))
}

/// Names a rule of an object.
pub fn reference(object: &Object, rule: &Rule) -> RouteRef {
    let key = object.key();
    RouteRef {
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        list: rule.list,
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
    let about_rule = match &last.intent {
        Intent::SetWeights(wish) => wish.route == *route,
        Intent::Undo { .. } | Intent::Mend(_) => touched::of(last).iter().any(|line| {
            let rule = format!("/spec/{}/{}/", route.list.field(), route.rule);
            line.path.starts_with(&rule)
        }),
    };
    (about_rule && touched::moved(last, object).is_none()).then_some(last)
}

/// What is looked up once for all rules.
struct Seen<'a> {
    snapshot: &'a Snapshot,
    records: Vec<Record>,
    ordered: ordered::Ordered<'a>,
    /// Proposals that wait for a second person.
    waiting: Vec<(Key, Proposal)>,
    leading: Leading<'a>,
}

fn canary(seen: &Seen<'_>, object: &Object, rule: &Rule) -> Canary {
    let Seen {
        snapshot,
        records,
        ordered,
        waiting,
        leading,
    } = seen;
    let objects = &*snapshot.objects.value;
    let route = reference(object, rule);
    let last = last_change(records, object, &route);
    let stable = ordered.stable(&route, rule);
    let mut destinations: Vec<Destination> = rule
        .destinations
        .iter()
        .zip(rule.weights())
        .enumerate()
        .map(|(at, (is, weight))| {
            let role = if at == stable { Role::Stable } else { Role::Canary };
            destination(objects, object, is, (role, weight))
        })
        .collect();
    if let (Some(traffic), Ok(services), false) = (
        &snapshot.traffic.value.traffic,
        services(objects, object, rule),
        rule.list.connections(),
    ) {
        arriving::tell(&mut destinations, &services, traffic);
    }
    Canary {
        observed: observed::observed(
            snapshot,
            leading,
            object,
            rule,
            &destinations,
            moment(records, object, &route).is_some(),
        ),
        findings: findings(objects, object, rule, &destinations),
        orders: ordered.on(&route, &destinations),
        rule_name: rule.name.clone(),
        hosts: bound(object, route::hosts, gateway_api::weights::hosts),
        gateways: bound(object, route::gateways, gateway_api::weights::gateways),
        resource_version: object.resource_version(),
        rate: rate(snapshot, object, rule).ok().map(round::significant),
        owner: owner::of_weights(objects, object, rule),
        proposals: proposals(waiting, &route, rule),
        last_change: last.map(|record| record.key.name.clone()),
        destinations,
        route,
    }
}

/// Weights of a rule that wait for a second person; none that it has already.
fn proposals(waiting: &[(Key, Proposal)], route: &RouteRef, rule: &Rule) -> Vec<(Proposed, SetWeights)> {
    let stands = |wish: &SetWeights| {
        let wanted = wish.weights.iter().map(|it| it.weight);
        wanted.eq(rule.weights())
    };
    let mut all = Vec::new();
    for (_, it) in waiting {
        if let Intent::SetWeights(wish) = &it.intent
            && wish.route == *route
            && !stands(wish)
        {
            all.push((it.proposed(), wish.clone()));
        }
    }
    all
}

/// What a VirtualService or an HTTPRoute says of where it acts.
fn bound(
    object: &Object,
    virtual_service: fn(&Object) -> Vec<Name>,
    http_route: fn(&Object) -> Vec<Name>,
) -> Vec<Name> {
    match object.key().kind {
        Kind::HttpRoute => http_route(object),
        _ => virtual_service(object),
    }
}

fn destination(
    objects: &Objects,
    object: &Object,
    is: &route::Destination,
    (role, weight): (Role, u32),
) -> Destination {
    let namespace = &object.key().namespace;
    let behind = match is.resolve(objects, namespace) {
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
        role,
        arriving: None,
        ready: behind.as_ref().map(|behind| behind.ready),
        workloads: workloads
            .map(|(namespace, name)| Name::from(format!("{namespace}/{name}")))
            .collect(),
    }
}

/// What is wrong with a rule as it is: weights that do not say what they seem to, and destinations that get requests now and cannot answer
/// them. An HTTPRoute's weights are relative by definition (Gateway API reference, `BackendRef.weight`); a VirtualService's are taken that way, and
/// people read them as percentages.
fn findings(objects: &Objects, object: &Object, rule: &Rule, destinations: &[Destination]) -> Vec<Refused> {
    let namespace = &object.key().namespace;
    let total: u64 = destinations.iter().map(|it| u64::from(it.weight)).sum();
    let odd = match rule.list {
        RuleList::HttpRoute => (total == 0).then_some(Refused::NoWeight),
        RuleList::Http | RuleList::Tls | RuleList::Tcp => (total != u64::from(TOTAL)).then(|| Refused::Sum {
            sum: u32::try_from(total).unwrap_or(u32::MAX),
        }),
    };
    let getting = rule
        .destinations
        .iter()
        .zip(destinations)
        .zip(weights::points(&rule.weights()))
        .filter(|((_, shown), _)| shown.weight > 0);
    let failing = getting.filter_map(|((is, _), points)| match is.resolve(objects, namespace) {
        Host::Absent { .. } => Some(Refused::HostUnknown {
            host: is.host.clone(),
        }),
        Host::Unknown(_) => None,
        Host::Service(service) => ungranted(objects, object, &service).or_else(|| {
            match subset::endpoints(objects, &service, &is.subset, namespace) {
                Subset::Undefined => Some(Refused::SubsetUndefined {
                    host: is.host.clone(),
                    subset: is.subset.clone(),
                }),
                Subset::Pods(behind) if behind.ready == 0 => Some(Refused::NoReadyPods {
                    host: is.host.clone(),
                    subset: is.subset.clone(),
                    weight: points,
                }),
                Subset::Pods(_) | Subset::Unknown(_) => None,
            }
        }),
    });
    odd.into_iter().chain(failing).collect()
}

/// That an HTTPRoute may not lead to a Service, where that is known.
pub(crate) fn ungranted(objects: &Objects, object: &Object, service: &ServiceId) -> Option<Refused> {
    let refused = object.key().kind == Kind::HttpRoute
        && objects.gap(Kind::ReferenceGrant).is_none()
        && !gateway_api::weights::granted(objects, object, service);
    refused.then(|| Refused::NotGranted {
        host: service.name.clone(),
        namespace: service.namespace.clone(),
    })
}

#[cfg(test)]
mod tests;
