use super::{
    answer,
    count::{Series, Unit, before},
    split,
};
use crate::sources::prometheus::answer::Sample;
use naru_domain::{
    Timestamp, Why,
    traffic::{ServiceId, Split, SplitQuestion},
};

/// All vectors below: scraped each 15 s, the moment is second 100, now is second 200.
const SINCE: i64 = 100;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A counter of pod `pod` for workload `workload`; `samples` are (second, value).
fn series(pod: &str, workload: &str, failed: bool, samples: &[(i64, f64)]) -> Series {
    Series {
        namespace: "n".into(),
        workload: workload.into(),
        version: workload.rsplit('-').next().unwrap_or("").into(),
        route: "".into(),
        failed,
        unit: Unit::Requests,
        switched: false,
        target: [pod.into(), pod.into(), "n".into(), "pods".into()],
        replica: "".into(),
        samples: samples
            .iter()
            .map(|&(second, value)| Sample {
                at_ms: second * 1000,
                value,
            })
            .collect(),
    }
}

fn counted(all: &[Series]) -> Split {
    split(&all.iter().collect::<Vec<_>>(), at(SINCE), at(200))
        .unwrap()
        .value
}

/// (workload, requests, failed)
fn rows(split: &Split) -> Vec<(&str, u64, u64)> {
    split
        .rows
        .iter()
        .map(|it| (&*it.workload, it.requests, it.failed))
        .collect()
}

#[test]
fn only_samples_later_than_the_moment_count() {
    let found = counted(&[
        series(
            "p",
            "b-v1",
            false,
            &[
                (80, 1000.0),
                (95, 1100.0),
                (110, 1200.0),
                (125, 1290.0),
                (140, 1380.0),
            ],
        ),
        series(
            "p",
            "b-v2",
            false,
            &[(80, 0.0), (95, 0.0), (110, 3.0), (125, 13.0), (140, 23.0)],
        ),
    ]);
    assert_eq!(rows(&found), [("b-v1", 180, 0), ("b-v2", 20, 0)]);
    assert_eq!(
        (found.from, found.to, found.unrouted.len()),
        (at(110), at(140), 0)
    );
    assert_eq!(&*found.rows[1].version, "v2");
}

#[test]
fn a_sample_at_the_very_moment_is_before_it() {
    let found = counted(&[series("p", "b", false, &[(100, 10.0), (115, 20.0), (130, 35.0)])]);
    assert_eq!((rows(&found), found.from), (vec![("b", 15, 0)], at(115)));
}

#[test]
fn the_first_failures_of_a_new_code_are_counted_when_the_target_had_been_scraped_without_it() {
    let found = counted(&[
        series(
            "p",
            "b-v2",
            false,
            &[(95, 5.0), (110, 6.0), (125, 8.0), (140, 8.0)],
        ),
        series("p", "b-v2", true, &[(125, 7.0), (140, 9.0)]),
    ]);
    assert_eq!(rows(&found), [("b-v2", 2 + 9, 9)]);
}

#[test]
fn a_new_pod_begins_at_zero_once_every_older_target_had_its_turn() {
    let old = series(
        "old",
        "b",
        false,
        &[(95, 5.0), (110, 5.0), (125, 5.0), (140, 6.0)],
    );
    let new = |second| series("new", "b", false, &[(second, 40.0), (second + 15, 50.0)]);
    // First seen more than an interval after the first scrape.
    assert_eq!(rows(&counted(&[old.clone(), new(126)])), [("b", 1 + 50, 0)]);
    // Within the first interval it may have counted before the moment.
    assert_eq!(rows(&counted(&[old, new(124)])), [("b", 1 + 10, 0)]);
}

#[test]
fn a_series_that_was_there_before_is_not_born_by_a_gap() {
    let found = counted(&[
        series("a", "b", false, &[(95, 1.0), (110, 1.0), (125, 1.0), (140, 1.0)]),
        series("q", "b", false, &[(20, 500.0), (155, 600.0), (170, 610.0)]),
    ]);
    assert_eq!(rows(&found), [("b", 10, 0)]);
}

#[test]
fn a_hole_in_the_middle_loses_nothing() {
    let found = counted(&[series(
        "p",
        "b",
        false,
        &[(95, 1.0), (110, 10.0), (125, 20.0), (185, 80.0)],
    )]);
    assert_eq!(rows(&found), [("b", 70, 0)]);
}

#[test]
fn a_restarted_pod_counts_from_zero_again() {
    let found = counted(&[series(
        "p",
        "b",
        false,
        &[(95, 90.0), (110, 100.0), (125, 104.0), (140, 3.0), (155, 5.0)],
    )]);
    assert_eq!(rows(&found), [("b", 4 + 5, 0)]);
    // Restarted between the last scrape before the moment and the first after it: when, cannot be told.
    let found = counted(&[series("p", "b", false, &[(95, 90.0), (110, 7.0), (125, 9.0)])]);
    assert_eq!(rows(&found), [("b", 2, 0)]);
}

#[test]
fn a_series_that_ended_before_is_no_row_and_one_that_ends_is_counted() {
    let found = counted(&[
        series("gone", "b-v0", false, &[(20, 1.0), (95, 2.0)]),
        series("going", "b-v1", false, &[(95, 2.0), (110, 3.0), (125, 8.0)]),
        series(
            "there",
            "b-v2",
            false,
            &[(95, 0.0), (110, 0.0), (125, 0.0), (140, 0.0)],
        ),
    ]);
    assert_eq!(rows(&found), [("b-v1", 5, 0), ("b-v2", 0, 0)]);
}

#[test]
fn requests_that_reach_no_workload_are_unrouted() {
    let found = counted(&[
        series("p", "b", false, &[(95, 2.0), (110, 3.0), (125, 8.0)]),
        series("p", "", true, &[(95, 2.0), (110, 3.0), (125, 7.0)]),
    ]);
    assert_eq!(
        (rows(&found), found.unrouted.values().sum::<u64>()),
        (vec![("b", 5, 0)], 4)
    );
}

#[test]
fn without_a_history_the_first_sample_is_the_base() {
    // Nothing tells whether the counters were there before Prometheus was.
    let found = counted(&[series("p", "b", false, &[(150, 900.0), (165, 905.0)])]);
    assert_eq!(rows(&found), [("b", 5, 0)]);
}

#[test]
fn too_few_samples_are_no_answer() {
    let young = |all: &[Series], now| split(&all.iter().collect::<Vec<_>>(), at(SINCE), at(now)).unwrap_err();
    let one = series("p", "b", false, &[(80, 1.0), (95, 2.0), (110, 3.0)]);
    let none = series("p", "b", false, &[(80, 1.0), (95, 2.0)]);
    assert_eq!(
        young(&[one], 112),
        Why::TooYoung {
            samples: 1,
            needed: 2
        }
    );
    assert_eq!(
        young(std::slice::from_ref(&none), 104),
        Why::TooYoung {
            samples: 0,
            needed: 2
        }
    );
    assert_eq!(young(&[none], 400), Why::NoTraffic { window_s: 300 });
    assert_eq!(
        young(&[], 90),
        Why::TooYoung {
            samples: 0,
            needed: 2
        }
    );
}

#[test]
fn samples_without_requests_are_no_split() {
    let quiet = series("p", "b", false, &[(95, 7.0), (110, 7.0), (125, 7.0), (140, 7.0)]);
    assert_eq!(
        split(&[&quiet], at(SINCE), at(200)),
        Err(Why::NoTraffic { window_s: 30 })
    );
}

fn question(namespace: &str, name: &str) -> SplitQuestion {
    SplitQuestion {
        services: [ServiceId {
            namespace: namespace.into(),
            name: name.into(),
        }]
        .into(),
        since: at(SINCE),
        changed: Some(at(SINCE - 2)),
    }
}

#[test]
fn an_answer_is_told_apart_by_service_and_read_from_one_replica() {
    let row = |service: &str, replica: &str, values: &str| {
        format!(
            r#"{{"metric":{{"destination_service_name":"{service}","destination_service_namespace":"n","destination_workload":"w",
            "response_code":"0","pod":"p","prometheus_replica":"{replica}"}},"values":{values}}}"#
        )
    };
    let body = format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{},{},{},{}]}},"warnings":["slow store"]}}"#,
        row("a", "r0", r#"[[95,"1"],[110,"2"],[125,"NaN"],[140,"9"]]"#),
        row("a", "r1", r#"[[96,"1"],[111,"3"],[126,"7"],[141,"9"]]"#),
        row("b", "", r#"[[95,"1"],[110,"2"],[125,"3"]]"#),
        row("other", "", r#"[[95,"1"],[110,"2"],[125,"3"]]"#),
    );
    let asked = [
        (4, question("n", "b")),
        (0, question("n", "a")),
        (2, question("x", "a")),
    ];
    let away = Why::Said {
        detail: "away".into(),
    };
    let answers = answer(body.as_bytes(), Err(away), &asked, at(200)).unwrap();
    assert_eq!(answers.iter().map(|it| it.0).collect::<Vec<_>>(), [4, 0, 2]);
    let [b, a, none] = [0, 1, 2].map(|it| answers[it].1.clone());
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!(rows(&a.value), [("w", 6, 6)]);
    assert_eq!(rows(&b.value), [("w", 1, 1)]);
    assert!(
        matches!(
            &b.gaps[..],
            [Why::Said { .. }, Why::Said { .. }, Why::Garbled { .. }]
        ),
        "{:?}",
        b.gaps
    );
    assert_eq!(none, Err(Why::NoTraffic { window_s: 100 }));
    // How long they took is not known, and a single sample before the change is nothing that could be counted.
    assert_eq!((a.value.rows[0].spent_ms, a.value.before), (None, None));
}

#[test]
fn durations_are_counted_with_their_requests_and_connections_are_not_slow() {
    let requests = series("p", "b-v1", false, &[(95, 0.0), (110, 10.0), (125, 30.0)]);
    let took = Series {
        unit: Unit::Milliseconds,
        ..series("p", "b-v1", false, &[(95, 0.0), (110, 200.0), (125, 700.0)])
    };
    let switched = |it: &Series| Series {
        switched: true,
        ..it.clone()
    };
    let found = counted(&[
        requests.clone(),
        took.clone(),
        switched(&requests),
        switched(&took),
    ]);
    let row = &found.rows[0];
    assert_eq!((row.requests, row.timed, row.spent_ms), (40, 20, Some(500.0)));
    assert_eq!(counted(&[requests]).rows[0].spent_ms, None);
}

#[test]
fn the_minutes_up_to_a_change_are_counted_beside() {
    let all = [
        // The first sample is more than five minutes before.
        series(
            "p",
            "b-v1",
            false,
            &[(-210, 5.0), (-185, 10.0), (20, 50.0), (98, 90.0), (110, 900.0)],
        ),
        series("p", "b-v1", true, &[(20, 1.0), (98, 3.0), (110, 9.0)]),
        // A pod that was replaced within them counted from 0 again.
        series("q", "b-v2", false, &[(20, 100.0), (50, 4.0), (95, 10.0)]),
        // One sample is no count, and neither is what was later.
        series("r", "b-v2", false, &[(95, 10.0), (110, 20.0)]),
        series("s", "b-v2", false, &[(110, 10.0), (125, 20.0)]),
        Series {
            unit: Unit::Milliseconds,
            ..series("p", "b-v1", false, &[(20, 100.0), (98, 900.0), (110, 9_000.0)])
        },
    ];
    let all: Vec<&Series> = all.iter().collect();
    let found = before(&all, at(98)).unwrap();
    let rows: Vec<_> = found
        .rows
        .iter()
        .map(|it| (&*it.workload, it.requests, it.failed, it.spent_ms))
        .collect();
    assert_eq!(rows, [("b-v1", 80 + 3, 3, Some(900.0)), ("b-v2", 10, 0, None)]);
    assert_eq!((found.from, found.to), (at(-185), at(98)));
    assert_eq!(before(&all[4..5], at(98)), None);
}

#[test]
fn failures_that_began_before_the_change_are_as_many_as_they_would_be_after_it() {
    let all = [
        series("p", "b-v1", false, &[(20, 5.0), (50, 8.0), (98, 9.0)]),
        // First seen when their target had been scraped without them, one of them a single time.
        series("p", "b-v1", true, &[(50, 40.0), (98, 41.0)]),
        series("p", "b-v2", true, &[(98, 7.0)]),
    ];
    let found = before(&all.iter().collect::<Vec<_>>(), at(98)).unwrap();
    let rows: Vec<_> = found
        .rows
        .iter()
        .map(|it| (&*it.workload, it.requests, it.failed))
        .collect();
    assert_eq!(rows, [("b-v1", 4 + 41, 41), ("b-v2", 7, 7)]);
}
