//! The rule that a Canary moves, as it is.

use super::{
    spec::{Spec, Target},
    status::Weights,
    steps::Live,
};
use crate::{
    Name,
    change::{record::records, writer},
    mesh::route::{self, Destination, Rule},
    object::{Key, Kind, Object},
    snapshot::Objects,
};
use naru_view::canary::{SetWeights, WeightOf};

/// The VirtualService that a Canary in this namespace moves.
pub fn target(spec: &Spec, namespace: &str) -> Key {
    Key::new(Kind::VirtualService, namespace, spec.route.name.clone())
}

/// The weights of the two versions now, and who set them. `objects` has the journal, by which a person who did it through Naru is known.
pub fn live(spec: &Spec, virtual_service: &Object, objects: &Objects) -> Live {
    let Some(rule) = rule(spec, virtual_service) else {
        return Live::Unknown;
    };
    let mut weights = Weights { stable: 0, canary: 0 };
    let (mut others, mut seen) = (0_u32, [0_u32; 2]);
    for (destination, weight) in rule.destinations.iter().zip(rule.weights()) {
        if is(destination, &spec.stable) {
            seen[0] += 1;
            weights.stable = weight;
        } else if is(destination, &spec.canary) {
            seen[1] += 1;
            weights.canary = weight;
        } else {
            others = others.saturating_add(weight);
        }
    }
    // A destination that is gone, or stands twice, has no weight that could be called its own.
    if seen != [1, 1] {
        return Live::Unknown;
    }
    Live::Known {
        weights,
        others,
        by: by(virtual_service, objects),
    }
}

/// The wish for these weights; None if the rule is not as the spec names it.
pub fn wish(spec: &Spec, virtual_service: &Object, to: Weights) -> Option<SetWeights> {
    let rule = rule(spec, virtual_service)?;
    let weight = |it: &Destination| match it {
        it if is(it, &spec.stable) => to.stable,
        it if is(it, &spec.canary) => to.canary,
        _ => 0,
    };
    Some(SetWeights {
        route: super::reference(virtual_service, &rule),
        weights: rule
            .destinations
            .iter()
            .map(|it| WeightOf {
                host: it.host.clone(),
                subset: it.subset.clone(),
                weight: weight(it),
            })
            .collect(),
    })
}

fn rule(spec: &Spec, virtual_service: &Object) -> Option<Rule> {
    let mut rules = route::rules(virtual_service).into_iter();
    rules.find(|rule| rule.index == spec.route.rule && rule.weighted())
}

fn is(destination: &Destination, target: &Target) -> bool {
    destination.host == target.host && destination.subset == target.subset
}

/// Where the weights are; a list that is owned whole.
const RULES: &str = "/spec/http";

/// Who wrote the rules last: a person, where it was done through Naru; else what the API server calls whoever it was.
fn by(virtual_service: &Object, objects: &Objects) -> Option<Name> {
    let journal = records(objects);
    writer::of(virtual_service, RULES, &journal).map(|it| writer::name(&it))
}

#[cfg(test)]
mod tests {
    use super::{live, wish};
    use crate::{
        canary::{spec::Spec, status::Weights, steps::Live},
        example,
        object::{Kind, Object},
    };
    use serde_json::{Value, json};

    fn spec() -> Spec {
        serde_json::from_value(json!({
            "route": {"name": "user-service", "rule": 0},
            "stable": {"host": "user-service", "subset": "v1"},
            "canary": {"host": "user-service", "subset": "v2"},
            "steps": [{"weight": 50, "dwell": "10m", "requests": 100}],
            "approvedBy": {"issuer": "i", "subject": "s", "name": "n"},
        }))
        .unwrap()
    }

    #[test]
    fn the_weights_are_those_of_the_two_and_of_nobody_else() {
        let objects = example::objects();
        let object = objects
            .object(Kind::VirtualService, "user-service", "user-service")
            .unwrap();
        let known = |stable, canary, others| Live::Known {
            weights: Weights { stable, canary },
            others,
            by: object.managers().first().map(|it| (*it).into()),
        };
        assert_eq!(live(&spec(), object, &objects), known(90, 10, 0));
        let asked = wish(&spec(), object, Weights::of(50)).unwrap();
        let weights: Vec<u32> = asked.weights.iter().map(|it| it.weight).collect();
        assert_eq!(weights, [50, 50]);
        let edited = |edit: fn(&mut Value)| {
            let mut json = object.json().clone();
            edit(&mut json["spec"]["http"][0]["route"]);
            Object::new(Kind::VirtualService, json).unwrap()
        };
        let third = |it: &mut Value| {
            it.as_array_mut()
                .unwrap()
                .push(json!({"destination": {"host": "user-service", "subset": "v3"}, "weight": 7}));
        };
        assert_eq!(live(&spec(), &edited(third), &objects), known(90, 10, 7));
        let twice = |it: &mut Value| {
            let first = it[0].clone();
            it.as_array_mut().unwrap().push(first);
        };
        let gone = |it: &mut Value| it[1]["destination"]["subset"] = json!("v9");
        let alone = |it: &mut Value| drop(it.as_array_mut().unwrap().pop());
        for edit in [twice as fn(&mut Value), gone, alone] {
            assert_eq!(live(&spec(), &edited(edit), &objects), Live::Unknown);
        }
    }
}
