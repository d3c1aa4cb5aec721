//! A small world for the turns of a canary; what is asked of it is in the files beside, as the code is.

mod going;
mod moving;
mod returning;
mod whatever;

use super::{Capacity, Decision, Effect, Ended, Live, Observation, step};
use crate::{
    Timestamp,
    canary::{
        spec::Spec,
        status::{Phase, Status, Weights},
    },
    judge::guardrail::{Hold, Judged, Metric, Reason, Said, Verdict},
};
use serde_json::json;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(60 * minute).unwrap()
}

fn spec(course: &str) -> Spec {
    serde_json::from_value(json!({
        "route": {"name": "shop", "rule": 0},
        "stable": {"host": "shop", "subset": "v1"},
        "canary": {"host": "shop", "subset": "v2"},
        "steps": [
            {"weight": 10, "dwell": "10m", "requests": 100},
            {"weight": 50, "dwell": "10m", "requests": 100},
            {"weight": 100, "dwell": "10m", "requests": 100},
        ],
        "course": course,
        "approvedBy": {"issuer": "i", "subject": "s", "name": "n"},
    }))
    .unwrap()
}

fn judged(verdict: Verdict) -> Judged {
    Judged {
        verdict,
        metrics: Vec::new(),
        left_out: None,
        blind: false,
        alarm: false,
    }
}

fn bad() -> Judged {
    judged(Verdict::RollBack(vec![Reason::NoReadyPods]))
}

fn worse() -> Judged {
    judged(Verdict::RollBack(vec![Reason::Worse(Metric::Errors)]))
}

fn frost() -> Said {
    Said::new("frozen", [])
}

fn live(canary: u32) -> Live {
    Live::Known {
        weights: Weights::of(canary),
        others: 0,
        by: None,
    }
}

/// A world that does what it is told, unless it is told to fail.
struct World {
    spec: Spec,
    status: Status,
    seen: Observation,
    minute: i64,
    changes: u32,
}

impl World {
    fn new() -> Self {
        Self {
            spec: spec("run"),
            status: Status::default(),
            seen: Observation {
                live: live(0),
                change: Ended::Absent,
                next_change: "c0".into(),
                frozen: None,
                refused: None,
                judged: judged(Verdict::Advance),
                capacity: Capacity {
                    ready: Some(4),
                    wanted: 4,
                    peak: Some(10.0),
                    rate: Some(40.0),
                },
            },
            minute: 0,
            changes: 0,
        }
    }

    /// At a step that lasts.
    fn at_step(weight: u32) -> Self {
        let mut world = Self::new();
        while world.canary() < weight {
            world.turn();
        }
        world.seen.judged = judged(Verdict::Hold(vec![Hold::Dwell(at(60))]));
        world.turn();
        assert_eq!(world.status.phase, Phase::Dwelling);
        world
    }

    fn canary(&self) -> u32 {
        match &self.seen.live {
            Live::Known { weights, .. } => weights.canary,
            Live::Unknown => 0,
        }
    }

    /// Asks, and writes the status.
    fn ask(&mut self) -> Option<Effect> {
        self.minute += 1;
        self.changes += 1;
        self.seen.next_change = format!("c{}", self.changes).into();
        let Decision { status, effect, .. } = step(&self.spec, &self.status, &self.seen, at(self.minute));
        self.status = status;
        effect
    }

    /// Asks, and does it.
    fn turn(&mut self) -> Option<Effect> {
        let effect = self.ask();
        if let Some(Effect::Move { from, to, .. }) = &effect {
            assert_eq!(*from, Weights::of(self.canary()));
            self.seen.live = live(to.canary);
            self.seen.change = Ended::Landed(at(self.minute));
        }
        effect
    }

    fn why(&self) -> Vec<&str> {
        self.status.why.iter().map(|it| &*it.code).collect()
    }
}
