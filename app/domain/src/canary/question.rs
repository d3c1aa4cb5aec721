//! What is to be counted for a canary's guardrail.

use super::{spec::Spec, status::Status, version::version};
use crate::{Timestamp, Why, judge::guardrail::CountsQuestion, snapshot::Objects};
use jiff::SignedDuration;

/// Before the canary gets requests, so much is looked back: what its stable version carries is seen then already.
const BEFORE: SignedDuration = SignedDuration::from_mins(10);

/// What both versions have answered since the canary gets requests. Which is the stable one is said by the spec, also after a promotion.
/// `namespace` is the Canary's.
///
/// # Errors
/// Why it cannot be asked: the destinations are of several services or of none, or their pods are the same ones.
pub fn question(
    objects: &Objects,
    spec: &Spec,
    namespace: &str,
    status: &Status,
    now: Timestamp,
) -> Result<CountsQuestion, Why> {
    let stable = version(objects, &spec.stable, namespace)?;
    let canary = version(objects, &spec.canary, namespace)?;
    let absent = |host: &crate::Name| Why::NotJudged { what: host.clone() };
    let service = stable.service.ok_or_else(|| absent(&spec.stable.host))?;
    let other = canary.service.ok_or_else(|| absent(&spec.canary.host))?;
    if service != other {
        let what = "destinations of several services".into();
        return Err(Why::NotJudged { what });
    }
    // Callers' proxies name the workload that answered, not the subset.
    if let Some((namespace, name)) = stable.workloads.intersection(&canary.workloads).next() {
        let what = format!("workload {namespace}/{name} behind both destinations").into();
        return Err(Why::NotJudged { what });
    }
    let before = now.checked_sub(BEFORE).unwrap_or(now);
    Ok(CountsQuestion {
        service,
        stable: stable.workloads,
        canary: canary.workloads,
        since: status.began.or(status.since).unwrap_or(before),
        slow_above_ms: spec.guardrail.latency.map(|it| it.above_ms),
    })
}

#[cfg(test)]
mod tests {
    use super::question;
    use crate::{
        canary::{spec::Spec, status::Status},
        example,
        fact::Fact,
        object::{Kind, Object},
        snapshot::Objects,
    };
    use serde_json::json;

    fn spec(stable: (&str, &str), canary: (&str, &str)) -> Spec {
        let target = |(host, subset): (&str, &str)| json!({"host": host, "subset": subset});
        let json = json!({"metadata": {"name": "user", "namespace": "user-service"}, "spec": {
            "route": {"name": "user-service", "rule": 0}, "stable": target(stable), "canary": target(canary),
            "steps": [{"weight": 5, "dwell": "10m", "requests": 100}],
            "guardrail": {"latency": {"aboveMs": 500.0, "difference": 0.05}},
            "approvedBy": {"issuer": "i", "subject": "s", "name": "Kim"}}});
        Spec::read(&Object::new(Kind::Canary, json).unwrap()).unwrap()
    }

    fn asked(objects: &Objects, spec: &Spec, status: &Status) -> Result<(String, String), String> {
        let question = question(objects, spec, "user-service", status, example::now());
        let question = question.map_err(|why| format!("{why:?}"))?;
        let names = |set: std::collections::BTreeSet<(crate::Name, crate::Name)>| {
            let names: Vec<String> = set.iter().map(|(n, it)| format!("{n}/{it}")).collect();
            names.join(" ")
        };
        assert_eq!(question.slow_above_ms, Some(500.0));
        assert_eq!(
            (&*question.service.namespace, &*question.service.name),
            ("user-service", "user-service")
        );
        let versions = [names(question.stable), names(question.canary)].join(" | ");
        Ok((versions, question.since.to_string()))
    }

    #[test]
    fn the_workloads_of_both_are_asked_about_since_the_first_request() {
        let objects = example::objects();
        let full = "user-service.user-service.svc.cluster.local";
        let spec = spec(("user-service", "v1"), (full, "v2"));
        let moment = |text: &str| Some(text.parse().unwrap());
        let mut status = Status::default();
        let workloads = "user-service/user-service-v1 | user-service/user-service-v2";
        let told = |since: &str| Ok((workloads.to_owned(), since.to_owned()));
        assert_eq!(asked(&objects, &spec, &status), told("2026-11-23T02:03:00Z"));
        status.since = moment("2026-11-23T02:10:00Z");
        assert_eq!(asked(&objects, &spec, &status), told("2026-11-23T02:10:00Z"));
        status.began = moment("2026-11-23T01:00:00Z");
        assert_eq!(asked(&objects, &spec, &status), told("2026-11-23T01:00:00Z"));
    }

    #[test]
    fn what_cannot_be_told_apart_is_not_asked() {
        let mut objects = example::objects();
        let other = json!({"metadata": {"name": "other", "namespace": "user-service"}, "spec": {"selector": {"app": "other"}}});
        objects.put(Fact::read(Kind::Service, other).unwrap());
        for (stable, canary, why) in [
            (
                ("user-service", "v1"),
                ("user-service", ""),
                "user-service-v1 behind both",
            ),
            (("user-service", "v1"), ("other", ""), "several services"),
            (("user-service", "v1"), ("nobody", ""), "nobody"),
        ] {
            let refused = asked(&objects, &spec(stable, canary), &Status::default()).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
