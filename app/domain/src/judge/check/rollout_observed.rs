//! 2.1: the rollout that brought the proxies lost no request at the edge. Injection is a rolling restart, and a rolling restart loses requests unless
//! the pods drain. Counted by the callers' proxies, which see what did not arrive.

use crate::{
    Timestamp, Why,
    crossing::Item,
    inquiry::{Count, CountsOf},
    judge::{
        Check, Code, FactSource, Found, World, ask,
        injected::{Which, places},
        steady,
    },
    mesh::Decider,
    object::{Key, Kind},
    traffic::Reporter,
    workload::WorkloadId,
};
use jiff::SignedDuration;
use std::collections::BTreeSet;

const LOST: Code = Code::error("rollout-lost-requests");

/// The fact that stays known.
const SEEN: &str = "rollout-requests";

pub(super) const CHECK: Check = Check {
    name: "rollout_observed",
    item: Item::EntryInjected,
    codes: &[&LOST],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    for (_, place) in places(world, Which::Entry, found) {
        if !world.running(found) {
            return;
        }
        let workloads = ask::workloads_behind(world, place);
        if workloads.is_empty() {
            found.unknown(Why::NotObserved {
                what: format!("{place}: pods").into(),
            });
        }
        for id in workloads {
            match rollout(world, &id) {
                Some((set, began)) => one(world, &id, set, began, found),
                None => found.unknown(Why::NotObserved {
                    what: format!("{}/{}: ReplicaSet", id.0, id.1).into(),
                }),
            }
        }
    }
}

/// What a workload's pods are rolled out by, and when it last was: the time of their ReplicaSet. None while they are of several, or of none.
pub(super) fn rollout(world: &World<'_>, id: &WorkloadId) -> Option<(Key, Timestamp)> {
    let pods = ask::pods(world, id);
    let sets: BTreeSet<Option<&crate::Name>> = pods
        .iter()
        .map(|pod| pod.owner.as_ref().filter(|(kind, _)| &**kind == "ReplicaSet").map(|(_, name)| name))
        .collect();
    let mut sets = sets.into_iter();
    let (Some(Some(name)), None) = (sets.next(), sets.next()) else {
        return None;
    };
    let key = Key::new(Kind::ReplicaSet, id.0.clone(), name.clone());
    let created = world.objects.replica_sets.get(&key)?.created?;
    // Pods that are all younger came by something else: they were deleted, drained, or went back to an older template.
    let first = pods.iter().filter_map(|pod| pod.created).min()?;
    if first.duration_since(created).as_secs() > steady::deadline(world, id) {
        return None;
    }
    Some((Key::new(Kind::Deployment, id.0.clone(), id.1.clone()), created))
}

fn one(world: &World<'_>, id: &WorkloadId, set: Key, began: Timestamp, found: &mut Found) {
    let by = Decider {
        key: set,
        path: "".into(),
    };
    // A rollout after it was signed is not the one that brought the proxies.
    if let Some(fact) = world.kept(Item::EntryInjected, SEEN, &by.key) {
        return found.facts.push(fact);
    }
    // A large workload takes longer than the deadline, which is for each step; what comes an hour later is no part of it.
    let pods = ask::pods(world, id);
    let wave = pods.iter().filter_map(|pod| pod.created).filter(|it| it.duration_since(began).as_secs() < 3_600);
    let last = wave.max().map_or(began, |it| it.max(began));
    let until = (began + SignedDuration::from_secs(steady::deadline(world, id))).max(last + SignedDuration::from_secs(120));
    if world.now < until {
        return found.unknown(Why::NotOver {
            of: format!("{}/{}", id.0, id.1).into(),
            until: until.to_string().into(),
        });
    }
    let question = CountsOf {
        to: id.clone(),
        by: Reporter::Source,
        // The last scrape before.
        from: began - SignedDuration::from_secs(60),
        until,
    };
    let Some(counts) = ask::counted(world, &question, found) else {
        return;
    };
    let all = Count::sum(counts.value.by_caller.values());
    if all.requests < 1.0 {
        let window_s = u32::try_from(until.duration_since(question.from).as_secs()).unwrap_or(u32::MAX);
        return found.unknown(Why::NoTraffic { window_s });
    }
    if all.lost >= 0.5 {
        let args = [
            ("workload", format!("{}/{}", id.0, id.1).into()),
            ("lost", format!("{:.0}", all.lost).into()),
            ("requests", format!("{:.0}", all.requests).into()),
            ("began", began.to_string().into()),
        ];
        return found.finding(&LOST, by, args);
    }
    let seen = format!("{}/{}: {began} · 0/{:.0}", id.0, id.1, all.requests);
    found.learned(SEEN, FactSource::Metrics, &by, seen, counts.at);
}

#[cfg(test)]
mod tests {
    use crate::{
        crossing::Evidence,
        inquiry::{Count, Counts, CountsOf, Reply},
        judge::{
            Found,
            testing::{self, codes, judged_asking},
        },
        object::Kind,
        traffic::Reporter,
    };

    fn system(created: &str, more: &str) -> String {
        format!(
            r#"
{{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {{name: m}}, spec: {{entry: {{namespace: shop, name: web}}}}}}
---
{{apiVersion: v1, kind: Service, metadata: {{name: web, namespace: shop}}, spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}}}
---
{{apiVersion: apps/v1, kind: ReplicaSet, metadata: {{name: web-7f, namespace: shop, creationTimestamp: "{created}", ownerReferences: [{{kind: Deployment, name: web, controller: true}}]}}, spec: {{replicas: 1}}}}
---
{{apiVersion: v1, kind: Pod, metadata: {{name: web-1, namespace: shop, labels: {{app: web}}, creationTimestamp: "{created}", ownerReferences: [{{kind: ReplicaSet, name: web-7f, controller: true}}]}}, spec: {{containers: [{{name: istio-proxy}}]}}, status: {{phase: Running}}}}
{more}"#
        )
    }

    fn question() -> CountsOf {
        CountsOf {
            to: ("shop".into(), "web".into()),
            by: Reporter::Source,
            from: "2025-12-30T09:59:00Z".parse().unwrap(),
            until: "2025-12-30T10:10:00Z".parse().unwrap(),
        }
    }

    const CREATED: &str = "2025-12-30T10:00:00Z";

    fn found(requests: f64, lost: f64, covered: bool) -> Found {
        let count = Count {
            requests,
            lost,
            failed: lost,
        };
        let counts = Counts {
            by_caller: [(("g".into(), "gw".into()), count)].into(),
            covered,
        };
        let reply = [(question().into(), Reply::CountsOf(counts))];
        judged_asking("rollout_observed", &system(CREATED, ""), reply)
    }

    #[test]
    fn a_rollout_that_was_counted_lost_something_or_did_not() {
        let well = found(900.0, 0.0, true);
        assert_eq!((codes(&well), well.unknown.len(), well.facts.len()), (vec![], 0, 1));
        assert_eq!(codes(&found(900.0, 3.0, true)), ["rollout-lost-requests"]);
    }

    #[test]
    fn one_that_nobody_counted_is_not_known() {
        for unseen in [found(900.0, 0.0, false), found(0.0, 0.0, true)] {
            assert_eq!((codes(&unseen), unseen.unknown.len()), (vec![], 1));
        }
        let fresh = judged_asking("rollout_observed", &system("2026-01-01T11:55:00Z", ""), []);
        assert_eq!((codes(&fresh), fresh.unknown.len()), (vec![], 1));
    }

    #[test]
    fn pods_that_came_by_something_else_tell_of_no_rollout() {
        let yaml = system(CREATED, "").replace(
            &format!("labels: {{app: web}}, creationTimestamp: \"{CREATED}\""),
            "labels: {app: web}, creationTimestamp: \"2025-12-31T10:00:00Z\"",
        );
        let drained = judged_asking("rollout_observed", &yaml, []);
        let unknown = format!("{:?}", drained.unknown);
        assert!(unknown.contains("shop/web: ReplicaSet"), "{unknown}");
    }

    #[test]
    fn what_was_signed_stays_known() {
        let evidence = r#"
---
{apiVersion: naru.dev/v1alpha1, kind: Evidence, metadata: {name: e, uid: u}, spec: {item: "2.1", verdict: met, findings: [], unknown: [], policies: [], at: "2025-12-29T00:00:00Z",
  facts: [{name: rollout-requests, source: metrics, object: {kind: Deployment, namespace: shop, name: web}, path: "", value: "0/900", at: "2025-12-28T10:10:00Z", resourceVersion: ""}]}}
"#;
        let object = testing::objects(evidence);
        let object = object.of_kind(Kind::Evidence).next().unwrap();
        let digest = Evidence::read(object).unwrap().digest.to_string();
        let signed = |status: &str| {
            format!(
                r#"{evidence}---
{{apiVersion: naru.dev/v1alpha1, kind: SignOff, metadata: {{name: "000001"}}, spec: {{item: "2.1", previous: "", statement: s, signedAt: "2025-12-29T00:00:00Z",
  evidence: {{name: e, uid: u, digest: "{digest}"}}, actor: {{issuer: i, sub: s, name: who, groups: []}}}}, status: {{accepted: {{at: "2025-12-29T00:00:00Z", digest: "{digest}"}}{status}}}}}
"#
            )
        };
        // The pods are of a later rollout than the one that was signed.
        let kept = judged_asking("rollout_observed", &system(CREATED, &signed("")), []);
        assert_eq!((codes(&kept), kept.unknown.len(), kept.facts.len()), (vec![], 0, 1));
        assert_eq!(&*kept.facts[0].value, "0/900");
        let reopened = r#", reopened: {at: "2025-12-29T01:00:00Z", findings: []}"#;
        let gone = judged_asking("rollout_observed", &system(CREATED, &signed(reopened)), []);
        assert_eq!((gone.unknown.len(), gone.facts.len()), (1, 0));
    }
}
