//! Durations by how long they were.

/// Upper bounds in microseconds, and in milliseconds as `le` says them. Envoy's, for Istio sets none of its own
/// (`HistogramSettingsImpl::defaultBuckets`; Istio's `envoy_bootstrap.json`, `histogram_bucket_settings`).
pub(in super::super) const BOUNDS: [(u64, &str); 19] = [
    (500, "0.5"),
    (1_000, "1"),
    (5_000, "5"),
    (10_000, "10"),
    (25_000, "25"),
    (50_000, "50"),
    (100_000, "100"),
    (250_000, "250"),
    (500_000, "500"),
    (1_000_000, "1000"),
    (2_500_000, "2500"),
    (5_000_000, "5000"),
    (10_000_000, "10000"),
    (30_000_000, "30000"),
    (60_000_000, "60000"),
    (300_000_000, "300000"),
    (600_000_000, "600000"),
    (1_800_000_000, "1800000"),
    (3_600_000_000, "3600000"),
];

/// How many requests took at most as long as a bound and longer than the one before; the last, longer than all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Histogram(pub(in super::super) [u64; BOUNDS.len() + 1]);

impl Histogram {
    /// Requests that took `duration_us` together: each its mean.
    pub(super) fn add(&mut self, requests: u64, duration_us: u64) {
        if let Some(each) = duration_us.checked_div(requests) {
            self.0[BOUNDS.partition_point(|(bound, _)| *bound < each)] += requests;
        }
    }
}

/// The same between two scrapes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Durations(pub(in super::super) [u32; BOUNDS.len() + 1]);

impl Durations {
    pub(super) fn add(&mut self, requests: u64, duration_us: u64) {
        if let Some(each) = duration_us.checked_div(requests) {
            let place = &mut self.0[BOUNDS.partition_point(|(bound, _)| *bound < each)];
            *place = place.saturating_add(u32::try_from(requests).unwrap_or(u32::MAX));
        }
    }

    /// How many took longer than a bound, by its place in [`BOUNDS`].
    pub(super) fn above(&self, bound: usize) -> u64 {
        self.0.iter().skip(bound + 1).map(|n| u64::from(*n)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{BOUNDS, Durations, Histogram};

    #[test]
    fn a_bound_belongs_to_the_bucket_that_it_ends() {
        let place = |us| {
            let mut histogram = Histogram::default();
            histogram.add(1, us);
            histogram.0.iter().position(|n| *n == 1)
        };
        assert_eq!([0, 500, 501, 1_000, 1_001].map(place), [0, 0, 1, 1, 2].map(Some));
        assert_eq!([3_600_000_000, 3_600_000_001].map(place), [18, 19].map(Some));
        let mut many = Histogram::default();
        many.add(4, 48_000);
        many.add(0, 0);
        assert_eq!(many.0[4], 4);
        assert_eq!(many.0.iter().sum::<u64>(), 4);
    }

    #[test]
    fn what_took_as_long_as_a_bound_is_not_above_it() {
        let mut durations = Durations::default();
        durations.add(2, 2 * 50_000);
        durations.add(3, 3 * 50_001);
        durations.add(0, 0);
        let place = |bound| {
            BOUNDS
                .iter()
                .position(|(_, name)| *name == bound)
                .expect("a bound")
        };
        assert_eq!(
            ["25", "50", "100"].map(|bound| durations.above(place(bound))),
            [5, 3, 0]
        );
    }

    #[test]
    fn bounds_grow_and_are_called_what_they_are() {
        assert!(BOUNDS.is_sorted_by(|a, b| a.0 < b.0));
        for (us, name) in BOUNDS {
            let ms: f64 = name.parse().expect("a number");
            assert_eq!(ms * 1_000.0, f64::from(u32::try_from(us).expect("below 2^32")));
        }
    }
}
