//! What the benches stand on.

#![allow(dead_code, reason = "each bench uses a part")]

use jiff::Timestamp;
use naru_ports::Clock;
use naru_rehearsal::{ManualClock, Rehearsal, Settings, scenario};
use std::sync::Arc;

/// A rehearsal of as many services, ten to a namespace, and its clock.
pub(crate) struct Started {
    clock: Arc<ManualClock>,
    pub(crate) rehearsal: Rehearsal,
}

impl Started {
    /// With so many seconds of traffic behind it.
    pub(crate) fn of(services: u32, history_s: u32) -> Self {
        let now = Timestamp::from_second(1_800_000_000).unwrap_or_default();
        let clock = Arc::new(ManualClock::at(now));
        let settings = Settings {
            history_s,
            ..Settings::default()
        };
        let rehearsal = Rehearsal::of(scenario::sized(services / 10, 10), settings, clock.clone());
        rehearsal.metrics.toll();
        Self { clock, rehearsal }
    }

    /// Time passes, and requests with it.
    pub(crate) fn pass(&self, ms: i64) {
        self.clock.advance_ms(ms);
        self.rehearsal.metrics.toll();
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
