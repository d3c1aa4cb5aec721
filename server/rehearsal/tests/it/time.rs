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

/// How a run is looked at.
#[derive(Clone, Copy)]
struct Looking {
    pace: Pace,
    /// Milliseconds of real time between two looks.
    every_ms: i64,
    /// Watches end after each.
    cut: bool,
}

/// A clock under a hand.
struct Time {
    hand: Arc<ManualClock>,
    clock: Arc<Control>,
    looking: Looking,
}

impl Time {
    fn at(start: Timestamp, looking: Looking) -> Self {
        let hand = Arc::new(ManualClock::at(start));
        let clock = Arc::new(Control::new(hand.clone(), start, looking.pace));
        Self { hand, clock, looking }
    }

    fn pass(&self, until: Timestamp, mut look: impl FnMut()) {
        let factor = i64::from(self.looking.pace.factor().max(1));
        while self.clock.now() < until {
            let left = until.duration_since(self.clock.now()).as_millis();
            let real = (i64::try_from(left).unwrap() + factor - 1) / factor;
            let real = self.looking.every_ms.min(real);
            if self.looking.pace == Pace::Paused {
                self.clock.step(SignedDuration::from_millis(real));
            } else {
                self.hand.advance_ms(real);
            }
            look();
        }
        assert_eq!(self.clock.now(), until);
    }
}

/// The hashes at each minute.
async fn play(seed: u64, looking: Looking) -> Vec<u64> {
    let start: Timestamp = "2026-11-23T02:13:00Z".parse().unwrap();
    let time = Time::at(start, looking);
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
    let rehearsal = Rehearsal::with(&scenario::GUIDE, settings, time.clock.clone());
    let mut pods = rehearsal.cluster.watch(Kind::Pod);
    let mut hashes = Vec::new();
    for minute in 0..MINUTES {
        deeds(&rehearsal, minute);
        time.pass(start + SignedDuration::from_mins(minute + 1), || {
            if looking.cut {
                rehearsal.cluster.cut_watches();
                while pods.next().now_or_never().is_some() {}
            }
        });
        hashes.push(hash(&rehearsal).await);
    }
    hashes
}

/// The hashes at each minute of a story that is played as its first play says, with how the story stands, until it ends.
async fn told(name: &str, seed: u64, looking: Looking) -> Vec<u64> {
    let scenario = scenario::by_name(name).unwrap();
    let story = scenario.story.unwrap();
    let start: Timestamp = story.starts.parse().unwrap();
    let time = Time::at(start, looking);
    let rehearsal = Rehearsal::start(&scenario, seed, time.clock.clone());
    let run = rehearsal.run.clone().unwrap();
    let mut pods = rehearsal.cluster.watch(Kind::Pod);
    let steps = story.plays.first().unwrap().steps;
    let mut hashes = Vec::new();
    for minute in 1.. {
        for (at, step) in steps
            .iter()
            .filter(|(at, _)| (minute - 1) * 60 <= *at && *at < minute * 60)
        {
            time.pass(start + SignedDuration::from_secs(*at), || {});
            run.take(step).unwrap();
        }
        time.pass(start + SignedDuration::from_mins(minute), || {
            if looking.cut {
                run.look();
                rehearsal.cluster.cut_watches();
                while pods.next().now_or_never().is_some() {}
            }
        });
        let mut hasher = DefaultHasher::new();
        (hash(&rehearsal).await, format!("{:?}", run.look())).hash(&mut hasher);
        hashes.push(hasher.finish());
        if run.record().is_some() {
            return hashes;
        }
    }
    hashes
}

#[tokio::test]
async fn a_minute_is_the_same_at_every_pace_with_watches_cut_in_between() {
    let one = play(3, look(Pace::Real, 700, false)).await;
    assert_eq!(one, play(3, look(Pace::Sixty, 1_000, true)).await);
    assert_eq!(one, play(3, look(Pace::Ten, 130, true)).await);
    assert_eq!(one, play(3, look(Pace::Paused, 17_000, false)).await);
    assert_ne!(one, play(4, look(Pace::Real, 700, false)).await);
    differ(&one);
}

#[tokio::test]
async fn so_is_a_minute_of_a_story() {
    for name in ["canary-fails", "crossing-1"] {
        let one = told(name, 3, look(Pace::Real, 700, false)).await;
        assert_eq!(one, told(name, 3, look(Pace::Sixty, 1_000, true)).await, "{name}");
        assert_eq!(
            one,
            told(name, 3, look(Pace::Paused, 17_000, false)).await,
            "{name}"
        );
        assert_ne!(one, told(name, 4, look(Pace::Sixty, 1_000, true)).await, "{name}");
        differ(&one);
    }
}

fn look(pace: Pace, every_ms: i64, cut: bool) -> Looking {
    Looking { pace, every_ms, cut }
}

fn differ(hashes: &[u64]) {
    let different: std::collections::BTreeSet<&u64> = hashes.iter().collect();
    assert_eq!(
        different.len(),
        hashes.len(),
        "each minute differs from the others"
    );
}
