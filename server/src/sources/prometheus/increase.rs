//! Counters, read exactly. Prometheus's `rate` and `increase` extrapolate and lose a series' first sample; counts of few requests need better.

use super::answer::Sample;

/// What a counter that stood at `base` gained along these samples. Where it falls, its process was started anew and counted from 0; what
/// the old one counted after its last scrape is lost.
pub(super) fn gained(base: f64, samples: &[Sample]) -> f64 {
    let mut before = base;
    let mut sum = 0.0;
    for sample in samples {
        sum += if sample.value >= before {
            sample.value - before
        } else {
            sample.value
        };
        before = sample.value;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::{Sample, gained};

    fn along(base: f64, values: &[f64]) -> f64 {
        let samples: Vec<Sample> = values.iter().map(|&value| Sample { at_ms: 0, value }).collect();
        gained(base, &samples)
    }

    #[test]
    fn counters_grow_and_are_reset() {
        assert_eq!(along(5.0, &[]), 0.0);
        assert_eq!(along(5.0, &[5.0, 7.0, 7.0, 12.0]), 7.0);
        // 5 → 9, restarted, counted 3, then 4 more.
        assert_eq!(along(5.0, &[9.0, 3.0, 7.0]), 11.0);
        assert_eq!(along(0.0, &[4.0]), 4.0);
        assert_eq!(along(100.0, &[0.0, 1.0]), 1.0);
    }
}
