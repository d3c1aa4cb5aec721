//! The crossing: which system goes, by which phases and items, and what people have put their names to.
//!
//! [`migration`] says what the system is and what counts as done; [`item`] names the sixteen items, and [`own`] those that a team adds. What
//! is judged of them is in [`crate::judge`].
//!
//! What people put their names to, in order of reading: [`evidence`] (what was judged, as a signature names it), [`signoff`] (signatures,
//! numbered, each naming the one before), [`report`] (what was tried elsewhere and handed in), [`waiver`] and [`exception`] (what is passed over until a day), [`chain`] (whether all of it is
//! whole), [`ledger`] (all of it together), [`guard`] (whether what it rests on stands), [`audited`] (both, of a cluster), [`standing`] (how an
//! item stands by it), [`sheet`] (what is shown before signing), [`decide`] (which signatures Naru accepts), [`reopen`] (when a signed item is
//! open again), [`progress`] (what keeps the next phase closed), [`export`] (the file that outlives the cluster), [`import`]
//! (its way back into one).

pub mod act;
pub mod audited;
pub mod chain;
pub mod decide;
pub mod evidence;
pub mod exception;
pub mod export;
pub mod guard;
pub mod import;
pub mod item;
pub mod ledger;
pub mod migration;
pub mod own;
pub mod progress;
pub mod reopen;
pub mod report;
#[cfg(test)]
mod schema;
pub mod sheet;
pub mod signoff;
pub mod standing;
#[cfg(test)]
mod tests;
pub mod waiver;

pub use audited::Audited;
pub use evidence::Evidence;
pub use exception::Exception;
pub use item::Item;
pub use ledger::Ledger;
pub use migration::Migration;
pub use own::OwnItems;
pub use report::Report;
pub use signoff::SignOff;
pub use waiver::Waiver;
