//! From raw samples of a counter to what was counted between them.

use crate::Timestamp;

/// What was counted between two samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The sample before.
    pub from: Timestamp,
    /// The sample.
    pub to: Timestamp,
    /// How much.
    pub n: u64,
}

/// Differences of one series' samples, in their order.
///
/// `rate` and `increase` drop a series' first sample, and with it the first failures of a new version
/// (<https://github.com/prometheus/prometheus/issues/1673>). But a proxy has no series until there is something to count: if the same
/// target was scraped `before` without it, or started then, the series was 0. None says that nobody looked before, and counting starts at
/// the first sample. A counter that falls was reset, and begins at 0 again.
pub fn counted(samples: &[(Timestamp, u64)], before: Option<Timestamp>) -> Vec<Counted> {
    let birth = samples
        .first()
        .zip(before)
        .map(|(&(to, n), from)| Counted { from, to, n });
    let later = samples.windows(2).map(|two| {
        let ((from, was), (to, is)) = (two[0], two[1]);
        let n = is.checked_sub(was).unwrap_or(is);
        Counted { from, to, n }
    });
    birth.into_iter().chain(later).collect()
}

#[cfg(test)]
mod tests {
    use super::{Counted, counted};
    use crate::Timestamp;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn births_and_resets_begin_at_0() {
        let one = |from, to, n| Counted {
            from: at(from),
            to: at(to),
            n,
        };
        let samples = [(at(15), 7), (at(30), 9), (at(45), 2)];
        assert_eq!(
            counted(&samples, Some(at(0))),
            [one(0, 15, 7), one(15, 30, 2), one(30, 45, 2)]
        );
        assert_eq!(counted(&samples, None), [one(15, 30, 2), one(30, 45, 2)]);
        assert_eq!(counted(&samples[..1], None), []);
        assert_eq!(counted(&[], Some(at(0))), []);
    }
}
