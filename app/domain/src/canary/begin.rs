//! What people write into Canary objects: a new one, and the course of one that is there.

use super::{
    ordered,
    spec::{Course, Spec},
};
use crate::{
    Name, Refused, Timestamp,
    actor::Actor,
    change::{owner, quorum},
    mesh::route,
    object::{Kind, Object, Write},
    snapshot::Objects,
};
use json_patch::{AddOperation, Patch, PatchOperation, jsonptr::PointerBuf};
use naru_view::{canary::RuleList, order::Begin};
use serde_json::{Value, json};

/// Characters of the route's name that the canary's takes over: with what follows it stays a DNS label of at most 63.
const TAKEN_OVER: usize = 40;

/// Why a canary cannot be ordered.
#[derive(Clone, Debug, PartialEq)]
pub enum Unfit {
    /// The rule does not allow it now.
    Refused(Refused),
    /// The order cannot be meant; the field and what is wrong with it.
    Odd(Name),
}

/// The edit that gives a canary a course, guarded by the object as it was read.
pub fn steered(canary: &Object, course: Course) -> Write {
    let value = serde_json::to_value(course).unwrap_or(Value::Null);
    // Adding replaces what is there (RFC 6902, 4.1).
    let path = PointerBuf::from_tokens(["spec", "course"]);
    Write::Patch {
        key: canary.key().clone(),
        rv: canary.resource_version(),
        ops: Patch(vec![PatchOperation::Add(AddOperation { path, value })]),
    }
}

/// The Canary object that moves a rule of `live` as wished. Of its two destinations the one with more weight is the stable version, the first
/// where both have the same.
///
/// # Errors
/// The rule is of a list that Naru takes no steps with, is not one of two destinations, is somebody else's, is moved already, or gives the
/// canary more than the first step would; or the order cannot be meant.
pub fn ordered(
    objects: &Objects,
    live: &Object,
    wish: &Begin,
    who: &Actor,
    now: Timestamp,
) -> Result<Object, Unfit> {
    let list = wish.route.list;
    if !list.steps() {
        let list = match list {
            RuleList::HttpRoute => list.kind().into(),
            _ => format!("spec.{}", list.field()).into(),
        };
        return Err(Unfit::Refused(Refused::NoSteps { list }));
    }
    let not_two = || {
        let detail = format!("spec.http[{}] has not two destinations", wish.route.rule);
        Unfit::Refused(Refused::RouteChanged {
            detail: detail.into(),
        })
    };
    let rules = route::rules(live);
    let rule = rules
        .iter()
        .find(|it| it.index == wish.route.rule)
        .ok_or_else(not_two)?;
    let ([one, other], [of_one, of_other]) = (&*rule.destinations, &*rule.weights()) else {
        return Err(not_two());
    };
    let (stable, canary, weight) = if of_other > of_one {
        (other, one, of_one)
    } else {
        (one, other, of_other)
    };
    if let Some(refused) = owner::bars(objects, live, rule) {
        return Err(Unfit::Refused(refused));
    }
    // Nobody stands beside a controller.
    let above = quorum::above(objects).map_err(|why| Unfit::Refused(Refused::Unknown { whys: vec![why] }))?;
    if let Some(above) = above.filter(|above| wish.steps.iter().any(|it| it.weight > *above)) {
        return Err(Unfit::Refused(Refused::Quorum { above }));
    }
    if let Some(name) = ordered::running(objects, &wish.route) {
        return Err(Unfit::Refused(Refused::CanaryRuns { name }));
    }
    if wish.steps.first().is_some_and(|first| first.weight < *weight) {
        let detail = format!("steps[0].weight: the rule gives {weight} % already");
        return Err(Unfit::Odd(detail.into()));
    }
    let to = |it: &route::Destination| json!({"host": it.host, "subset": it.subset});
    let steps = wish
        .steps
        .iter()
        .map(|it| json!({"weight": it.weight, "dwell": format!("{}s", it.dwell_s), "requests": it.requests}));
    let spec = json!({
        "route": {"name": wish.route.name, "rule": wish.route.rule},
        "stable": to(stable), "canary": to(canary), "steps": steps.collect::<Vec<_>>(),
        "guardrail": {"errors": wish.errors},
        "approvedBy": {"issuer": who.issuer, "subject": who.sub, "name": who.name},
    });
    let odd = |detail: String| Unfit::Odd(detail.into());
    // Read before it is written: what is written is whole, with the defaults of today, and can be meant.
    let read = object(wish, now, &spec).and_then(|it| Spec::read(&it).map_err(|odd| odd.detail.to_string()));
    let spec = serde_json::to_value(read.map_err(odd)?).map_err(|error| odd(error.to_string()))?;
    object(wish, now, &spec).map_err(odd)
}

fn object(wish: &Begin, now: Timestamp, spec: &Value) -> Result<Object, String> {
    let route: String = wish.route.name.chars().take(TAKEN_OVER).collect();
    // Time in hexadecimal sorts by age.
    let name = format!(
        "{}-{:x}",
        route.trim_end_matches(['-', '.']),
        now.as_millisecond()
    );
    let json = json!({
        "apiVersion": Kind::Canary.api_version(), "kind": Kind::Canary.name(),
        "metadata": {"name": name, "namespace": wish.route.namespace}, "spec": spec,
    });
    Object::new(Kind::Canary, json).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Unfit, ordered};
    use crate::{
        Refused,
        actor::Actor,
        canary::spec::{Course, Spec},
        example,
        fact::Fact,
        object::{Kind, Object},
        snapshot::Objects,
    };
    use naru_view::{
        canary::{RouteRef, RuleList},
        order::{Begin, Step},
    };
    use serde_json::json;

    fn wish(rule: u32, weights: &[u32]) -> Begin {
        let step = |&weight: &u32| Step {
            weight,
            dwell_s: 600,
            requests: 500,
        };
        Begin {
            route: RouteRef {
                namespace: "user-service".into(),
                name: "user-service".into(),
                list: RuleList::Http,
                rule,
            },
            steps: weights.iter().map(step).collect(),
            errors: 0.01,
        }
    }

    fn order(objects: &Objects, wish: &Begin) -> Result<Object, Unfit> {
        let live = objects
            .object(Kind::VirtualService, "user-service", "user-service")
            .unwrap();
        ordered(objects, live, wish, &Actor::loopback(), example::now())
    }

    #[test]
    fn it_is_written_whole_and_reads_as_it_was_meant() {
        let object = order(&example::objects(), &wish(0, &[10, 25, 100])).unwrap();
        assert!(
            object.key().name.starts_with("user-service-"),
            "{}",
            object.key().name
        );
        let spec = Spec::read(&object).unwrap();
        assert_eq!((&*spec.stable.subset, &*spec.canary.subset), ("v1", "v2"));
        assert_eq!((spec.steps[1].weight, spec.steps[1].dwell.as_mins()), (25, 10));
        assert_eq!(
            (&*spec.approved_by.subject, spec.course),
            ("operator", Course::Run)
        );
        assert_eq!(
            object.text("/spec/warmUp"),
            "3m",
            "what is left out is written out"
        );
    }

    #[test]
    fn what_cannot_be_moved_or_meant_is_refused() {
        let objects = example::objects();
        for (rule, weights) in [(0, &[][..]), (0, &[25, 10]), (0, &[5, 50]), (0, &[10, 101])] {
            let odd = order(&objects, &wish(rule, weights));
            assert!(
                matches!(&odd, Err(Unfit::Odd(it)) if it.contains("steps")),
                "{weights:?}: {odd:?}"
            );
        }
        let no_rule = order(&objects, &wish(3, &[10, 100]));
        assert!(
            matches!(no_rule, Err(Unfit::Refused(Refused::RouteChanged { .. }))),
            "{no_rule:?}"
        );
        let mut objects = objects;
        let first = order(&objects, &wish(0, &[10, 100])).unwrap();
        objects.put(Fact::Object(first.clone()));
        let name = first.key().name.clone();
        assert_eq!(
            order(&objects, &wish(0, &[10, 100])),
            Err(Unfit::Refused(Refused::CanaryRuns { name }))
        );
        let mut over = first.json().clone();
        over["status"] = json!({"phase": "RolledBack"});
        objects.put(Fact::Object(Object::new(Kind::Canary, over).unwrap()));
        assert!(order(&objects, &wish(0, &[10, 100])).is_ok());
    }
}
