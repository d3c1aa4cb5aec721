//! Which part of what was counted is compared, and what comes of one metric.
//!
//! All since the canary began, since that is most; and what was counted at this weight alone, for what is worse only under more load would
//! be diluted by the weights before. Both may condemn, and have half of the error probability each. The half of the weights' own is shared
//! among them in equal parts: each weight begins a test of its own, and a canary of many steps must not be looked at with more luck than one
//! of few. At the first weight both are the same requests, and one comparison is enough.
//!
//! Within one weight an error that begins late is diluted all the same. A test that begins anew at every moment has no error probability
//! that could be promised; so the last minutes condemn nobody. They hold, and are shown.

use super::{
    Measured, Metric, Rules, Span,
    bound::{ALPHA, HOLDS},
    cells::cells,
    compare::{Spread, compare},
    evidence::Evidence,
};
use crate::Timestamp;
use jiff::SignedDuration;

/// What began later than so long ago is seen by itself: as long as counts are kept as fine as they came.
pub(super) const RECENT: SignedDuration = SignedDuration::from_mins(10);

/// What comes of one metric, the more worrying the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Finding {
    /// Not above what is allowed.
    Within,
    /// Above what is allowed in the last minutes, and hardly by chance; not so over all.
    Recent,
    /// Above what is allowed, which may be chance.
    Undecided,
    /// Above what is allowed, and not by chance.
    Worse,
}

/// A part of what was counted.
struct Part {
    span: Span,
    /// What began before that is not in it.
    from: Timestamp,
    /// Of worthy canaries, the share that it may condemn or, where it condemns nobody, hold for a while.
    alpha: f64,
}

fn parts(rules: &Rules, now: Timestamp) -> impl Iterator<Item = Part> {
    let began = Part {
        span: Span::Began,
        from: Timestamp::MIN,
        alpha: ALPHA / 2.0,
    };
    let others = rules.steps.saturating_sub(1).max(1);
    let weight = (rules.since > rules.began).then(|| Part {
        span: Span::Weight,
        from: rules.since,
        alpha: ALPHA / 2.0 / f64::from(others),
    });
    let recent = now.checked_sub(RECENT).ok().filter(|it| *it > rules.since);
    let recent = recent.map(|from| Part {
        span: Span::Recent,
        from,
        alpha: HOLDS,
    });
    [Some(began), weight, recent].into_iter().flatten()
}

/// The most worrying of all comparisons of a metric, the one over most of what was counted if several are; None where there is nothing to
/// compare.
pub(super) fn weigh(
    metric: Metric,
    threshold: f64,
    rules: &Rules,
    evidence: &Evidence,
    now: Timestamp,
) -> Option<(Finding, Measured)> {
    let mut most: Option<(Finding, Measured)> = None;
    let mut spread = None;
    for part in parts(rules, now) {
        let cells = cells(metric, rules, evidence, part.from);
        // The first part is all, and tells best how failures of the stable version come.
        let spread = spread.get_or_insert_with(|| Spread::of(metric, &cells));
        let Some(compared) = compare(&cells, spread, threshold, part.alpha) else {
            continue;
        };
        let finding = match part.span {
            Span::Recent if compared.low > threshold => Finding::Recent,
            Span::Recent => Finding::Within,
            _ if compared.low > threshold => Finding::Worse,
            _ if compared.difference > threshold => Finding::Undecided,
            _ => Finding::Within,
        };
        if most.as_ref().is_none_or(|(before, _)| finding > *before) {
            most = Some((finding, compared.measured(metric, part.span, threshold)));
        }
    }
    most
}
