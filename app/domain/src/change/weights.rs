//! Setting the weights of a rule.

use super::{
    owner,
    plan::{Edit, Intent, Plan, assemble},
};
use crate::{
    Name, Refused, Risk, Why, canary,
    mesh::{
        host::{self, Host},
        route::{self, Destination, Rule},
        subset::{self, Subset},
    },
    object::{Kind, Object},
    snapshot::{Objects, Snapshot},
    traffic::ServiceId,
};
use json_patch::jsonptr::PointerBuf;
use naru_view::{
    canary::{PredictedDestination, Prediction, SetWeights},
    weights::TOTAL,
};
use serde_json::Value;

/// Ready pods carry at most this many times what the busiest pod carries now before it is called a risk. Half as much again is what
/// an HPA with its usual target of two thirds can take up before it must scale.
const LOAD_RISK: f64 = 1.5;

/// Plans a change of weights. Refused: what is not as the page showed it, weights that do not add up to 100, requests to pods that are
/// not there, objects that somebody else writes, and whatever cannot be known.
pub(super) fn plan(wish: &SetWeights, snapshot: &Snapshot) -> Result<Plan, Refused> {
    let objects = &*snapshot.objects.value;
    let (object, rule) = find(objects, wish)?;
    check_input(wish, &rule)?;
    if let Some((owner, by)) = owner::of(object) {
        return Err(Refused::Owned { owner, by });
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
    let risks = risks(objects, object, &rule, wish, &prediction);
    assemble(
        Intent::SetWeights(wish.clone()),
        object,
        &edits,
        prediction,
        risks,
    )
}

fn find<'a>(objects: &'a Objects, wish: &SetWeights) -> Result<(&'a Object, Rule), Refused> {
    let at = &wish.route;
    if let Some(why) = objects.gap(Kind::VirtualService) {
        return Err(Refused::Unknown { whys: vec![why] });
    }
    let not_found = || Refused::NotFound {
        kind: Kind::VirtualService.name().into(),
        namespace: at.namespace.clone(),
        name: at.name.clone(),
    };
    let object = objects
        .object(Kind::VirtualService, &at.namespace, &at.name)
        .ok_or_else(not_found)?;
    let rule = route::rules(object)
        .into_iter()
        .find(|rule| rule.index == at.rule && rule.weighted());
    let gone = || Refused::RouteChanged {
        detail: format!("spec.http[{}]", at.rule).into(),
    };
    Ok((object, rule.ok_or_else(gone)?))
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
            detail: format!("spec.http[{}].route", rule.index).into(),
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
    let service = match host::resolve(objects, &destination.host, namespace) {
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

fn edits(object: &Object, rule: &Rule, wish: &SetWeights) -> Result<Vec<Edit>, Refused> {
    let mut edits = Vec::new();
    for (position, (destination, wanted)) in rule.destinations.iter().zip(&wish.weights).enumerate() {
        if destination.weight == Some(wanted.weight) || (destination.weight.is_none() && wanted.weight == 0) {
            continue;
        }
        let pointer = |field: &str| {
            let (rule, position) = (rule.index.to_string(), position.to_string());
            PointerBuf::from_tokens(["spec", "http", rule.as_str(), "route", position.as_str(), field])
        };
        let neighbour = pointer("destination");
        let written = object.get(neighbour.as_str()).cloned();
        let written = written.ok_or_else(|| Refused::RouteChanged {
            detail: neighbour.as_str().into(),
        })?;
        edits.push(Edit {
            path: pointer("weight"),
            label: label(destination),
            before: destination.weight.map(Value::from),
            after: Some(wanted.weight.into()),
            neighbour: Some((neighbour, written)),
        });
    }
    Ok(edits)
}

fn label(destination: &Destination) -> Name {
    if destination.subset.is_empty() {
        destination.host.clone()
    } else {
        destination.subset.clone()
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
    let weights = rule.weights();
    let total: u32 = weights.iter().sum::<u32>().max(1);
    let share = |weight: u32, of: u32| f64::from(weight) / f64::from(of);
    let changes = || weights.iter().zip(&wish.weights);
    // What goes elsewhere is half of all differences: each request that leaves one destination arrives at another.
    let moved: f64 = changes()
        .map(|(&is, wanted)| (share(wanted.weight, TOTAL) - share(is, total)).abs())
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
            .zip(rule.destinations.iter().zip(ready))
            .map(|((&is, wanted), (destination, &ready))| PredictedDestination {
                label: label(destination),
                weight: (is, wanted.weight),
                rate: rate.map(|rate| (rate * share(is, total), rate * share(wanted.weight, TOTAL))),
                ready,
            })
            .collect(),
        whys: seen.err().into_iter().collect::<Vec<Why>>(),
    }
}

fn risks(
    objects: &Objects,
    object: &Object,
    rule: &Rule,
    wish: &SetWeights,
    prediction: &Prediction,
) -> Vec<Risk> {
    let mut risks = Vec::new();
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
    for (destination, wanted) in rule.destinations.iter().zip(&wish.weights) {
        if wanted.weight == TOTAL {
            risks.push(Risk::AllToOne {
                subset: label(destination),
            });
        }
        let service = match host::resolve(objects, &destination.host, &object.key().namespace) {
            Host::Service(service) => service,
            _ => ServiceId::default(),
        };
        if !destination.subset.is_empty()
            && route::others_reach(objects, (object, rule.index), &service, &destination.subset)
        {
            risks.push(Risk::HeaderRouted {
                subset: label(destination),
            });
        }
    }
    if wish.weights.iter().filter(|wanted| wanted.weight > 0).count() > 1 {
        risks.push(Risk::SessionsFlip);
    }
    risks.push(Risk::OpenStreamsStay);
    risks
}

#[cfg(test)]
mod tests;
