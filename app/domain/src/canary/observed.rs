//! The split that was really seen since the weights were set.

mod apart;

use crate::{
    Name, Why,
    mesh::{
        host::Host,
        route::{self, Leading, Rule},
    },
    object::Object,
    snapshot::{Objects, Snapshot},
    topology::round,
    traffic::{Split, SplitRow},
};
use naru_view::canary::{Destination, Observed, Past, Share};

/// Two-sided 95 % of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Counts each destination's requests. Unknown where there is no moment to count from, where nothing was measured, and where requests
/// of other rules arrive at the same pods and the proxies do not tell by which rule.
pub(super) fn observed(
    snapshot: &Snapshot,
    leading: &Leading<'_>,
    object: &Object,
    rule: &Rule,
    destinations: &[Destination],
    has_moment: bool,
) -> Observed {
    let unknown = |whys| Observed::Unknown { whys, apart: None };
    if rule.list.connections() {
        return unknown(vec![Why::Connections]);
    }
    let services = super::services(&snapshot.objects.value, object, rule);
    let objects = &*snapshot.objects.value;
    let mixed = mixed(objects, leading, object, rule);
    let mut whys = Vec::new();
    if !has_moment {
        whys.push(Why::NoMoment);
    }
    if let Err(why) = &services {
        whys.push(why.clone());
    }
    if overlap(destinations) {
        whys.push(Why::NotJudged {
            what: "destinations that share a workload".into(),
        });
    }
    let splits = &snapshot.traffic.value.splits;
    let split = match splits.get(&super::reference(object, rule)) {
        Some(Ok(dated)) => Some(&dated.value),
        Some(Err(why)) => {
            whys.push(why.clone());
            None
        }
        None => {
            if whys.is_empty() && mixed.is_empty() {
                whys.push(Why::NotYet {
                    source: crate::SourceName::Prometheus,
                });
            }
            None
        }
    };
    let (Some(split), Ok(services), true) = (split, &services, whys.is_empty()) else {
        return unknown(mixed.into_iter().chain(whys).collect());
    };
    let split = (split, mixed.is_empty());
    match apart::of_rule(objects, leading, (object, rule), services, split) {
        Ok((split, others)) => count(&split, destinations, others),
        Err(apart) => Observed::Unknown {
            whys: mixed,
            apart: Some(apart),
        },
    }
}

/// Whether requests of other rules arrive at the same pods.
pub(super) fn mixes(objects: &Objects, leading: &Leading<'_>, object: &Object, rule: &Rule) -> bool {
    !mixed(objects, leading, object, rule).is_empty()
}

/// That they do, for each destination of which it is so.
fn mixed(objects: &Objects, leading: &Leading<'_>, object: &Object, rule: &Rule) -> Vec<Why> {
    let reached = rule.destinations.iter().filter(|it| {
        let Host::Service(service) = it.resolve(objects, &object.key().namespace) else {
            return false;
        };
        leading.others_reach((object, rule), &service, &it.subset)
    });
    let why = |it: &route::Destination| Why::HeaderRouted { subset: it.label() };
    reached.map(why).collect()
}

/// Whether one workload is behind two destinations, so that an arrival there says nothing.
fn overlap(destinations: &[Destination]) -> bool {
    let mut seen: Vec<&Name> = destinations.iter().flat_map(|it| &it.workloads).collect();
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    seen.len() < all
}

fn count(split: &Split, destinations: &[Destination], others: u64) -> Observed {
    let counts: Vec<Past> = destinations.iter().map(|it| past(&split.rows, it)).collect();
    let n: u64 = counts.iter().map(|it| it.n).sum();
    if n == 0 {
        let window = split.to.duration_since(split.from).as_secs();
        return Observed::Unknown {
            whys: vec![Why::NoTraffic {
                window_s: u32::try_from(window).unwrap_or(0),
            }],
            apart: None,
        };
    }
    let before = |it| split.before.as_ref().map(|before| past(&before.rows, it));
    let shares = destinations.iter().zip(counts).map(|(to, counted)| {
        let (low, high) = wilson(counted.n, n);
        Share {
            n: counted.n,
            percent: 100.0 * ratio(counted.n, n),
            low: 100.0 * low,
            high: 100.0 * high,
            failed: counted.failed,
            mean_ms: counted.mean_ms,
            before: before(to),
        }
    });
    Observed::Known {
        from: split.from.as_millisecond(),
        to: split.to.as_millisecond(),
        n,
        shares: shares.collect(),
        unrouted: split.unrouted.values().sum(),
        others,
        before: split
            .before
            .as_ref()
            .map(|it| (it.from.as_millisecond(), it.to.as_millisecond())),
    }
}

/// What was counted to the workloads behind a destination.
fn past(rows: &[SplitRow], to: &Destination) -> Past {
    let mut all = Past::default();
    let (mut timed, mut spent) = (0, None);
    for row in rows {
        let place = Name::from(format!("{}/{}", row.namespace, row.workload));
        if !to.workloads.contains(&place) {
            continue;
        }
        all.n += row.requests;
        all.failed += row.failed;
        if let Some(ms) = row.spent_ms {
            timed += row.timed;
            spent = Some(spent.unwrap_or(0.0) + ms);
        }
    }
    let each = |spent: f64| round::significant(spent / ratio(timed, 1));
    all.mean_ms = spent.filter(|_| timed > 0).map(each);
    all
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of requests stay far below 2^53"
)]
fn ratio(part: u64, n: u64) -> f64 {
    part as f64 / n as f64
}

/// The Wilson score interval of a share (E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22,
/// 1927): unlike the normal approximation it stays within 0 and 1 and is honest for small counts. Requests that share a connection or a
/// user are not independent, so the true interval is somewhat wider.
fn wilson(part: u64, n: u64) -> (f64, f64) {
    let (share, n) = (ratio(part, n), ratio(n, 1));
    let z2 = Z * Z / n;
    let centre = share + z2 / 2.0;
    let half = Z * (share * (1.0 - share) / n + z2 / (4.0 * n)).sqrt();
    (
        ((centre - half) / (1.0 + z2)).max(0.0),
        ((centre + half) / (1.0 + z2)).min(1.0),
    )
}

#[cfg(test)]
mod tests {
    use super::wilson;
    use crate::{
        Why,
        actor::Actor,
        canary::{canaries, questions},
        change::{
            plan::{Intent, plan},
            record::{Phase, Record},
        },
        example,
        fact::Fact,
        object::{Kind, Object},
        snapshot::{Objects, Observed as Traffic, Snapshot},
        traffic::{Before, Dated, Split, SplitRow},
    };
    use naru_view::canary::{Canary, Observed, Past, RouteRef, RuleList, SetWeights, WeightOf};
    use std::sync::Arc;

    pub(super) fn route(rule: u32) -> RouteRef {
        RouteRef {
            namespace: "user-service".into(),
            name: "user-service".into(),
            list: RuleList::Http,
            rule,
        }
    }

    /// The example after a change of ours to 50 and 50 landed.
    pub(super) fn landed(mut objects: Objects, rule: u32) -> Objects {
        let to = |subset: &str| WeightOf {
            host: "user-service".into(),
            subset: subset.into(),
            weight: 50,
        };
        let wish = SetWeights {
            route: route(rule),
            weights: vec![to("v1"), to("v2")],
        };
        let plan = plan(&Intent::SetWeights(wish), &example::snapshot(objects.clone())).unwrap();
        let edited = example::edited(&objects, |json| json_patch::patch(json, &plan.ops).unwrap());
        objects.put(Fact::Object(edited));
        let mut record = Record::intended(&plan, "w1".into(), Actor::loopback(), "r".into(), example::now());
        record.phase = Phase::Landed {
            at: example::now(),
            rv: "8".into(),
        };
        let mut json = record.object().unwrap().json().clone();
        let crate::object::Write::PatchStatus { ops, .. } = record.settle(&record.phase) else {
            panic!()
        };
        json_patch::patch(&mut json, &ops).unwrap();
        objects.put(Fact::Object(Object::new(Kind::Change, json).unwrap()));
        objects
    }

    fn seen(objects: Objects, split: Option<Result<Dated<Split>, Why>>, rule: u32) -> Canary {
        let mut snapshot: Snapshot = example::snapshot(objects);
        let mut traffic: Traffic = (*snapshot.traffic.value).clone();
        traffic.splits = split.into_iter().map(|split| (route(rule), split)).collect();
        snapshot.traffic.value = Arc::new(traffic);
        canaries(&snapshot)
            .into_iter()
            .find(|canary| canary.route.rule == rule)
            .unwrap()
    }

    fn split() -> Dated<Split> {
        let row = |version: &str, requests| SplitRow {
            namespace: "user-service".into(),
            workload: format!("user-service-{version}").into(),
            version: version.into(),
            route: "".into(),
            requests,
            failed: 1,
            timed: requests - 10,
            spent_ms: Some(12_000.0),
        };
        let value = Split {
            from: example::now(),
            to: example::now() + jiff::SignedDuration::from_secs(60),
            rows: vec![row("v1", 490), row("v2", 510)],
            unrouted: [("".into(), 3)].into(),
            before: Some(Before {
                from: example::now() - jiff::SignedDuration::from_secs(60),
                to: example::now(),
                rows: vec![row("v1", 900)],
            }),
        };
        Dated {
            value,
            at: example::now(),
            gaps: Vec::new(),
        }
    }

    #[test]
    fn counted_since_the_change() {
        let canary = seen(landed(example::objects(), 0), Some(Ok(split())), 0);
        let Observed::Known {
            n,
            shares,
            unrouted,
            before,
            ..
        } = canary.observed
        else {
            panic!("{:?}", canary.observed)
        };
        assert_eq!((n, unrouted, shares[1].n, shares[1].failed), (1000, 3, 510, 1));
        assert!((shares[1].percent - 51.0).abs() < 1e-9 && shares[1].low < 48.0 && shares[1].high > 54.0);
        assert_eq!(canary.last_change.as_deref(), Some("w1"));
        // What became a connection is not in the mean: 12,000 ms in 500 requests.
        assert_eq!(shares[1].mean_ms, Some(24.0));
        let past = |n, failed, mean_ms| Some(Past { n, failed, mean_ms });
        assert_eq!(shares[0].before, past(900, 1, Some(13.5)));
        assert_eq!(shares[1].before, past(0, 0, None));
        assert_eq!(before.map(|(from, to)| to - from), Some(60_000));
    }

    #[test]
    fn without_a_change_of_ours_there_is_no_moment() {
        let canary = seen(example::objects(), None, 0);
        assert_eq!(
            canary.observed,
            Observed::Unknown {
                whys: vec![Why::NoMoment],
                apart: None,
            }
        );
        assert!(questions(&example::objects(), example::now()).is_empty());
    }

    #[test]
    fn weights_moved_by_others_since_have_no_moment_either() {
        let mut objects = landed(example::objects(), 0);
        let edited = example::edited(&objects, |json| {
            json["spec"]["http"][0]["route"][0]["weight"] = 60.into()
        });
        objects.put(Fact::Object(edited));
        assert_eq!(questions(&objects, example::now()), []);
        assert_eq!(
            seen(objects, None, 0).observed,
            Observed::Unknown {
                whys: vec![Why::NoMoment],
                apart: None,
            }
        );
    }

    #[test]
    fn asked_from_the_moment_it_landed() {
        let questions = questions(&landed(example::objects(), 0), example::now());
        assert_eq!(questions.len(), 1);
        assert_eq!(
            (questions[0].0.clone(), questions[0].1.since),
            (route(0), example::now() + super::super::SETTLE)
        );
    }

    #[test]
    fn whoever_wrote_the_object_last_sets_the_moment_and_an_hour_is_the_longest() {
        let at = |time: &str| {
            let mut objects = landed(example::objects(), 0);
            let edited = example::edited(&objects, |json| {
                json["metadata"]["managedFields"] = serde_json::json!([{"manager": "kubectl", "time": time}]);
            });
            objects.put(Fact::Object(edited));
            questions(&objects, example::now())[0].1.since
        };
        let minute = jiff::SignedDuration::from_mins(1);
        let written = (example::now() - minute).to_string();
        assert_eq!(at(&written), example::now() - minute + super::super::SETTLE);
        assert_eq!(
            at("2026-01-01T00:00:00Z"),
            example::now() - super::super::LOOK_BACK
        );
    }

    #[test]
    fn wilson_is_the_published_one() {
        // Newcombe 1998, Table I, method 3: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0.0000 to 0.1611.
        let close =
            |(low, high): (f64, f64), (l, h): (f64, f64)| (low - l).abs() < 5e-5 && (high - h).abs() < 5e-5;
        assert!(close(wilson(81, 263), (0.2553, 0.3662)), "{:?}", wilson(81, 263));
        assert!(close(wilson(0, 20), (0.0, 0.1611)), "{:?}", wilson(0, 20));
    }
}
