//! The rehearsal's time: it can stand still, run as the wall clock does or ten and sixty times as fast, and be moved on by hand.
//!
//! What happens in a rehearsal is decided by its own time alone. Real time enters in one place, a [`Source`], and only says how long the
//! rehearsal has been running; tests bring one that they move themselves.

use jiff::{SignedDuration, Timestamp};
use naru_ports::Clock;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// Real time, as far as a rehearsal needs it.
#[async_trait::async_trait]
pub trait Source: Send + Sync {
    /// How long it has been running; never less than before.
    fn elapsed(&self) -> Duration;

    /// Returns once `elapsed()` has grown by this. May be cancelled by dropping.
    async fn wait(&self, by: Duration);
}

/// The machine's own, which goes on evenly when the wall clock is set, and stands still while a laptop sleeps.
#[derive(Debug)]
pub struct Monotonic(std::time::Instant);

impl Monotonic {
    /// Runs from now on.
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }
}

#[async_trait::async_trait]
impl Source for Monotonic {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    async fn wait(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }
}

/// How fast time passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pace {
    /// It stands still.
    Paused,
    /// As outside.
    #[default]
    Real,
    /// Ten seconds in one.
    Ten,
    /// A minute in a second.
    Sixty,
}

impl Pace {
    /// All of them, slowest first.
    pub const ALL: [Self; 4] = [Self::Paused, Self::Real, Self::Ten, Self::Sixty];

    /// Seconds of the rehearsal in one real second.
    pub const fn factor(self) -> u32 {
        match self {
            Self::Paused => 0,
            Self::Real => 1,
            Self::Ten => 10,
            Self::Sixty => 60,
        }
    }

    /// The pace with this factor, if there is one.
    pub fn of_factor(factor: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|pace| pace.factor() == factor)
    }
}

/// Since when it is how fast.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    now: Timestamp,
    elapsed: Duration,
    pace: Pace,
}

/// A rehearsal's clock, and the hand on it.
pub struct Control {
    source: Arc<dyn Source>,
    anchor: Mutex<Anchor>,
    /// Counts what sleepers must look at again.
    moved: watch::Sender<u64>,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control")
            .field("now", &self.now())
            .field("pace", &self.pace())
            .finish_non_exhaustive()
    }
}

impl Control {
    /// Stands at `start`, in whole milliseconds, and goes on at this pace.
    pub fn new(source: Arc<dyn Source>, start: Timestamp, pace: Pace) -> Self {
        let now = Timestamp::from_millisecond(start.as_millisecond()).unwrap_or(start);
        let elapsed = source.elapsed();
        Self {
            source,
            anchor: Mutex::new(Anchor { now, elapsed, pace }),
            moved: watch::Sender::new(0),
        }
    }

    /// The rehearsal's time, in whole milliseconds. Never earlier than before.
    pub fn now(&self) -> Timestamp {
        self.at(*self.anchor.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn at(&self, anchor: Anchor) -> Timestamp {
        let real = self.source.elapsed().saturating_sub(anchor.elapsed);
        let passed = real.saturating_mul(anchor.pace.factor()).as_millis();
        let passed = SignedDuration::from_millis(i64::try_from(passed).unwrap_or(i64::MAX));
        anchor.now.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// How fast time passes.
    pub fn pace(&self) -> Pace {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner).pace
    }

    /// From now on time passes this fast.
    pub fn set_pace(&self, pace: Pace) {
        self.turn(|anchor| anchor.pace = pace);
    }

    /// Time stands still until another pace is set.
    pub fn pause(&self) {
        self.set_pace(Pace::Paused);
    }

    /// Lets a span pass at once, whatever the pace. A negative one does nothing: a rehearsal does not go back.
    pub fn step(&self, by: SignedDuration) {
        self.turn(|anchor| {
            let by = SignedDuration::from_millis(i64::try_from(by.as_millis()).unwrap_or(0).max(0));
            anchor.now = anchor.now.checked_add(by).unwrap_or(Timestamp::MAX);
        });
    }

    fn turn(&self, change: impl FnOnce(&mut Anchor)) {
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        anchor.now = self.at(*anchor);
        anchor.elapsed = self.source.elapsed();
        change(&mut anchor);
        drop(anchor);
        self.moved.send_modify(|count| *count += 1);
    }
}

#[async_trait::async_trait]
impl Clock for Control {
    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    async fn sleep_until(&self, until: Timestamp) {
        // Subscribed before looking, so that a turn in between wakes us. The sender lives in `self`.
        let mut moved = self.moved.subscribe();
        loop {
            let anchor = *self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
            let left = until.duration_since(self.at(anchor));
            if !left.is_positive() {
                return;
            }
            let left = Duration::try_from(left).unwrap_or_default();
            if let Some(real) = left.checked_div(anchor.pace.factor()) {
                // Whole milliseconds of the rehearsal are reached a hair later than the quotient says.
                let real = real.max(Duration::from_millis(1)) + Duration::from_nanos(1);
                tokio::select! {
                    () = self.source.wait(real) => {}
                    _ = moved.changed() => {}
                }
            } else {
                let _ = moved.changed().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Control, Monotonic, Pace, Source};
    use crate::ManualClock;
    use futures::FutureExt;
    use jiff::{SignedDuration, Timestamp};
    use naru_ports::Clock;
    use std::{sync::Arc, time::Duration};

    fn control(pace: Pace) -> (Arc<ManualClock>, Control) {
        let hand = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        let control = Control::new(hand.clone(), Timestamp::UNIX_EPOCH, pace);
        (hand, control)
    }

    #[test]
    fn each_pace_passes_as_many_seconds_as_it_says() {
        for (pace, expected) in [
            (Pace::Paused, 0),
            (Pace::Real, 7),
            (Pace::Ten, 70),
            (Pace::Sixty, 420),
        ] {
            let (hand, control) = control(pace);
            hand.advance_ms(7_000);
            assert_eq!(control.now().as_second(), expected, "{pace:?}");
            assert_eq!(Pace::of_factor(pace.factor()), Some(pace));
        }
        assert_eq!(Pace::of_factor(2), None);
    }

    #[test]
    fn a_new_pace_does_not_move_what_has_passed() {
        let (hand, control) = control(Pace::Sixty);
        hand.advance_ms(1_000);
        control.set_pace(Pace::Real);
        assert_eq!((control.now().as_second(), control.pace()), (60, Pace::Real));
        hand.advance_ms(2_000);
        control.pause();
        hand.advance_ms(9_000);
        assert_eq!(control.now().as_second(), 62);
        control.step(SignedDuration::from_secs(600));
        control.step(SignedDuration::from_secs(-600));
        assert_eq!((control.now().as_second(), control.pace()), (662, Pace::Paused));
    }

    #[test]
    fn who_sleeps_wakes_in_rehearsed_time_whatever_the_hand_does() {
        let (hand, control) = control(Pace::Ten);
        let mut sleep = control.sleep_until(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(60));
        assert!((&mut sleep).now_or_never().is_none());
        hand.advance_ms(5_900);
        assert!((&mut sleep).now_or_never().is_none());
        control.pause();
        hand.advance_ms(60_000);
        assert!((&mut sleep).now_or_never().is_none());
        control.set_pace(Pace::Sixty);
        hand.advance_ms(16);
        assert!((&mut sleep).now_or_never().is_none());
        hand.advance_ms(2);
        assert!((&mut sleep).now_or_never().is_some());
        let mut sleep = control.sleep_until(control.now() + SignedDuration::from_hours(1));
        assert!((&mut sleep).now_or_never().is_none());
        control.step(SignedDuration::from_hours(1));
        assert!((&mut sleep).now_or_never().is_some());
    }

    #[tokio::test]
    async fn the_machines_own_goes_on() {
        let source = Monotonic::start();
        let before = source.elapsed();
        source.wait(Duration::from_millis(2)).await;
        assert!(source.elapsed() >= before + Duration::from_millis(2));
    }
}
