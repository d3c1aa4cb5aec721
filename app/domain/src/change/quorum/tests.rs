use super::{LIFE, Proposal, by_another, raised, waiting, wanted};
use crate::{
    Why,
    actor::Actor,
    change::plan::{Intent, Plan, plan},
    example,
    fact::Fact,
    mesh::route,
    object::{Kind, Object},
    snapshot::{KindState, Objects},
};
use naru_view::canary::{RouteRef, RuleList, SetWeights, WeightOf};
use serde_json::{Value, json};

fn wish(v1: u32, v2: u32) -> Intent {
    let to = |subset: &str, weight| WeightOf {
        host: "user-service".into(),
        subset: subset.into(),
        weight,
    };
    Intent::SetWeights(SetWeights {
        route: RouteRef {
            namespace: "user-service".into(),
            name: "user-service".into(),
            list: RuleList::Http,
            rule: 0,
        },
        weights: vec![to("v1", v1), to("v2", v2)],
    })
}

/// The example, whose weights are 90 and 10 unless said otherwise, under a Migration.
fn system(v2: u32, migration: &Value) -> Objects {
    let mut objects = example::objects();
    let edited = example::edited(&objects, |json| {
        let route = &mut json["spec"]["http"][0]["route"];
        (route[0]["weight"], route[1]["weight"]) = ((100 - v2).into(), v2.into());
    });
    objects.put(Fact::Object(edited));
    let migration = json!({"metadata": {"name": "m"}, "spec": migration});
    objects.put(Fact::read(Kind::Migration, migration).unwrap());
    objects
}

fn planned(objects: &Objects, intent: &Intent) -> (Plan, Object) {
    let live = objects.object(Kind::VirtualService, "user-service", "user-service");
    (
        plan(intent, &example::snapshot(objects.clone())).unwrap(),
        live.unwrap().clone(),
    )
}

fn asks(now: u32, v2: u32, migration: &Value) -> Option<u32> {
    let objects = system(now, migration);
    let (plan, live) = planned(&objects, &wish(100 - v2, v2));
    wanted(&objects, &live, &plan).unwrap()
}

#[test]
fn what_nobody_may_read_holds_up_more_and_never_less() {
    for (v2, known) in [(11, false), (0, true)] {
        let mut objects = system(10, &json!({"quorumAbove": 25}));
        let (plan, live) = planned(&objects, &wish(100 - v2, v2));
        let lost = Why::NotYet {
            source: crate::SourceName::Kubernetes,
        };
        objects
            .kinds
            .insert(Kind::Migration, KindState::Lost(lost.clone()));
        let expected = if known { Ok(None) } else { Err(lost) };
        assert_eq!(wanted(&objects, &live, &plan), expected, "{v2}");
    }
}

#[test]
fn only_more_of_the_new_version_than_so_much_wants_two() {
    let n = || json!({"quorumAbove": 25});
    for (now, v2, expected) in [
        (10, 25, None),
        (10, 26, Some(25)),
        (25, 100, Some(25)),
        // Back is never held up, from wherever and however far.
        (100, 0, None),
        (60, 50, None),
        (50, 0, None),
    ] {
        assert_eq!(asks(now, v2, &n()), expected, "{now} → {v2}");
    }
    assert_eq!(asks(10, 100, &json!({})), None);
    assert_eq!(asks(0, 1, &json!({"quorumAbove": 0})), Some(0));
    // What cannot be read is not taken for nothing.
    assert_eq!(asks(10, 11, &json!({"quorumAbove": "most"})), Some(0));
}

fn person(sub: &str) -> Actor {
    Actor {
        sub: sub.into(),
        ..Actor::loopback()
    }
}

#[test]
fn only_another_persons_young_proposal_of_the_same_plan_counts() {
    let mut objects = system(10, &json!({"quorumAbove": 25}));
    let (plan, _) = planned(&objects, &wish(50, 50));
    let proposal = Proposal::of(&plan, person("kim"), "half".into(), example::now());
    assert_eq!(
        Proposal::read(&proposal.object().unwrap()),
        Some(proposal.clone())
    );
    objects.put(Fact::Object(proposal.object().unwrap()));
    let waits = |objects: &Objects, later| waiting(objects, example::now() + later);
    let all = waits(&objects, LIFE / 2);
    assert_eq!(by_another(&all, &plan, &person("lee")), Some(proposal.clone()));
    // Whatever they call themselves.
    let renamed = Actor {
        name: "Lee".into(),
        groups: [].into(),
        ..person("kim")
    };
    assert_eq!(by_another(&all, &plan, &renamed), None);
    let (other, _) = planned(&objects, &wish(40, 60));
    assert_eq!(by_another(&all, &other, &person("lee")), None);
    assert_eq!(waits(&objects, LIFE), []);
    // One that lies elsewhere needed no right where it acts.
    let mut json = proposal.object().unwrap().json().clone();
    json["metadata"]["namespace"] = json!("other");
    let mut elsewhere = system(10, &json!({"quorumAbove": 25}));
    elsewhere.put(Fact::read(Kind::Proposal, json).unwrap());
    assert_eq!(waits(&elsewhere, LIFE / 2), []);
}

#[test]
fn who_comes_in_by_another_door_may_be_the_same_person() {
    let mut objects = system(10, &json!({"quorumAbove": 25}));
    let (plan, _) = planned(&objects, &wish(50, 50));
    let proposal = Proposal::of(&plan, person("kim"), "half".into(), example::now());
    objects.put(Fact::Object(proposal.object().unwrap()));
    let all = waiting(&objects, example::now());
    assert!(by_another(&all, &plan, &person("lee")).is_some());
    assert_eq!(by_another(&all, &plan, &Actor::of_cluster(&"lee".into())), None);
    // And what nobody knows to be used up or not counts for nothing.
    objects.kinds.insert(Kind::Change, KindState::NotYet);
    assert_eq!(waiting(&objects, example::now()), []);
}

#[test]
fn the_stable_version_is_what_the_canary_says_and_goes_back_alone() {
    let asks = |canary: Option<&str>, v1: u32| {
        let mut objects = system(80, &json!({"quorumAbove": 25}));
        if let Some(phase) = canary {
            let to = |subset: &str| json!({"host": "user-service", "subset": subset});
            let order = json!({
                "metadata": {"name": "steps", "namespace": "user-service"},
                "spec": {"route": {"name": "user-service", "rule": 0}, "stable": to("v2"), "canary": to("v1"),
                    "steps": [{"weight": 20, "dwell": "10m", "requests": 500}],
                    "approvedBy": {"issuer": "i", "subject": "s", "name": "n"}},
                "status": {"phase": phase},
            });
            objects.put(Fact::read(Kind::Canary, order).unwrap());
        }
        let (plan, live) = planned(&objects, &wish(v1, 100 - v1));
        wanted(&objects, &live, &plan).unwrap()
    };
    // v2 is second, and stable.
    assert_eq!(asks(Some("Dwelling"), 0), None);
    assert_eq!(asks(Some("Dwelling"), 50), Some(25));
    // Nobody says so any more.
    assert_eq!(asks(Some("RolledBack"), 50), None);
    assert_eq!(asks(None, 0), Some(25));
    assert_eq!(asks(None, 50), None);
}

#[test]
fn a_version_that_stands_twice_is_one() {
    let rule = |parts: [u32; 3]| {
        let to = |subset: &str, weight: u32| json!({"destination": {"host": "a", "subset": subset}, "weight": weight});
        let route = [("v1", parts[0]), ("v2", parts[1]), ("v2", parts[2])].map(|(it, weight)| to(it, weight));
        let json = json!({"metadata": {"name": "r", "namespace": "n"}, "spec": {"hosts": ["a"], "http": [{"route": route}]}});
        route::weighted(&Object::new(Kind::VirtualService, json).unwrap())
    };
    let (before, after) = (rule([80, 10, 10]), rule([50, 25, 25]));
    assert_eq!(raised(&before, &after[0], 0), Some(50.0));
    assert_eq!(raised(&after, &before[0], 0), None);
}

#[test]
fn how_old_it_is_says_the_api_server() {
    let mut objects = system(10, &json!({"quorumAbove": 25}));
    let (plan, _) = planned(&objects, &wish(50, 50));
    let ahead = Proposal::of(&plan, person("kim"), "half".into(), example::now() + LIFE);
    let mut json = ahead.object().unwrap().json().clone();
    json["metadata"]["creationTimestamp"] = json!(example::now().to_string());
    objects.put(Fact::read(Kind::Proposal, json).unwrap());
    assert_eq!(waiting(&objects, example::now() + LIFE), []);
    assert_eq!(waiting(&objects, example::now()).len(), 1);
}
