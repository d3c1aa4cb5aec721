//! What one reporter says about one edge: the sum over the services asked for.

use super::{memory::active, round};
use crate::{Name, traffic::Flow};
use naru_view::topology::CodeRate;
use std::collections::BTreeMap;

/// How many response codes an edge keeps.
const CODES: usize = 8;

/// Flows of one reporter, added.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    active: bool,
    rate: f64,
    failed: f64,
    mtls: f64,
    /// Requests per second whose mean duration is known, and these times that mean.
    timed: (f64, f64),
    bytes: f64,
    codes: BTreeMap<(Name, Name), f64>,
}

/// What is no number, or negative, is nothing: a source's nonsense must not spread over the sums.
fn sane(value: f64) -> f64 {
    if value.is_finite() { value.max(0.0) } else { 0.0 }
}

impl Sum {
    pub(super) fn add(&mut self, flow: &Flow) {
        let rate = sane(flow.rate);
        self.active |= active(flow);
        self.rate += rate;
        self.failed += sane(flow.failed);
        self.mtls += sane(flow.mtls);
        self.bytes += sane(flow.sent) + sane(flow.received);
        if let Some(average) = flow
            .average_ms
            .filter(|average| average.is_finite() && rate > 0.0)
        {
            self.timed.0 += rate;
            self.timed.1 += rate * average;
        }
        for (code, rate) in &flow.codes {
            *self.codes.entry(code.clone()).or_default() += sane(*rate);
        }
    }

    /// Whether this reporter spoke of requests in the window.
    pub(super) fn active(&self) -> bool {
        self.active
    }

    pub(super) fn rate(&self) -> f64 {
        round::significant(self.rate)
    }

    pub(super) fn error_share(&self) -> Option<f64> {
        round::share(self.failed, self.rate)
    }

    pub(super) fn mtls_share(&self) -> Option<f64> {
        round::share(self.mtls, self.rate)
    }

    pub(super) fn average_ms(&self) -> Option<f64> {
        (self.timed.0 > 0.0).then(|| round::significant(self.timed.1 / self.timed.0))
    }

    pub(super) fn bytes_rate(&self) -> f64 {
        round::significant(self.bytes)
    }

    /// Most first, then by code and flags.
    pub(super) fn codes(&self) -> Vec<CodeRate> {
        let mut codes: Vec<CodeRate> = self
            .codes
            .iter()
            .map(|((code, flags), rate)| CodeRate {
                code: code.clone(),
                flags: flags.clone(),
                rate: round::significant(*rate),
            })
            .filter(|code| code.rate > 0.0)
            .collect();
        codes.sort_by(|a, b| b.rate.total_cmp(&a.rate));
        codes.truncate(CODES);
        codes
    }
}

#[cfg(test)]
mod tests {
    use super::Sum;
    use crate::traffic::Flow;

    #[test]
    fn rates_add_and_averages_are_weighed() {
        let mut sum = Sum::default();
        sum.add(&Flow {
            rate: 3.0,
            failed: 0.3,
            average_ms: Some(10.0),
            ..Flow::default()
        });
        sum.add(&Flow {
            rate: 1.0,
            average_ms: Some(50.0),
            ..Flow::default()
        });
        sum.add(&Flow {
            rate: 0.0,
            average_ms: None,
            ..Flow::default()
        });
        assert_eq!(
            (sum.rate(), sum.error_share(), sum.average_ms()),
            (4.0, Some(0.075), Some(20.0))
        );
    }

    #[test]
    fn nonsense_does_not_spread() {
        let mut sum = Sum::default();
        sum.add(&Flow {
            rate: f64::NAN,
            failed: f64::INFINITY,
            mtls: -1.0,
            ..Flow::default()
        });
        sum.add(&Flow {
            rate: 2.0,
            failed: 1.0,
            ..Flow::default()
        });
        assert_eq!(
            (sum.rate(), sum.error_share(), sum.mtls_share()),
            (2.0, Some(0.5), Some(0.0))
        );
    }

    #[test]
    fn eight_codes_most_first() {
        let codes = (0..10_u8)
            .map(|i| ((format!("5{i:02}").into(), "-".into()), f64::from(i)))
            .collect();
        let mut sum = Sum::default();
        sum.add(&Flow {
            rate: 45.0,
            codes,
            ..Flow::default()
        });
        let kept = sum.codes();
        assert_eq!((kept.len(), &*kept[0].code, &*kept[7].code), (8, "509", "502"));
    }
}
