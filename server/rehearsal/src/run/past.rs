//! The last minutes, second by second.

use crate::traffic::{Answered, Toll};
use jiff::SignedDuration;
use naru_domain::Timestamp;
use std::collections::VecDeque;

/// Seconds that are kept.
const KEPT: usize = 601;

/// What had been counted at the end of a second.
#[derive(Debug)]
pub(super) struct Moment {
    at: Timestamp,
    pub(super) toll: Toll,
    pub(super) answered: Answered,
}

/// The last minutes.
#[derive(Debug, Default)]
pub(super) struct Past(VecDeque<Moment>);

impl Past {
    pub(super) fn push(&mut self, at: Timestamp, toll: Toll, answered: Answered) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Moment { at, toll, answered });
    }

    pub(super) fn last(&self) -> Option<&Moment> {
        self.0.back()
    }

    /// What had been counted so many seconds ago; None if that was not seen.
    pub(super) fn lately(&self, at: Timestamp, seconds: i64) -> Option<&Moment> {
        let then = at.checked_sub(SignedDuration::from_secs(seconds)).ok()?;
        let after = self.0.partition_point(|it| it.at <= then);
        self.0.get(after.checked_sub(1)?)
    }
}
