//! The same seed and the same deeds at the same times make the same system, however fast its time passes and whoever looks meanwhile.

use futures::{FutureExt, StreamExt};
use jiff::{SignedDuration, Timestamp};
use naru_domain::object::{Key, Kind};
use naru_ports::{Cluster, Metrics};
use naru_rehearsal::{
    ManualClock, Rehearsal, Settings, scenario,
    time::{Control, Pace},
    world::controllers::Startup,
};
use serde_json::json;
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

const MINUTES: i64 = 6;

/// What is there, and what Prometheus answers, as one number.
async fn hash(rehearsal: &Rehearsal) -> u64 {
    let mut hasher = DefaultHasher::new();
    for kind in Kind::ALL {
        for (key, json) in rehearsal.cluster.list(kind, None) {
            (key.to_string(), json.to_string()).hash(&mut hasher);
        }
    }
    format!("{:?}", rehearsal.metrics.traffic(60).await).hash(&mut hasher);
    hasher.finish()
}

/// Restarts user-service-v1 in the first minute, and lets a job run in the third.
fn deeds(rehearsal: &Rehearsal, minute: i64) {
    if minute == 0 {
        let key = Key::new(Kind::Deployment, "user-service", "user-service-v1");
        rehearsal.cluster.edit(&key, "kubectl-rollout", |json| {
            json["spec"]["template"]["metadata"]["annotations"] =
                json!({"kubectl.kubernetes.io/restartedAt": "now"});
        });
        let template = json!({"metadata": {"labels": {"app": "nightly"}}, "spec": {"containers": [{"name": "nightly"}]}});
        let job = json!({"metadata": {"name": "nightly", "namespace": "batch"}, "spec": {"schedule": "16 2 * * *",
            "jobTemplate": {"spec": {"activeDeadlineSeconds": 90, "template": template}}}});
        rehearsal.cluster.load(Kind::CronJob, job, "kubectl").unwrap();
    }
    if minute == 4 {
        let key = Key::new(Kind::VirtualService, "user-service", "user-service-canary");
        rehearsal.cluster.edit(&key, "kubectl", |json| {
            json["spec"]["http"][0]["route"][0]["weight"] = 50.into();
            json["spec"]["http"][0]["route"][1]["weight"] = 50.into();
        });
    }
}

/// Plays at a pace, looking every `look_ms` of real time; the hashes at each minute.
async fn play(seed: u64, pace: Pace, look_ms: i64, cut: bool) -> Vec<u64> {
    let start: Timestamp = "2026-11-23T02:13:00Z".parse().unwrap();
    let hand = Arc::new(ManualClock::at(start));
    let clock = Arc::new(Control::new(hand.clone(), start, pace));
    let settings = Settings {
        seed,
        history_s: 60,
        startup: Startup::Slow {
            from_ms: 4_000,
            to_ms: 12_000,
            seed,
        },
        ..Settings::default()
    };
    let rehearsal = Rehearsal::with(&scenario::GUIDE, settings, clock.clone());
    let mut pods = rehearsal.cluster.watch(Kind::Pod);
    let mut hashes = Vec::new();
    for minute in 0..MINUTES {
        deeds(&rehearsal, minute);
        let ends = start + SignedDuration::from_mins(minute + 1);
        while clock.now() < ends {
            let factor = i64::from(pace.factor().max(1));
            let left = ends.duration_since(clock.now()).as_millis();
            let real = look_ms.min((i64::try_from(left).unwrap() + factor - 1) / factor);
            if pace == Pace::Paused {
                clock.step(SignedDuration::from_millis(real));
            } else {
                hand.advance_ms(real);
            }
            if cut {
                rehearsal.cluster.cut_watches();
                while pods.next().now_or_never().is_some() {}
            }
        }
        assert_eq!(clock.now(), ends);
        hashes.push(hash(&rehearsal).await);
    }
    hashes
}

#[tokio::test]
async fn a_minute_is_the_same_at_every_pace_with_watches_cut_in_between() {
    let one = play(3, Pace::Real, 700, false).await;
    assert_eq!(one, play(3, Pace::Sixty, 1_000, true).await);
    assert_eq!(one, play(3, Pace::Ten, 130, true).await);
    assert_eq!(one, play(3, Pace::Paused, 17_000, false).await);
    assert_ne!(one, play(4, Pace::Real, 700, false).await);
    let different: std::collections::BTreeSet<&u64> = one.iter().collect();
    assert_eq!(different.len(), one.len(), "each minute differs from the others");
}
