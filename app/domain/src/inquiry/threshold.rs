//! The worst of what a team's own item asks for.

use crate::{Name, Timestamp, promql::Expression};

/// Over a time that ends now, looked at in even steps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Threshold {
    /// What is asked.
    pub query: Expression,
    /// The time, in seconds.
    pub window_s: u32,
    /// Which number is the worst.
    pub worst: Worst,
}

/// Which of several numbers is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Worst {
    /// The lowest.
    Lowest,
    /// The highest.
    Highest,
}

impl Worst {
    /// A number is worse than another.
    pub fn than(self, value: f64, other: f64) -> bool {
        match self {
            Self::Lowest => value < other,
            Self::Highest => value > other,
        }
    }
}

/// What there was over the time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ThresholdState {
    /// The worst; None where there was no number at all.
    pub worst: Option<WorstSeen>,
    /// So many series there were.
    pub series: u32,
    /// So many times it was looked.
    pub looks: u32,
    /// At so many of them there was a number, and nothing else: what is no number (0 / 0) tells nothing of its series.
    pub seen: u32,
}

/// The worst number.
#[derive(Clone, Debug, PartialEq)]
pub struct WorstSeen {
    /// It; may be infinite.
    pub value: f64,
    /// Whose it was, as Prometheus writes labels: `{pod="a"}`.
    pub series: Name,
    /// When, for the first time.
    pub at: Timestamp,
}
