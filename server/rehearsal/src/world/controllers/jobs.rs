//! The CronJob and Job controllers: at its minute a CronJob's Job is made with a pod, which works for a while and has then succeeded.

use super::{Kubelet, owner, pods, text};
use crate::api::ObjectStore;
use jiff::{SignedDuration, Timestamp};
use naru_domain::object::{Key, Kind, Object};
use serde_json::{Value, json};
use std::sync::Arc;

/// How long a Job works that does not say.
const WORKS_S: i64 = 120;

/// Plans a CronJob's next run after `since`.
pub(super) fn plan(store: &ObjectStore, key: &Key, since: Timestamp, kubelet: &Arc<Kubelet>) {
    let Some(object) = store.object(key) else { return };
    let Some(due) = next(object.text("/spec/schedule"), since) else {
        return;
    };
    let (key, uid, kubelet) = (key.clone(), object.uid(), kubelet.clone());
    store.later(due, move |store| {
        // One that was made anew meanwhile plans for itself.
        let Some(object) = store.object(&key).filter(|it| it.uid() == uid) else {
            return;
        };
        if object.get("/spec/suspend") != Some(&Value::Bool(true)) {
            run(store, &key, object.json(), due, &kubelet);
        }
        plan(store, &key, due, &kubelet);
    });
}

fn run(store: &ObjectStore, key: &Key, cron_job: &Value, due: Timestamp, kubelet: &Arc<Kubelet>) {
    let json = of(key, cron_job, due);
    if let Ok(job) = store.load(Kind::Job, json, "kube-controller-manager") {
        work(store, &job, due, kubelet);
    }
}

/// A CronJob's Job.
fn of(key: &Key, cron_job: &Value, due: Timestamp) -> Value {
    let name = format!("{}-{}", key.name, due.as_second() / 60);
    let spec = cron_job.pointer("/spec/jobTemplate/spec").unwrap_or(&Value::Null);
    json!({"metadata": {"name": name, "namespace": key.namespace.as_ref(),
            "labels": spec.pointer("/template/metadata/labels"),
            "ownerReferences": [owner("batch/v1", "CronJob", &key.name, text(cron_job, "/metadata/uid"))]},
        "spec": spec, "status": {"active": 1, "startTime": due.to_string()}})
}

/// A CronJob's Job out of its turn, as `kubectl create job --from` makes it.
pub(super) fn by_hand(store: &ObjectStore, key: &Key) {
    if let Some(object) = store.object(key) {
        let mut json = of(key, object.json(), store.now());
        json["metadata"]["annotations"] = json!({BY_HAND: "manual"});
        let _ = store.load(Kind::Job, json, "kubectl-create");
    }
}

/// What kubectl marks such Jobs with.
const BY_HAND: &str = "cronjob.kubernetes.io/instantiate";

/// Starts a Job that was made by hand.
pub(super) fn start(store: &ObjectStore, key: &Key, kubelet: &Arc<Kubelet>) {
    if let Some(job) = store.object(key).filter(|it| it.annotation(BY_HAND).is_some()) {
        work(store, &job, store.now(), kubelet);
    }
}

/// A Job works with one pod for a while, and has then succeeded.
fn work(store: &ObjectStore, job: &Object, since: Timestamp, kubelet: &Arc<Kubelet>) {
    let (Some(pod), key) = (pods::of_job(store, job, kubelet), job.key().clone()) else {
        return;
    };
    let works = job.get("/spec/activeDeadlineSeconds").and_then(Value::as_i64);
    let ends = since + SignedDuration::from_secs(works.unwrap_or(WORKS_S).clamp(1, 86_400));
    store.later(ends, move |store| {
        store.edit(&pod, "kubelet", |json| {
            json["status"]["phase"] = "Succeeded".into();
            pods::set_conditions(json, false);
        });
        store.edit(&key, "kube-controller-manager", |json| {
            json["status"] = json!({"succeeded": 1, "completionTime": ends.to_string(),
                "conditions": [{"type": "Complete", "status": "True"}]});
        });
    });
}

/// The first minute after `since` that a schedule names. Only minute and hour are understood, each `*`, a number or `*/n`; days must be `*`.
fn next(schedule: &str, since: Timestamp) -> Option<Timestamp> {
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    let [minute, hour, "*", "*", "*"] = fields[..] else {
        return None;
    };
    let fits = |field: &str, value: i64| match field.strip_prefix("*/") {
        Some(every) => every
            .parse::<i64>()
            .is_ok_and(|every| every > 0 && value % every == 0),
        None => field == "*" || field.parse() == Ok(value),
    };
    let first = since.as_second().div_euclid(60) + 1;
    let found = (first..first + 24 * 60)
        .find(|at| fits(minute, at.rem_euclid(60)) && fits(hour, at.div_euclid(60).rem_euclid(24)))?;
    Timestamp::from_second(found * 60).ok()
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn a_schedule_names_its_next_minute() {
        let since = "2026-11-23T02:13:20Z".parse().unwrap();
        let at = |schedule| next(schedule, since).map(|it| it.to_string());
        assert_eq!(at("30 2 * * *").as_deref(), Some("2026-11-23T02:30:00Z"));
        assert_eq!(at("13 2 * * *").as_deref(), Some("2026-11-24T02:13:00Z"));
        assert_eq!(at("*/10 * * * *").as_deref(), Some("2026-11-23T02:20:00Z"));
        assert_eq!(at("* * * * *").as_deref(), Some("2026-11-23T02:14:00Z"));
        for nonsense in ["", "30 2 * *", "61 2 * * *", "*/0 * * * *", "30 2 1 * *"] {
            assert_eq!(at(nonsense), None, "{nonsense}");
        }
    }
}
