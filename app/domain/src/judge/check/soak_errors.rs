//! 2.2: while a service soaks, its callers get what the system promises; or at least what they got before, where that was less.

use super::rollout_observed::rollout;
use crate::{
    Timestamp, Why,
    crossing::Item,
    inquiry::{Count, CountsOf},
    judge::{
        Check, Code, FactSource, Found, World, ask,
        injected::{Which, places},
    },
    mesh::{Decider, subset::duration::millis},
    object::Key,
    traffic::Reporter,
    workload::WorkloadId,
};
use jiff::SignedDuration;

const WORSE: Code = Code::error("soak-errors");

/// The fact that stays known.
const SEEN: &str = "soak-requests";

pub(super) const CHECK: Check = Check {
    name: "soak_errors",
    item: Item::ServicesInjected,
    codes: &[&WORSE],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    if !world.running(found) {
        return;
    }
    let soak = world.declared(found, "soak", |it| millis(&it.soak));
    let Some(soak) = soak.and_then(|it| i64::try_from(it).ok()) else {
        return;
    };
    let soak = SignedDuration::from_millis(soak);
    for (_, place) in places(world, Which::Services, found) {
        for id in ask::workloads_behind(world, place) {
            match rollout(world, &id) {
                Some((set, began)) => one(world, &id, set, (began, soak), found),
                None => found.unknown(Why::NotObserved {
                    what: format!("{}/{}: ReplicaSet", id.0, id.1).into(),
                }),
            }
        }
    }
}

fn one(
    world: &World<'_>,
    id: &WorkloadId,
    set: Key,
    (began, soak): (Timestamp, SignedDuration),
    found: &mut Found,
) {
    let name = format!("{}/{}", id.0, id.1);
    let by = Decider {
        key: set,
        path: "".into(),
    };
    // A rollout after it was signed is not the one that brought the proxies.
    if let Some(fact) = world.kept(Item::ServicesInjected, SEEN, &by.key) {
        return found.facts.push(fact);
    }
    if world.now < began + soak {
        return found.unknown(Why::NotOver {
            of: format!("{name}: soak").into(),
            until: (began + soak).to_string().into(),
        });
    }
    let counted = |from: Timestamp, found: &mut Found| {
        let question = CountsOf {
            to: id.clone(),
            by: Reporter::Source,
            from,
            until: from + soak,
        };
        let counts = ask::counted(world, &question, found)?;
        Some((Count::sum(counts.value.by_caller.values()), counts.at))
    };
    let Some((during, at)) = counted(began, found) else {
        return;
    };
    if during.requests < 1.0 {
        let window_s = u32::try_from(soak.as_secs()).unwrap_or(u32::MAX);
        return found.unknown(Why::NoTraffic { window_s });
    }
    let objective = world.migration.as_ref().map_or(1.0, |(_, it)| it.objectives.success);
    let share = |it: f64| format!("{:.2} %", it * 100.0);
    let mut seen = format!("{name}: {began} · {} · n={:.0}", share(during.success()), during.requests);
    if during.success() < objective {
        // It may have been no better before: then the proxy is not to blame.
        let Some((before, _)) = counted(began - soak, found) else {
            return;
        };
        if before.requests < 1.0 || during.success() < before.success() {
            let args = [
                ("workload", name.into()),
                ("success", share(during.success()).into()),
                ("before", share(before.success()).into()),
                ("objective", share(objective).into()),
            ];
            return found.finding(&WORSE, by, args);
        }
        seen += &format!(" · {}", share(before.success()));
    }
    found.learned(SEEN, FactSource::Metrics, &by, seen, at);
}

#[cfg(test)]
mod tests {
    use crate::{
        inquiry::{Count, Counts, CountsOf, Reply},
        judge::{
            Found,
            testing::{codes, judged_asking},
        },
        traffic::Reporter,
    };

    const SYSTEM: &str = r#"
{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}, spec: {soak: 1h, services: [{namespace: shop, name: web}], objectives: {success: 0.99}}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}, ports: [{port: 80}]}}
---
{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-7f, namespace: shop, creationTimestamp: "2025-12-30T10:00:00Z", ownerReferences: [{kind: Deployment, name: web, controller: true}]}, spec: {replicas: 1}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web-1, namespace: shop, labels: {app: web}, creationTimestamp: "2025-12-30T10:00:05Z", ownerReferences: [{kind: ReplicaSet, name: web-7f, controller: true}]}, spec: {containers: [{name: istio-proxy}]}, status: {phase: Running}}
"#;

    fn found(during: Option<f64>, before: Option<f64>) -> Found {
        let asked = |from: &str, until: &str| CountsOf {
            to: ("shop".into(), "web".into()),
            by: Reporter::Source,
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
        };
        let counts = |failed: Option<f64>| Counts {
            by_caller: failed
                .map(|failed| Count {
                    requests: 1_000.0,
                    lost: 0.0,
                    failed,
                })
                .map(|it| (("g".into(), "gw".into()), it))
                .into_iter()
                .collect(),
            covered: failed.is_some(),
        };
        let (ten, eleven, nine) = ("2025-12-30T10:00:00Z", "2025-12-30T11:00:00Z", "2025-12-30T09:00:00Z");
        let replies = [
            (asked(ten, eleven).into(), Reply::CountsOf(counts(during))),
            (asked(nine, ten).into(), Reply::CountsOf(counts(before))),
        ];
        judged_asking("soak_errors", SYSTEM, replies)
    }

    fn told(found: &Found) -> (Vec<&'static str>, usize, usize) {
        (codes(found), found.facts.len(), found.unknown.len())
    }

    #[test]
    fn what_is_promised_is_enough_whatever_was_before() {
        assert_eq!(told(&found(Some(5.0), None)), (vec![], 1, 0));
    }

    #[test]
    fn what_is_worse_than_promised_must_not_be_worse_than_before() {
        assert_eq!(told(&found(Some(30.0), Some(40.0))), (vec![], 1, 0));
        assert_eq!(told(&found(Some(30.0), Some(5.0))), (vec!["soak-errors"], 0, 0));
        assert_eq!(told(&found(Some(30.0), None)), (vec![], 0, 1));
        assert_eq!(told(&found(None, None)), (vec![], 0, 1));
    }
}
