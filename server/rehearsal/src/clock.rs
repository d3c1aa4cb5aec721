//! A clock that stands still until it is told to go on.

use crate::time::Source;
use jiff::{SignedDuration, Timestamp};
use naru_ports::Clock;
use std::time::Duration;
use tokio::sync::watch;

/// Time that only passes when somebody says so: the same test sees the same moments on every machine.
#[derive(Debug)]
pub struct ManualClock(watch::Sender<Timestamp>);

impl ManualClock {
    /// Stands at `start`.
    pub fn at(start: Timestamp) -> Self {
        Self(watch::Sender::new(start))
    }

    /// Lets time pass and wakes who slept until then. A negative duration sets the clock back, as wall clocks may be.
    pub fn advance(&self, by: SignedDuration) {
        self.0.send_modify(|now| *now += by);
    }

    /// As [`Self::advance`], in milliseconds.
    pub fn advance_ms(&self, by: i64) {
        self.advance(SignedDuration::from_millis(by));
    }
}

#[async_trait::async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    async fn sleep_until(&self, until: Timestamp) {
        // The sender lives in `self`, so waiting cannot fail while we are borrowed.
        let _ = self.0.subscribe().wait_for(|now| *now >= until).await;
    }
}

#[async_trait::async_trait]
impl Source for ManualClock {
    fn elapsed(&self) -> Duration {
        // Before the epoch nothing has passed.
        Duration::try_from(self.now().duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default()
    }

    async fn wait(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        self.sleep_until(self.now().checked_add(by).unwrap_or(Timestamp::MAX))
            .await;
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, ManualClock};
    use futures::FutureExt;
    use jiff::{SignedDuration, Timestamp};

    #[test]
    fn who_sleeps_wakes_at_the_moment_and_not_before() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let mut sleep = clock.sleep_until(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(10));
        assert!((&mut sleep).now_or_never().is_none());
        clock.advance_ms(9_999);
        assert!((&mut sleep).now_or_never().is_none());
        clock.advance_ms(1);
        assert!((&mut sleep).now_or_never().is_some());
    }
}
