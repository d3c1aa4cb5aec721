//! One metric of both versions compared: the difference, how sure it is, and whether it is above what is allowed.

use super::{
    Measured, Metric, Span,
    bound::excess,
    cells::{Cells, Count},
    evidence::Role,
};

/// A minute's share is drawn towards the share of all minutes as if that had been seen in so many requests, a caller's towards the
/// minute's: otherwise a handful of requests without a failure would pass for a version that never fails.
const DRAWN: f64 = 20.0;

/// From minute to minute the share of what fails varies by half its size at least (the square of that: a squared coefficient of variation),
/// whatever the stable version's few failures seem to say. Failures that are as rare as they should be do not show their bursts.
const VARIES: f64 = 0.25;

/// Two failures of one pod within a minute are related so much at least; or less, where so few fail that half of them is less than that.
const RELATED: f64 = 0.005;

/// Both versions by one metric.
pub(super) struct Compared {
    stable: Count,
    canary: Count,
    /// The canary's share minus the stable version's, over the same minutes and callers.
    pub(super) difference: f64,
    /// Ends of what the difference may be.
    pub(super) low: f64,
    high: f64,
}

/// Compares both versions, so that of canaries that are no worse than allowed a share of `alpha` at most is ever seen above the threshold;
/// None where there is nothing to compare.
pub(super) fn compare(cells: &Cells<'_>, spread: &Spread, threshold: f64, alpha: f64) -> Option<Compared> {
    let (stable, canary) = (cells.all.stable, cells.all.canary);
    if stable.n <= 0.0 || canary.n <= 0.0 {
        return None;
    }
    let base = stable.share();
    let mut excess_seen = 0.0;
    let mut sums = Sums::default();
    for (&(minute, _), pair) in &cells.each {
        let n = pair.canary.n;
        if n <= 0.0 {
            continue;
        }
        let beside = cells.minutes[&minute];
        let share = drawn(pair.stable, drawn(beside.stable, base));
        excess_seen += pair.canary.hits - n * share;
        let seen = drawn(beside.canary, canary.share());
        let burst = |at: f64| spread.burst(beside.canary.n, at);
        let (allowed, as_seen) = (burst(share + threshold), burst(seen));
        let other = spread.burst(beside.stable.n, share) * n / (pair.stable.n + 1.0);
        let varies = spread.varies(share) * n * other;
        sums.at_threshold += spread.varies(share + threshold) * n * allowed + varies;
        sums.as_seen += spread.varies(seen) * n * as_seen + varies;
        sums.allowed = sums.allowed.max(allowed);
        sums.burst = sums.burst.max(as_seen);
        sums.other = sums.other.max(other);
    }
    let difference = excess_seen / canary.n;
    // The lower end is above the threshold exactly if the test at the threshold says so.
    let below = excess(sums.at_threshold, sums.allowed, alpha) / canary.n;
    let above = excess(sums.as_seen, sums.burst.max(sums.other), alpha) / canary.n;
    Some(Compared {
        stable,
        canary,
        difference,
        low: difference - below,
        high: difference + above,
    })
}

impl Compared {
    /// As people are shown it.
    pub(super) fn measured(&self, metric: Metric, span: Span, threshold: f64) -> Measured {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a sum of counts"
        )]
        let n = self.canary.n as u64;
        Measured {
            metric,
            span,
            stable: self.stable.share(),
            canary: self.canary.share(),
            difference: self.difference,
            low: self.low,
            high: self.high,
            threshold,
            n,
        }
    }
}

#[derive(Default)]
struct Sums {
    at_threshold: f64,
    as_seen: f64,
    allowed: f64,
    burst: f64,
    other: f64,
}

fn drawn(count: Count, towards: f64) -> f64 {
    (count.hits + DRAWN * towards).max(0.0) / (count.n + DRAWN)
}

/// How much more failures vary than if each came by itself.
pub(super) struct Spread {
    metric: Metric,
    /// The correlation of two requests to one destination within a minute, as the stable version's failures show it.
    related: f64,
}

impl Spread {
    /// Estimated from the stable version alone, by moments of each destination's minutes around what the others had: the canary's own
    /// bursts must not excuse it. J. K. Haseman, L. L. Kupper, "Analysis of dichotomous response data from certain toxicological
    /// experiments", Biometrics 35, 1979, has the beta-binomial's moments.
    pub(super) fn of(metric: Metric, cells: &Cells<'_>) -> Self {
        let mut spread = Self { metric, related: 0.0 };
        let base = cells.all.stable.share();
        let varies = spread.varies(base);
        let (mut beyond, mut pairs) = (0.0, 0.0);
        for (&(minute, role, _), unit) in &cells.units {
            if role == Role::Canary {
                continue;
            }
            let beside = cells.minutes[&minute].stable;
            let others = Count {
                n: beside.n - unit.n,
                hits: beside.hits - unit.hits,
            };
            let off = unit.hits - unit.n * drawn(others, base);
            beyond += off * off - unit.n * varies;
            pairs += unit.n * (unit.n - 1.0) * varies;
        }
        if pairs > 0.0 {
            spread.related = (beyond / pairs).clamp(0.0, 1.0);
        }
        spread
    }

    /// How many requests of `n` within one minute count as one, where this share of them fails.
    fn burst(&self, n: f64, share: f64) -> f64 {
        let least = (VARIES * share).clamp(0.0, RELATED);
        1.0 + (n - 1.0).max(0.0) * self.related.max(least)
    }

    /// The variance of one request's outcome.
    fn varies(&self, share: f64) -> f64 {
        match self.metric {
            // Retries are counted, and there may be several of one request.
            Metric::Amplification => share.max(0.0),
            _ => {
                let share = share.clamp(0.0, 1.0);
                share * (1.0 - share)
            }
        }
    }
}
