//! How canaries ended, told in lines.

#![allow(dead_code, reason = "who tests takes a part")]
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use naru_domain::judge::guardrail::Reason;

/// How a canary ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    /// It went through all steps, after so many seconds.
    Promoted(i64),
    /// It was condemned.
    RolledBack {
        /// Seconds since the fault began.
        after: i64,
        /// The weight that it had.
        weight: u32,
        /// Why.
        reasons: Vec<Reason>,
        /// Requests harmed by the fault.
        harmed: u64,
    },
    /// Neither.
    Lasting,
}

impl End {
    /// After how many seconds it went through all steps, if it did.
    pub(crate) fn promoted(&self) -> Option<i64> {
        match self {
            Self::Promoted(seconds) => Some(*seconds),
            Self::RolledBack { .. } | Self::Lasting => None,
        }
    }
}

/// How many were rolled back.
pub(crate) fn rolled(ends: &[End]) -> u32 {
    let back = ends.iter().filter(|it| matches!(it, End::RolledBack { .. }));
    u32::try_from(back.count()).unwrap_or(u32::MAX)
}

/// The value below which so many percent are; -1 of none.
pub(crate) fn nth(mut of: Vec<i64>, percent: usize) -> i64 {
    of.sort_unstable();
    of.get((of.len() * percent / 100).min(of.len().saturating_sub(1)))
        .copied()
        .unwrap_or(-1)
}

/// The upper 95 % bound (one-sided, Clopper and Pearson) of a share of which `k` of `n` were seen.
pub(crate) fn upper(k: u32, n: u32) -> f64 {
    // The binomial's cumulative probability falls in p: bisect where it is 5 %.
    let at_most = |p: f64| -> f64 {
        let (mut term, mut sum) = (f64::from(n) * (-p).ln_1p(), 0.0);
        for i in 0..=k {
            sum += term.exp();
            term += (f64::from(n - i) / f64::from(i + 1)).ln() + (p / (1.0 - p)).ln();
        }
        sum
    };
    let (mut low, mut high) = (f64::from(k) / f64::from(n), 1.0 - 1e-12);
    if k == n {
        return 1.0;
    }
    low = low.max(1e-12);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if at_most(middle) > 0.05 {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// One line of those that were rolled back below a weight: how many, after how long in units of seconds, and how many requests were harmed.
pub(crate) fn line(ends: &[End], unit: i64, below: u32, what: &str) {
    let caught = ends.iter().filter_map(|it| match it {
        End::RolledBack {
            after,
            weight,
            harmed,
            ..
        } if *weight < below => Some((after / unit, i64::try_from(*harmed).unwrap_or(i64::MAX))),
        _ => None,
    });
    let (times, harmed): (Vec<i64>, Vec<i64>) = caught.unzip();
    let all = ends.len();
    println!(
        "{what} | {} of {all} | {} {} | {} {}",
        times.len(),
        nth(times.clone(), 50),
        nth(times, 95),
        nth(harmed.clone(), 50),
        nth(harmed, 95)
    );
}
