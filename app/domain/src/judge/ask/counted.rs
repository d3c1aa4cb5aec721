//! Requests of a time that is past.

use crate::{
    Why,
    inquiry::{Counts, CountsOf},
    judge::{Found, World},
    traffic::Dated,
};

/// What was counted; noted if it is not known, or if Prometheus does not reach back so far.
pub(in crate::judge) fn counted<'w>(
    world: &'w World<'_>,
    question: &CountsOf,
    found: &mut Found,
) -> Option<Dated<&'w Counts>> {
    let counts = world.ask(question, found)?;
    if counts.value.covered {
        return Some(counts);
    }
    found.unknown(Why::NotCounted {
        of: format!("{}/{}", question.to.0, question.to.1).into(),
        since: question.from.to_string().into(),
    });
    None
}
