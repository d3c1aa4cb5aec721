//! Rolling updates and jobs, where pods take time to become ready.

use jiff::{SignedDuration, Timestamp};
use naru_domain::object::{Key, Kind};
use naru_rehearsal::{ManualClock, Rehearsal, Settings, scenario, world::controllers::Startup};
use serde_json::{Value, json};
use std::sync::Arc;

fn start() -> (Arc<ManualClock>, Rehearsal) {
    let clock = Arc::new(ManualClock::at("2026-11-23T02:13:00Z".parse().unwrap()));
    let settings = Settings {
        history_s: 0,
        startup: Startup::Slow {
            from_ms: 5_000,
            to_ms: 9_000,
            seed: 1,
        },
        ..Settings::default()
    };
    (clock.clone(), Rehearsal::with(&scenario::GUIDE, settings, clock))
}

fn ready(pod: &Value) -> bool {
    let conditions = pod
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .unwrap();
    conditions
        .iter()
        .any(|it| it["type"] == "Ready" && it["status"] == "True")
}

/// Pods of user-service-v1: all, ready ones, ones with the new template.
fn pods(rehearsal: &Rehearsal) -> (usize, usize, usize) {
    let mut all = rehearsal.cluster.list(Kind::Pod, Some("user-service"));
    all.retain(|(key, _)| key.name.starts_with("user-service-v1-"));
    let ready = all.iter().filter(|(_, pod)| ready(pod)).count();
    let new = all
        .iter()
        .filter(|(_, pod)| pod.pointer("/metadata/annotations/restarted").is_some());
    (all.len(), ready, new.count())
}

fn restart(rehearsal: &Rehearsal) {
    let key = Key::new(Kind::Deployment, "user-service", "user-service-v1");
    rehearsal.cluster.edit(&key, "kubectl-rollout", |json| {
        json["spec"]["template"]["metadata"]["annotations"] = json!({"restarted": "yes"});
    });
}

#[test]
fn what_is_there_at_the_start_is_ready_and_a_restart_rolls_one_by_one() {
    let (clock, rehearsal) = start();
    assert_eq!(pods(&rehearsal), (3, 3, 0));
    restart(&rehearsal);
    // Three pods: one more may be there, none may be missing.
    assert_eq!(pods(&rehearsal), (4, 3, 1));
    clock.advance_ms(4_900);
    assert_eq!(pods(&rehearsal), (4, 3, 1));
    let mut steps = vec![pods(&rehearsal).2];
    for _ in 0..40 {
        clock.advance_ms(1_000);
        let (all, ready, new) = pods(&rehearsal);
        assert!(ready >= 3 && all <= 4, "{all} {ready}");
        steps.push(new);
    }
    steps.dedup();
    assert_eq!((steps, pods(&rehearsal)), (vec![1, 2, 3], (3, 3, 3)));
    let key = Key::new(Kind::Deployment, "user-service", "user-service-v1");
    let status = rehearsal.cluster.object(&key).unwrap();
    assert_eq!(status.get("/status/updatedReplicas"), Some(&json!(3)));
}

#[test]
fn more_pods_come_in_time_and_fewer_go_at_once() {
    let (clock, rehearsal) = start();
    let key = Key::new(Kind::Deployment, "user-service", "user-service-v1");
    let scale = |n: u32| {
        rehearsal
            .cluster
            .edit(&key, "kubectl", |json| json["spec"]["replicas"] = n.into())
    };
    scale(6);
    assert_eq!(pods(&rehearsal), (6, 3, 0));
    clock.advance_ms(9_000);
    assert_eq!(pods(&rehearsal), (6, 6, 0));
    scale(2);
    assert_eq!(pods(&rehearsal), (2, 2, 0));
}

#[test]
fn a_cron_job_runs_at_its_minute_and_its_pod_ends() {
    let (clock, rehearsal) = start();
    let template =
        json!({"metadata": {"labels": {"app": "nightly"}}, "spec": {"containers": [{"name": "nightly"}]}});
    let job = json!({"metadata": {"name": "nightly", "namespace": "batch"}, "spec": {"schedule": "16 2 * * *",
        "jobTemplate": {"spec": {"activeDeadlineSeconds": 90, "template": template}}}});
    rehearsal.cluster.load(Kind::CronJob, job, "kubectl").unwrap();
    let phase = || {
        let pods = rehearsal.cluster.list(Kind::Pod, Some("batch"));
        let pod = pods
            .into_iter()
            .find(|(key, _)| key.name.starts_with("nightly-"))?;
        Some(format!(
            "{} {}",
            pod.1["status"]["phase"].as_str()?,
            ready(&pod.1)
        ))
    };
    clock.advance(SignedDuration::from_secs(179));
    assert_eq!(phase(), None);
    clock.advance(SignedDuration::from_secs(1));
    assert_eq!(phase().as_deref(), Some("Running false"));
    clock.advance(SignedDuration::from_secs(10));
    assert_eq!(phase().as_deref(), Some("Running true"));
    clock.advance(SignedDuration::from_secs(80));
    assert_eq!(phase().as_deref(), Some("Succeeded false"));
    let job = rehearsal.cluster.list(Kind::Job, Some("batch")).remove(0).1;
    assert_eq!(job.pointer("/status/succeeded"), Some(&json!(1)));
    let due: Timestamp = "2026-11-23T02:16:00Z".parse().unwrap();
    assert_eq!(
        job["metadata"]["name"],
        format!("nightly-{}", due.as_second() / 60)
    );
    clock.advance(SignedDuration::from_hours(24));
    assert_eq!(rehearsal.cluster.list(Kind::Job, Some("batch")).len(), 2);
}
