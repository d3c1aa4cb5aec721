//! Setting the weights of a rule.

mod bounds;

use super::{
    owner,
    plan::{Edit, Intent, Plan, assemble},
};
use crate::{
    Refused, Risk, Why, canary,
    mesh::{
        host::Host,
        route::{Destination, Leading, Rule},
        subset::{self, Subset},
    },
    object::{Kind, Object},
    snapshot::{Objects, Snapshot},
    traffic::ServiceId,
};
use json_patch::jsonptr::PointerBuf;
use naru_view::{
    canary::{PredictedDestination, Prediction, RuleList, SetWeights, WeightOf},
    weights::{self, TOTAL},
    why::Leaves,
};
use serde_json::Value;

/// Ready pods carry at most this many times what the busiest pod carries now before it is called a risk. Half as much again is what
/// an HPA with its usual target of two thirds can take up before it must scale.
const LOAD_RISK: f64 = 1.5;

/// Plans a change of weights. Refused: what is not as the page showed it, weights that do not add up to 100, requests to pods that are
/// not there, objects that somebody else writes, and whatever cannot be known. What is written adds up to 100, also where the weights of an
/// HTTPRoute added up to something else.
pub(super) fn plan(wish: &SetWeights, snapshot: &Snapshot) -> Result<Plan, Refused> {
    planned(wish, snapshot, |_| false)
}

/// The same as a file for whoever writes the object: for Argo CD, Flux and Helm, who take their changes from one.
///
/// # Errors
/// Those of a plan that Naru carries out itself.
pub fn hand_over(wish: &SetWeights, snapshot: &Snapshot) -> Result<Plan, Refused> {
    planned(wish, snapshot, owner::takes_files)
}

fn planned(wish: &SetWeights, snapshot: &Snapshot, may_own: impl Fn(&str) -> bool) -> Result<Plan, Refused> {
    let objects = &*snapshot.objects.value;
    let (object, rule) = find(objects, wish)?;
    check_input(wish, &rule)?;
    if let Some(refused) = owner::bars(objects, object, &rule) {
        match &refused {
            Refused::Owned { owner, .. } if may_own(owner) => {}
            _ => return Err(refused),
        }
    }
    let mut behind = Vec::new();
    for (destination, wanted) in rule.destinations.iter().zip(&wish.weights) {
        behind.push(ready(objects, object, destination, wanted.weight)?);
    }
    let edits = edits(object, &rule, wish)?;
    if edits.is_empty() {
        return Err(Refused::NothingToDo);
    }
    let prediction = predict(snapshot, object, &rule, wish, &behind);
    let risks = risks(snapshot, object, &rule, wish, &prediction);
    assemble(
        Intent::SetWeights(wish.clone()),
        object,
        &edits,
        prediction,
        risks,
    )
}

fn find<'a>(objects: &'a Objects, wish: &SetWeights) -> Result<(&'a Object, Rule), Refused> {
    let target = canary::target(&wish.route);
    if let Some(why) = objects.gap(target.kind) {
        return Err(Refused::Unknown { whys: vec![why] });
    }
    let object = objects.whole.get(&target).ok_or_else(|| Refused::NotFound {
        kind: target.kind.name().into(),
        namespace: target.namespace.clone(),
        name: target.name.clone(),
    })?;
    let rule = canary::rule(object, &wish.route).ok_or_else(|| Refused::RouteChanged {
        detail: wish.route.place().into(),
    })?;
    Ok((object, rule))
}

fn check_input(wish: &SetWeights, rule: &Rule) -> Result<(), Refused> {
    let same = rule.destinations.len() == wish.weights.len()
        && rule
            .destinations
            .iter()
            .zip(&wish.weights)
            .all(|(is, wanted)| is.host == wanted.host && is.subset == wanted.subset);
    if !same {
        return Err(Refused::RouteChanged {
            detail: wish.route.place().into(),
        });
    }
    let sum = wish
        .weights
        .iter()
        .fold(0_u32, |sum, wanted| sum.saturating_add(wanted.weight));
    if sum == TOTAL {
        Ok(())
    } else {
        Err(Refused::Sum { sum })
    }
}

/// How many pods are ready to take what a destination would get; refused where there are none, or nobody knows.
fn ready(
    objects: &Objects,
    object: &Object,
    destination: &Destination,
    weight: u32,
) -> Result<Option<u32>, Refused> {
    let namespace = &object.key().namespace;
    let service = match destination.resolve(objects, namespace) {
        Host::Service(service) => service,
        // Without requests nothing can fail there; what is set to 0 need not be known.
        _ if weight == 0 => return Ok(None),
        Host::Absent { .. } => {
            return Err(Refused::HostUnknown {
                host: destination.host.clone(),
            });
        }
        Host::Unknown(why) => return Err(Refused::Unknown { whys: vec![why] }),
    };
    if weight > 0 {
        may_lead_to(objects, object, &service)?;
    }
    match subset::endpoints(objects, &service, &destination.subset, namespace) {
        Subset::Pods(behind) if behind.ready == 0 && weight > 0 => Err(Refused::NoReadyPods {
            host: destination.host.clone(),
            subset: destination.subset.clone(),
            weight,
        }),
        Subset::Pods(behind) => Ok(Some(behind.ready)),
        _ if weight == 0 => Ok(None),
        Subset::Undefined => Err(Refused::SubsetUndefined {
            host: destination.host.clone(),
            subset: destination.subset.clone(),
        }),
        Subset::Unknown(whys) => Err(Refused::Unknown { whys }),
    }
}

/// Whether an HTTPRoute may lead to a Service; any other object may.
fn may_lead_to(objects: &Objects, object: &Object, service: &ServiceId) -> Result<(), Refused> {
    let foreign = object.key().kind == Kind::HttpRoute && service.namespace != object.key().namespace;
    if let Some(why) = objects.gap(Kind::ReferenceGrant).filter(|_| foreign) {
        return Err(Refused::Unknown { whys: vec![why] });
    }
    canary::ungranted(objects, object, service).map_or(Ok(()), Err)
}

fn edits(object: &Object, rule: &Rule, wish: &SetWeights) -> Result<Vec<Edit>, Refused> {
    let weights = rule.weights();
    let total: u64 = weights.iter().map(|&it| u64::from(it)).sum();
    let is_so = |(&is, wanted): (&u32, &WeightOf)| {
        u64::from(is) * u64::from(TOTAL) == u64::from(wanted.weight) * total
    };
    // 9 of 10 is 90 of 100, where weights are relative by definition.
    if rule.list == RuleList::HttpRoute && total > 0 && weights.iter().zip(&wish.weights).all(is_so) {
        return Ok(Vec::new());
    }
    let mut edits = Vec::new();
    let each = rule.destinations.iter().zip(weights).zip(&wish.weights);
    for (position, ((destination, is), wanted)) in each.enumerate() {
        if is == wanted.weight {
            continue;
        }
        let (index, position) = (rule.index.to_string(), position.to_string());
        let (list, entries) = (rule.list.field(), rule.list.destinations());
        let entry = ["spec", list, &index, entries, &position];
        let pointer = |field: &str| PointerBuf::from_tokens(entry.into_iter().chain([field]));
        let changed = || Refused::RouteChanged {
            detail: pointer("weight").as_str().into(),
        };
        let beside = identity(rule.list).iter().map(|field| pointer(field));
        let beside = beside.filter_map(|path| Some((path.clone(), object.get(path.as_str())?.clone())));
        let neighbours: Vec<_> = beside.collect();
        if neighbours.is_empty() {
            return Err(changed());
        }
        edits.push(Edit {
            path: pointer("weight"),
            label: destination.label(),
            before: destination.weight.map(Value::from),
            after: Some(wanted.weight.into()),
            neighbours,
        });
    }
    Ok(edits)
}

/// The fields of an entry that say which destination it is; those that are there must be as they were seen.
fn identity(list: RuleList) -> &'static [&'static str] {
    match list {
        RuleList::Http | RuleList::Tls | RuleList::Tcp => &["destination"],
        RuleList::HttpRoute => &["group", "kind", "namespace", "name", "port"],
    }
}

fn predict(
    snapshot: &Snapshot,
    object: &Object,
    rule: &Rule,
    wish: &SetWeights,
    ready: &[Option<u32>],
) -> Prediction {
    let seen = canary::rate(snapshot, object, rule);
    let rate = seen.as_ref().ok().copied();
    let is = rule.weights();
    let shares = weights::shares(&is);
    let changes = || shares.iter().zip(&wish.weights);
    // What goes elsewhere is half of all differences: each request that leaves one destination arrives at another.
    let moved: f64 = changes()
        .map(|(share, wanted)| (f64::from(wanted.weight) - share).abs() / 100.0)
        .sum::<f64>()
        / 2.0;
    Prediction {
        window_s: snapshot
            .traffic
            .value
            .traffic
            .as_ref()
            .map_or(0, |traffic| traffic.window_s),
        rate,
        moved: rate.map(|rate| rate * moved),
        destinations: changes()
            .zip(weights::points(&is))
            .zip(rule.destinations.iter().zip(ready))
            .map(
                |(((share, wanted), points), (destination, &ready))| PredictedDestination {
                    label: destination.label(),
                    weight: (points, wanted.weight),
                    rate: rate.map(|rate| (rate * share / 100.0, rate * f64::from(wanted.weight) / 100.0)),
                    ready,
                },
            )
            .collect(),
        whys: seen.err().into_iter().collect::<Vec<Why>>(),
    }
}

fn risks(
    snapshot: &Snapshot,
    object: &Object,
    rule: &Rule,
    wish: &SetWeights,
    prediction: &Prediction,
) -> Vec<Risk> {
    let objects = &*snapshot.objects.value;
    let mut risks = Vec::new();
    // First, since it is the one that nobody expects who looks at this rule alone.
    if let Some(canary) = canary::running(objects, &wish.route) {
        risks.push(Risk::TakesOver { canary });
    }
    if let Some(Leaves::Kept { application }) =
        owner::of_weights(objects, object, rule).map(|owner| owner.leaves)
    {
        risks.push(Risk::RulesStay {
            application,
            list: format!("spec.{}", rule.list.field()).into(),
        });
    }
    if prediction.rate.is_none() {
        risks.push(Risk::Blind);
    }
    let carried = |pick: fn((f64, f64)) -> f64| {
        prediction.destinations.iter().filter_map(move |it| {
            let ready = it.ready.filter(|&ready| ready > 0)?;
            Some((it, ready, pick(it.rate?) / f64::from(ready)))
        })
    };
    let busiest = carried(|(now, _)| now)
        .map(|(_, _, each)| each)
        .fold(0.0, f64::max);
    for (it, pods, each) in carried(|(_, then)| then) {
        if busiest > 0.0 && each / busiest >= LOAD_RISK {
            risks.push(Risk::Load {
                subset: it.label.clone(),
                pods,
                factor: each / busiest,
            });
        }
    }
    risks.extend(bounds::risks(snapshot, object, rule, wish, prediction));
    let leading = Leading::of(objects);
    for (destination, wanted) in rule.destinations.iter().zip(&wish.weights) {
        if wanted.weight == TOTAL {
            risks.push(Risk::AllToOne {
                subset: destination.label(),
            });
        }
        let service = match destination.resolve(objects, &object.key().namespace) {
            Host::Service(service) => service,
            _ => ServiceId::default(),
        };
        // A version is a subset, or of an HTTPRoute a Service.
        let version = !destination.subset.is_empty() || rule.list == RuleList::HttpRoute;
        if version && leading.others_reach((object, rule), &service, &destination.subset) {
            risks.push(Risk::HeaderRouted {
                subset: destination.label(),
            });
        }
    }
    let split = wish.weights.iter().filter(|wanted| wanted.weight > 0).count() > 1;
    if split && !rule.list.connections() {
        risks.push(Risk::SessionsFlip);
    }
    risks.push(Risk::OpenStreamsStay);
    risks
}

#[cfg(test)]
mod lists;
#[cfg(test)]
mod lossless;
#[cfg(test)]
mod tests;
