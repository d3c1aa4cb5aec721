use super::{capacity, peak};
use crate::{
    Timestamp,
    canary::spec::Spec,
    example,
    fact::Fact,
    judge::guardrail::{Arrivals, Block, Counts, Role},
    object::{Kind, Object},
    snapshot::KindState,
};
use jiff::SignedDuration;
use serde_json::json;

const NOW: i64 = 1_200_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn counts(blocks: Vec<Block>, arrivals: Vec<Arrivals>) -> Counts {
    Counts {
        scrape: SignedDuration::from_secs(15),
        newest: None,
        blocks,
        arrivals,
        unrouted: Vec::new(),
        ..Counts::nothing()
    }
}

/// What a caller sent between two seconds before now.
fn block(caller: &str, role: Role, from: i64, to: i64, requests: u64, failed: u64) -> Block {
    Block {
        from: at(NOW - from),
        to: at(NOW - to),
        role,
        caller: caller.into(),
        destination: "user-service/user-service-v1".into(),
        requests,
        failed,
        grpc_failed: 0,
        client_errors: 0,
        slow: 0,
    }
}

fn arrivals(role: Role, to: i64, pod: Option<&str>) -> Arrivals {
    Arrivals {
        to: at(NOW - to),
        role,
        pod: pod.map(Into::into),
        attempts: 1,
    }
}

fn told(blocks: Vec<Block>, arrived: Vec<Arrivals>, ready: u32) -> Option<f64> {
    peak(&counts(blocks, arrived), ready, at(NOW))
}

#[test]
fn the_peak_is_the_best_minute_that_was_carried_well() {
    let one = |to: i64, requests, failed| block("a", Role::Stable, to + 60, to, requests, failed);
    let pods = |to: i64, names: &[&str]| -> Vec<Arrivals> {
        let names = names.iter();
        names.map(|it| arrivals(Role::Stable, to, Some(it))).collect()
    };
    // Nothing was counted, or nothing by whom.
    assert_eq!(told(vec![], vec![], 2), None);
    // 20 a second by two pods, long ago; more of it failed later.
    let blocks = vec![one(1_200, 1_200, 11), one(600, 6_000, 60), one(540, 600, 0)];
    let mut arrived = pods(1_200, &["p", "q", "q"]);
    arrived.extend(pods(600, &["p"]));
    arrived.extend(pods(540, &["p", "q", "r"]));
    arrived.push(arrivals(Role::Canary, 1_200, Some("x")));
    assert_eq!(told(blocks.clone(), arrived, 9), Some(10.0));
    // Without them only the last five minutes are known, and there the pods of now.
    assert_eq!(told(blocks, vec![arrivals(Role::Stable, 540, None)], 9), None);
    let recent = vec![
        one(120, 600, 0),
        one(60, 1_200, 0),
        block("a", Role::Canary, 60, 0, 9_000, 0),
    ];
    assert_eq!(told(recent.clone(), vec![], 4), Some(5.0));
    assert_eq!(told(recent, vec![], 0), None);
}

#[test]
fn callers_add_up_and_what_was_counted_for_longer_is_spread() {
    let two = vec![
        block("a", Role::Stable, 120, 60, 600, 0),
        block("b", Role::Stable, 180, 60, 2_400, 0),
        // A quarter of a minute is not a minute's load.
        block("c", Role::Stable, 75, 60, 300, 0),
    ];
    assert_eq!(told(two, vec![], 1), Some(10.0 + 20.0 + 5.0));
}

#[test]
fn the_stable_version_is_as_kubernetes_has_it() {
    let canary = json!({"metadata": {"name": "user", "namespace": "user-service"}, "spec": {
        "route": {"name": "user-service", "rule": 0},
        "stable": {"host": "user-service", "subset": "v1"}, "canary": {"host": "user-service", "subset": "v2"},
        "steps": [{"weight": 5, "dwell": "10m", "requests": 100}],
        "approvedBy": {"issuer": "i", "subject": "s", "name": "Kim"}}});
    let spec = Spec::read(&Object::new(Kind::Canary, canary).unwrap()).unwrap();
    let mut objects = example::objects();
    let seen_of = |objects, pods, counts: Option<&Counts>| {
        let capacity = capacity(&example::snapshot(objects), &spec, "user-service", pods, counts);
        (capacity.ready, capacity.wanted, capacity.rate, capacity.peak)
    };
    let seen = |objects, counts| seen_of(objects, None, counts);
    // Nobody says how many are wanted: those that are there.
    assert_eq!(seen(objects.clone(), None), (Some(2), 2, Some(30.0), None));
    let labels = json!({"app": "user-service", "version": "v1"});
    let deployment = json!({"metadata": {"name": "user-service-v1", "namespace": "user-service"},
        "spec": {"replicas": 5, "template": {"metadata": {"labels": labels}}}});
    objects.put(Fact::read(Kind::Deployment, deployment).unwrap());
    let now = example::now();
    let minute = Block {
        from: now - SignedDuration::from_secs(60),
        to: now,
        ..block("a", Role::Stable, 60, 0, 1_800, 0)
    };
    let counts = counts(vec![minute], vec![]);
    assert_eq!(
        seen(objects.clone(), Some(&counts)),
        (Some(2), 5, Some(30.0), Some(15.0))
    );
    // Who answered is not told, and there were more of them before it was made smaller.
    assert_eq!(seen_of(objects.clone(), Some(1), Some(&counts)).3, Some(15.0));
    assert_eq!(seen_of(objects.clone(), Some(6), Some(&counts)).3, Some(5.0));
    objects.kinds.insert(Kind::EndpointSlice, KindState::NotYet);
    assert_eq!(seen(objects, Some(&counts)), (None, 0, Some(30.0), None));
}
