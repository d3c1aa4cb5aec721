use super::{Answers, Births, collect::collect, series};
use naru_domain::{
    Timestamp, Why,
    judge::guardrail::{Block, Counts, CountsQuestion, Role, Slow},
    traffic::ServiceId,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// All samples below: scraped each 15 s, asked since second 100.
const SINCE: i64 = 100;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn question(slow_above_ms: Option<f64>) -> CountsQuestion {
    let workload = |name: &str| BTreeSet::from([("shop".into(), name.into())]);
    CountsQuestion {
        service: ServiceId {
            namespace: "shop".into(),
            name: "user".into(),
        },
        stable: workload("user-v1"),
        canary: workload("user-v2"),
        since: at(SINCE),
        slow_above_ms,
    }
}

/// A series of a pod's proxy towards a workload; labels may be changed.
fn series(pod: &str, workload: &str, more: &Value, samples: &[(i64, u64)]) -> Value {
    let mut metric = json!({"__name__": "istio_requests_total", "reporter": "source", "request_protocol": "http", "response_code": "200",
        "response_flags": "-", "source_workload": "gateway", "source_workload_namespace": "edge",
        "destination_workload": workload, "destination_workload_namespace": "shop", "destination_service_name": "user",
        "destination_service_namespace": "shop", "instance": format!("{pod}:15020"), "pod": pod, "namespace": "edge", "job": "pods"});
    for (name, value) in more.as_object().into_iter().flatten() {
        metric[name] = value.clone();
    }
    let values: Vec<Value> = samples.iter().map(|(at, n)| json!([at, n.to_string()])).collect();
    json!({"metric": metric, "values": values})
}

fn answer(all: &[Value]) -> Vec<u8> {
    let json = json!({"status": "success", "data": {"resultType": "matrix", "result": all}});
    serde_json::to_vec(&json).unwrap()
}

fn up(pod: &str, samples: &[(i64, u64)]) -> Value {
    let labels = json!({"instance": format!("{pod}:15020"), "pod": pod, "namespace": "edge", "job": "pods"});
    let values: Vec<Value> = samples.iter().map(|(at, n)| json!([at, n.to_string()])).collect();
    json!({"metric": labels, "values": values})
}

struct Asked {
    requests: Vec<Value>,
    attempts: Vec<Value>,
    durations: Option<Vec<Value>>,
    up: Vec<Value>,
}

impl Asked {
    fn requests(requests: Vec<Value>) -> Self {
        Self {
            requests,
            attempts: vec![],
            durations: None,
            up: vec![],
        }
    }

    fn counts(&self) -> Result<Counts, Why> {
        let question = question(self.durations.as_ref().map(|_| 500.0));
        let read = |all: &[Value]| series::read(&answer(all), &question);
        let answers = Answers {
            requests: read(&self.requests)?,
            attempts: read(&self.attempts)?,
            durations: self.durations.as_ref().map(|it| read(it)).transpose()?,
        };
        let births = Births::of(answers.all()).told(&answer(&self.up))?;
        Ok(collect(&question, &answers, &births, at(SINCE)))
    }

    fn blocks(&self) -> Vec<Block> {
        self.counts().unwrap().blocks
    }
}

/// (caller, role, from, to, requests)
fn shown(blocks: &[Block]) -> Vec<(&str, Role, i64, i64, u64)> {
    let shown = blocks.iter();
    shown
        .map(|it| {
            (
                &*it.caller,
                it.role,
                it.from.as_second(),
                it.to.as_second(),
                it.requests,
            )
        })
        .collect()
}

#[test]
fn pods_are_scraped_at_their_own_times_and_stay_apart() {
    let none = json!({});
    let asked = Asked::requests(vec![
        series(
            "p",
            "user-v1",
            &none,
            &[(80, 100), (95, 110), (110, 130), (125, 130), (140, 170)],
        ),
        series("p", "user-v2", &none, &[(110, 3), (125, 5), (140, 5)]),
        series("q", "user-v1", &none, &[(84, 7), (99, 7), (114, 8)]),
        series("q", "user-v3", &none, &[(84, 7), (99, 7), (114, 9)]),
    ]);
    let counts = asked.counts().unwrap();
    assert_eq!(
        shown(&counts.blocks),
        [
            ("edge/p", Role::Stable, 95, 110, 20),
            ("edge/p", Role::Stable, 125, 140, 40),
            ("edge/p", Role::Canary, 95, 110, 3),
            ("edge/p", Role::Canary, 110, 125, 2),
            ("edge/q", Role::Stable, 99, 114, 1),
        ]
    );
    assert!(
        counts
            .blocks
            .iter()
            .all(|it| it.destination.starts_with("shop/user-v"))
    );
    assert_eq!((counts.scrape.as_secs(), counts.newest), (15, Some(at(140))));
}

#[test]
fn series_of_one_scrape_are_one_block() {
    let asked = Asked::requests(vec![
        series("p", "user-v2", &json!({}), &[(95, 10), (110, 20)]),
        series(
            "p",
            "user-v2",
            &json!({"response_code": "503", "response_flags": "UF,URX"}),
            &[(110, 2)],
        ),
        series(
            "p",
            "user-v2",
            &json!({"response_code": "401"}),
            &[(95, 1), (110, 4)],
        ),
        series(
            "p",
            "user-v2",
            &json!({"request_protocol": "grpc", "grpc_response_status": "14"}),
            &[(95, 1), (110, 2)],
        ),
    ]);
    let blocks = asked.blocks();
    assert_eq!(blocks.len(), 1);
    let it = &blocks[0];
    assert_eq!(
        (it.requests, it.failed, it.client_errors, it.grpc_failed),
        (16, 2, 3, 1)
    );
}

#[test]
fn a_new_callers_first_sample_counts_if_it_was_scraped_before_or_is_new() {
    let none = json!({});
    let old = series(
        "old",
        "user-v1",
        &none,
        &[(5, 1), (20, 1), (95, 1), (110, 1), (125, 1), (140, 1)],
    );
    let new = |first: u64| series("new", "user-v2", &none, &[(130, first), (145, first + 1)]);
    let counted = |up: Vec<Value>, old: Option<&Value>| {
        let mut requests = vec![new(40)];
        requests.extend(old.cloned());
        let asked = Asked {
            up,
            ..Asked::requests(requests)
        };
        let blocks = asked.blocks();
        let its: Vec<(i64, i64, u64)> = blocks
            .iter()
            .map(|it| (it.from.as_second(), it.to.as_second(), it.requests))
            .collect();
        its
    };
    // It was scraped, and had no series.
    let scraped = up("new", &[(85, 1), (100, 1), (115, 1), (130, 1), (145, 1)]);
    assert_eq!(
        counted(vec![scraped], Some(&old)),
        [(115, 130, 40), (130, 145, 1)]
    );
    // It could not be scraped last, but before: its series would have been there.
    let lost = up("new", &[(100, 1), (115, 0), (130, 1), (145, 1)]);
    assert_eq!(counted(vec![lost], Some(&old)), [(100, 130, 40), (130, 145, 1)]);
    // It could not be scraped at all until then: it may have counted for days.
    let away = up("new", &[(100, 0), (115, 0), (130, 1), (145, 1)]);
    assert_eq!(counted(vec![away], Some(&old)), [(130, 145, 1)]);
    // It was not known before, and others were.
    let young = || up("new", &[(130, 1), (145, 1)]);
    assert_eq!(
        counted(vec![young()], Some(&old)),
        [(115, 130, 40), (130, 145, 1)]
    );
    // Nobody was: it is Prometheus that is new.
    assert_eq!(counted(vec![young()], None), [(130, 145, 1)]);
    // Nobody says when it was scraped.
    assert_eq!(counted(vec![], Some(&old)), [(130, 145, 1)]);
}

#[test]
fn only_targets_in_doubt_are_asked_about() {
    let none = json!({});
    let question = question(None);
    let read = |all: &[Value]| series::read(&answer(all), &question).unwrap();
    let known = read(&[
        series("p", "user-v1", &none, &[(95, 1), (110, 1)]),
        series("p", "user-v2", &none, &[(110, 1)]),
        series("early", "user-v1", &none, &[(99, 1)]),
    ]);
    let births = Births::of(known.iter());
    assert!(births.unsure(known.iter(), at(SINCE)).is_empty());
    let new = read(&[series("new", "user-v1", &none, &[(101, 1)])]);
    let births = Births::of(new.iter());
    assert_eq!(births.unsure(new.iter(), at(SINCE)), ["new:15020"]);
}

#[test]
fn resets_gaps_and_old_samples() {
    let none = json!({});
    // Restarted at 7 of 130.
    let reset = series(
        "p",
        "user-v1",
        &none,
        &[(95, 120), (110, 130), (125, 7), (140, 9)],
    );
    let blocks = Asked::requests(vec![reset]).blocks();
    let n: Vec<u64> = blocks.iter().map(|it| it.requests).collect();
    assert_eq!(n, [10, 7, 2]);
    // A missed scrape is in the next one.
    let missed = series("p", "user-v1", &none, &[(95, 1), (110, 2), (155, 5), (170, 5)]);
    assert_eq!(
        shown(&Asked::requests(vec![missed]).blocks()),
        [
            ("edge/p", Role::Stable, 95, 110, 1),
            ("edge/p", Role::Stable, 110, 155, 3)
        ]
    );
    // What is scraped once in a minute is counted across the moment, beside what is scraped more often.
    let seldom = series("p", "user-v1", &none, &[(-15, 1), (40, 1), (95, 1), (150, 7)]);
    let often = series(
        "q",
        "user-v1",
        &none,
        &[(20, 1), (35, 1), (50, 1), (65, 1), (80, 1)],
    );
    assert_eq!(
        shown(&Asked::requests(vec![seldom, often]).blocks()),
        [("edge/p", Role::Stable, 95, 150, 6)]
    );
}

#[test]
fn what_nobody_counted_across_the_moment_may_be_older() {
    // Prometheus was down from 65 to 110, and a canary that failed meanwhile is another one: in a counter that was there, and in a new one.
    let none = json!({});
    let asked = Asked::requests(vec![
        series("p", "user-v1", &none, &[(50, 1), (65, 9), (110, 500), (125, 502)]),
        series(
            "p",
            "user-v2",
            &json!({"response_code": "503"}),
            &[(110, 40), (125, 41)],
        ),
        series("p", "user-v2", &none, &[(125, 3)]),
    ]);
    let counts = asked.counts().unwrap();
    assert_eq!(
        shown(&counts.blocks),
        [
            ("edge/p", Role::Stable, 110, 125, 2),
            ("edge/p", Role::Canary, 110, 125, 4),
        ]
    );
    let failed: Vec<u64> = counts.blocks.iter().map(|it| it.failed).collect();
    assert_eq!(failed, [0, 1]);
}

#[test]
fn of_two_replicas_one_is_counted() {
    let replica = |name: &str, samples: &[(i64, u64)]| {
        series("p", "user-v1", &json!({"prometheus_replica": name}), samples)
    };
    let asked = Asked::requests(vec![
        replica("a", &[(95, 1), (110, 3)]),
        replica("b", &[(96, 1), (111, 3), (126, 4)]),
    ]);
    let blocks = asked.blocks();
    assert_eq!(blocks.iter().map(|it| it.requests).sum::<u64>(), 3);
}

#[test]
fn who_reached_nobody_is_told_and_what_went_elsewhere_is_not() {
    let to = |more: Value| series("p", "unknown", &more, &[(95, 1), (110, 4)]);
    let asked = Asked::requests(vec![
        to(json!({"response_code": "503", "response_flags": "UH"})),
        to(json!({"response_code": "404", "response_flags": "NR"})),
        to(json!({"response_code": "200"})),
        to(json!({"response_code": "503", "destination_workload": "user-v3"})),
    ]);
    let counts = asked.counts().unwrap();
    assert!(counts.blocks.is_empty());
    let told: Vec<u64> = counts.unrouted.iter().map(|it| it.requests).collect();
    assert_eq!(told, [3, 3]);
}

#[test]
fn slow_is_what_is_in_no_bucket_below_the_bound_and_follows_its_requests() {
    let durations = |le: &str, samples: &[(i64, u64)]| series("p", "user-v2", &json!({"le": le}), samples);
    let mut asked = Asked::requests(vec![
        series("p", "user-v1", &json!({}), &[(95, 0), (110, 0)]),
        series(
            "p",
            "user-v2",
            &json!({}),
            &[(110, 10), (125, 20), (140, 20), (155, 30)],
        ),
    ]);
    for bound in ["500", "500.0"] {
        // Nine of the first ten are merged a scrape too late.
        asked.durations = Some(vec![
            durations("+Inf", &[(110, 1), (125, 20), (140, 20), (155, 30)]),
            durations(bound, &[(110, 0), (125, 5), (140, 5), (155, 15)]),
        ]);
        let slow: Vec<(i64, u64)> = asked
            .blocks()
            .iter()
            .map(|it| (it.to.as_second(), it.slow))
            .collect();
        assert_eq!(slow, [(110, 1), (125, 10), (155, 4)], "{bound}");
    }
    // A WebSocket that was open for minutes was not slow.
    let socket = |le: &str, samples: &[(i64, u64)]| {
        series(
            "p",
            "user-v2",
            &json!({"le": le, "response_code": "101"}),
            samples,
        )
    };
    asked.durations = Some(vec![
        durations("+Inf", &[(110, 1), (125, 20), (140, 20), (155, 30)]),
        durations("500", &[(110, 1), (125, 20), (140, 20), (155, 30)]),
        socket("+Inf", &[(110, 0), (125, 4), (140, 4), (155, 4)]),
        socket("500", &[(110, 0), (125, 0), (140, 0), (155, 0)]),
    ]);
    assert!(asked.blocks().iter().all(|it| it.slow == 0));
    for lacking in [vec![], vec![durations("+Inf", &[(110, 10), (125, 20)])]] {
        asked.durations = Some(lacking);
        let counts = asked.counts().unwrap();
        assert_eq!(counts.slow, Slow::no_bucket(500.0, []));
        assert_eq!(counts.blocks.len(), 3, "requests are counted all the same");
    }
    let idle = Asked {
        durations: Some(vec![]),
        ..Asked::requests(vec![])
    };
    assert!(idle.counts().unwrap().blocks.is_empty());
}

#[test]
fn attempts_have_the_pod_that_they_arrived_at() {
    let tried = |pod: &str, workload: &str, source: &str, samples: &[(i64, u64)]| {
        let labels = json!({"reporter": "destination", "source_workload": source, "namespace": "shop"});
        series(pod, workload, &labels, samples)
    };
    let asked = Asked {
        attempts: vec![
            tried("a", "user-v1", "gateway", &[(97, 100), (112, 112)]),
            tried("b", "user-v2", "gateway", &[(97, 10), (112, 14)]),
            tried("b", "user-v2", "unknown", &[(97, 10), (112, 900)]),
            tried("c", "user-v3", "gateway", &[(97, 10), (112, 900)]),
        ],
        ..Asked::requests(vec![
            series("p", "user-v1", &json!({}), &[(95, 100), (110, 110)]),
            series("p", "user-v2", &json!({}), &[(95, 10), (110, 13)]),
        ])
    };
    let counts = asked.counts().unwrap();
    let told: Vec<(Role, Option<&str>, u64)> = counts
        .arrivals
        .iter()
        .map(|it| (it.role, it.pod.as_deref(), it.attempts))
        .collect();
    assert_eq!(
        told,
        [
            (Role::Stable, Some("shop/a"), 12),
            (Role::Canary, Some("shop/b"), 4)
        ]
    );
}

#[test]
fn a_part_of_an_answer_is_none() {
    let part = json!({"status": "success", "warnings": ["store gateway is away"], "data": {"resultType": "matrix", "result": []}});
    let read = series::read(&serde_json::to_vec(&part).unwrap(), &question(None));
    assert_eq!(
        read.map(|it| it.len()),
        Err(Why::Said {
            detail: "store gateway is away".into()
        })
    );
}
