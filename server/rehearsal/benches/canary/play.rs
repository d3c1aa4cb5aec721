//! A canary on the rehearsal's cluster and mesh, from its first request to its end: what the controller sees and decides, turn by turn, and
//! weights on the route as it sets them. Only what lies between two servers (journal, Lease, dry run) is left out.

use super::{
    demand::{Fault, Setting, USER, V1, V2, at_fault, demand},
    told::End,
};
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use naru_domain::{
    canary::{
        capacity, facts,
        live::{live, target},
        question,
        spec::Spec,
        status::{Phase, Status},
        steps::{Effect, Ended, Live, Observation, step},
    },
    fact::Fact,
    judge::guardrail::{Counts, Judged, Reason, Verdict, judge},
    object::{Key, Kind, Object},
    snapshot::{Objects, Section, Snapshot},
};
use naru_ports::{Clock, Metrics};
use naru_rehearsal::{
    ManualClock, Rehearsal, Settings,
    scenario::{self, System},
    world::hands,
};
use serde_json::json;
use std::sync::Arc;

/// Between two turns, in seconds.
const TURN_S: i64 = 15;

/// Restarts and rollouts are looked for over so long, as the controller does.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// No canary is played for longer: six hours.
const LONGEST_S: i64 = 6 * 3_600;

/// Nothing more comes of a fault that was over after a minute.
const OVER_S: i64 = 900;

/// Ready pods of each version.
const PODS: u32 = 3;

/// What was scaled is no news after so long.
const SETTLED: SignedDuration = SignedDuration::from_mins(15);

/// What a canary is moved by.
const KINDS: [Kind; 7] = [
    Kind::VirtualService,
    Kind::DestinationRule,
    Kind::Service,
    Kind::EndpointSlice,
    Kind::Pod,
    Kind::Deployment,
    Kind::ReplicaSet,
];

/// A step wants so many requests of the canary: 5 % of 5 a second take 33 minutes for them.
const REQUESTS: u64 = 500;

/// As long as a judgement looks back.
const KEPT: SignedDuration = SignedDuration::from_hours(2);

/// A canary's weights, each for ten minutes.
pub(crate) const USUAL: &[u32] = &[5, 10, 25, 50];

struct Played {
    setting: Setting,
    clock: Arc<ManualClock>,
    rehearsal: Rehearsal,
    spec: Spec,
    status: Status,
    /// As they were when something changed last.
    objects: Arc<Objects>,
    stale: bool,
    begins: Timestamp,
    /// When the fault began.
    faulty: Option<Timestamp>,
    killed: u32,
}

/// Plays a canary to its end.
pub(crate) fn play(setting: Setting, weights: &[u32], seed: u64) -> End {
    let mut played = Played::new(setting, weights, seed);
    while played.seconds() < LONGEST_S {
        if let Some(end) = played.turn() {
            return end;
        }
        played.clock.advance(SignedDuration::from_secs(TURN_S));
        played.break_pods();
    }
    End::Lasting
}

impl Played {
    fn new(setting: Setting, weights: &[u32], seed: u64) -> Self {
        let begins = Timestamp::from_second(1_800_000_000).expect("a time");
        let clock = Arc::new(ManualClock::at(begins));
        let canary = scenario::by_name("canary-fails").expect("a canary at 0");
        let system = System {
            demand: demand(&setting, seed),
            ..System::from(&canary)
        };
        let settings = Settings {
            seed,
            kept: KEPT,
            ..Settings::default()
        };
        let rehearsal = Rehearsal::of(system, settings, clock.clone());
        // As many pods of both: one for half of all requests would be another matter. They are warm when it begins.
        for version in [V1, V2] {
            hands::scale(&rehearsal.cluster, USER, version, PODS);
        }
        clock.advance(SETTLED);
        Self {
            setting,
            clock,
            rehearsal,
            spec: spec(weights, setting.slower),
            status: Status::default(),
            objects: Arc::new(Objects::all_known()),
            stale: true,
            begins,
            faulty: None,
            killed: 0,
        }
    }

    fn seconds(&self) -> i64 {
        self.clock.now().duration_since(self.begins).as_secs()
    }

    /// What the controller does in one turn.
    fn turn(&mut self) -> Option<End> {
        for _ in 0..4 {
            let seen = self.observe();
            let reasons = match &seen.judged.verdict {
                Verdict::RollBack(reasons) => reasons.clone(),
                Verdict::Advance | Verdict::Hold(_) => Vec::new(),
            };
            let weight = self.status.written.as_ref().map_or(0, |it| it.after.canary);
            let decision = step(&self.spec, &self.status, &seen, self.clock.now());
            self.status = decision.status;
            match decision.effect {
                Some(Effect::Move { from, to, .. }) if to.canary < from.canary => {
                    return Some(self.rolled_back(weight, reasons));
                }
                Some(Effect::Move { to, .. }) => self.set(to.canary),
                Some(Effect::Scale { to }) => {
                    hands::scale(&self.rehearsal.cluster, USER, V1, to);
                    self.stale = true;
                }
                _ => break,
            }
        }
        let now = self.clock.now();
        let lasted = self.status.began.map_or(0, |it| now.duration_since(it).as_secs());
        let over = matches!(self.setting.fault, Fault::FirstMinute(_)) && lasted > OVER_S;
        let waits = self.status.why.iter().any(|it| &*it.code == "awaits-promotion");
        match self.status.phase {
            Phase::Held if waits => Some(End::Promoted(lasted)),
            Phase::Stopped => panic!("{:?}", self.status.why),
            _ => over.then_some(End::Lasting),
        }
    }

    fn rolled_back(&self, weight: u32, reasons: Vec<Reason>) -> End {
        let begun = self.faulty.or(self.status.began).unwrap_or(self.begins);
        let at = format!("{USER}/{V2}");
        End::RolledBack {
            after: self.clock.now().duration_since(begun).as_secs(),
            weight,
            reasons,
            harmed: self.rehearsal.metrics.toll().harmed(|it| *it.place == *at),
        }
    }

    /// Sets the canary's weight, and lets what is wrong begin with it.
    fn set(&mut self, weight: u32) {
        let key = target(&self.spec, USER);
        let written = self.rehearsal.cluster.edit(&key, "naru", |json| {
            let route = &mut json["spec"]["http"][0]["route"];
            (route[0]["weight"], route[1]["weight"]) = ((100 - weight).into(), weight.into());
        });
        assert!(written, "the route is there");
        self.stale = true;
        let begins = match self.setting.fault {
            Fault::None => false,
            Fault::AtWeight(from, _) => weight >= from,
            _ => true,
        };
        if self.faulty.is_some() || !begins {
            return;
        }
        let from = self.seconds() + self.setting.onset;
        let lasts = matches!(self.setting.fault, Fault::FirstMinute(_)).then_some(60);
        at_fault(from, lasts.map_or(i64::MAX, |it| from + it));
        self.faulty = Some(self.begins + SignedDuration::from_secs(from));
    }

    /// What happens to the canary's pods.
    fn break_pods(&mut self) {
        let Some(begun) = self.faulty else {
            return;
        };
        let since = self.clock.now().duration_since(begun).as_secs();
        match self.setting.fault {
            Fault::NoPods if self.killed == 0 => {
                self.killed = 1;
                hands::scale(&self.rehearsal.cluster, USER, V2, 0);
            }
            Fault::OomLoop if since >= 40 * i64::from(self.killed + 1) => {
                self.killed += 1;
                let pods = self.rehearsal.cluster.list(Kind::Pod, Some(USER));
                // One of its pods.
                if let Some((key, _)) = pods.iter().find(|(key, _)| key.name.starts_with(V2)) {
                    self.kill(key);
                }
            }
            _ => return,
        }
        self.stale = true;
    }

    /// As the kubelet tells it of a container that was killed and is running again.
    fn kill(&self, pod: &Key) {
        let ended = self.clock.now();
        let started = ended - SignedDuration::from_secs(38);
        self.rehearsal.cluster.edit(pod, "kubelet", |json| {
            for container in json["status"]["containerStatuses"]
                .as_array_mut()
                .into_iter()
                .flatten()
            {
                container["restartCount"] = self.killed.into();
                container["lastState"] = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled",
                    "startedAt": format!("{started:.0}"), "finishedAt": format!("{ended:.0}")}});
            }
        });
    }

    fn observe(&mut self) -> Observation {
        if std::mem::take(&mut self.stale) {
            let mut objects = Objects::all_known();
            for kind in KINDS {
                for (_, json) in self.rehearsal.cluster.list(kind, None) {
                    objects.put(Fact::read(kind, (*json).clone()).expect("it was taken by an API server"));
                }
            }
            self.objects = Arc::new(objects);
        }
        let objects = Arc::clone(&self.objects);
        let key = target(&self.spec, USER);
        let route = objects.object(Kind::VirtualService, &key.namespace, &key.name);
        let (judged, counts) = self.judged(&objects);
        let mut section = Section::seen(Objects::default(), self.clock.now());
        section.value = Arc::clone(&objects);
        let snapshot = Snapshot::once(section, Section::default(), self.clock.now());
        Observation {
            live: route.map_or(Live::Unknown, |it| live(&self.spec, it, &objects)),
            change: Ended::Landed(self.clock.now()),
            next_change: format!("canary-{}", self.seconds()).into(),
            frozen: None,
            refused: None,
            judged,
            capacity: capacity(
                &snapshot,
                &self.spec,
                USER,
                self.status.stable_pods,
                counts.as_ref(),
            ),
        }
    }

    fn judged(&self, objects: &Objects) -> (Judged, Option<Counts>) {
        let now = self.clock.now();
        let moving = self.status.phase == Phase::Moving;
        let Some(rules) = self.status.rules(&self.spec).filter(|_| !moving) else {
            let judged = Judged {
                verdict: Verdict::Hold(Vec::new()),
                metrics: Vec::new(),
                left_out: None,
                blind: false,
                alarm: false,
            };
            return (judged, None);
        };
        let since = (now - WINDOW).max(rules.began);
        let [stable, canary] =
            [&self.spec.stable, &self.spec.canary].map(|it| facts(objects, it, USER, since));
        let counts = if canary.ready == Some(0) {
            Counts::nothing()
        } else {
            let question = question(objects, &self.spec, USER, &self.status, now).expect("two versions");
            let counts = self.rehearsal.metrics.counts(&question).now_or_never();
            counts.expect("at once").expect("scraped")
        };
        let evidence = counts.clone().beside(stable, canary);
        (judge(&rules, &evidence, now), Some(counts))
    }
}

fn spec(weights: &[u32], slower: f64) -> Spec {
    let steps: Vec<_> = weights
        .iter()
        .map(|weight| json!({"weight": weight, "dwell": "10m", "requests": REQUESTS}))
        .collect();
    let spec = json!({
        "route": {"name": "user-service-canary", "rule": 0},
        "stable": {"host": "user-service", "subset": "v1"}, "canary": {"host": "user-service", "subset": "v2"},
        "steps": steps,
        "guardrail": {"latency": {"aboveMs": 1_000, "difference": slower}},
        "approvedBy": {"issuer": "i", "subject": "s", "name": "n"},
    });
    let object = json!({"apiVersion": Kind::Canary.api_version(), "kind": "Canary",
        "metadata": {"name": "user", "namespace": USER}, "spec": spec});
    let object = Object::new(Kind::Canary, object).expect("an object");
    Spec::read(&object).expect("a spec")
}
