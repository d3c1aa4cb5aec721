//! What the bar of a rehearsal asks of it. Only a console in rehearsal has one.

use naru_domain::actor::Actor;
use naru_view::{Name, rehearsal::Rehearsal};

/// The hand on a rehearsal.
pub trait Rehearsing: Send + Sync {
    /// How it stands now.
    fn look(&self) -> Rehearsal;

    /// From now on its time passes this fast: 0 (standing still), 1, 10 or 60.
    fn set_pace(&self, pace: u32) -> Result<(), Declined>;

    /// Lets this many seconds pass at once, 1 to 3,600.
    fn step(&self, seconds: u32) -> Result<(), Declined>;

    /// Does one of the moves of the story, as this person.
    fn act(&self, who: &Actor, name: &str) -> Result<(), Declined>;

    /// Begins anew, with this scenario and seed. All that was done is gone.
    fn restart(&self, who: &Actor, scenario: &str, seed: u64) -> Result<(), Declined>;
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declined {
    /// There is no scenario, move or pace of this name.
    Unknown(Name),
    /// The move would do nothing now.
    NotNow,
    /// The run has ended: begin anew.
    Ended,
    /// This person may not do it.
    Forbidden,
}
