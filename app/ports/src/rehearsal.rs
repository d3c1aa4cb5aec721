//! What the bar of a rehearsal asks of it. Only a console in rehearsal has one.

use naru_domain::actor::Actor;
use naru_view::rehearsal::{Action, Declined, Rehearsal};

/// The hand on a rehearsal.
pub trait Rehearsing: Send + Sync {
    /// How it stands now. Who looks at the end of a run is whose run it was, for the record.
    fn look(&self, who: &Actor) -> Rehearsal;

    /// Does what a player asks for.
    ///
    /// # Errors
    /// Why it was not done; nothing has changed then.
    fn act(&self, who: &Actor, action: &Action) -> Result<(), Declined>;

    /// The records of the runs that ended in this process, as JSON, the youngest last.
    fn records(&self) -> String;
}
