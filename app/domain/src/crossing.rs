//! The crossing: which system goes, by which phases and items, and what people have put their names to.
//!
//! [`migration`] says what the system is and what counts as done; [`item`] names the sixteen items. What is judged of them is in
//! [`crate::judge`].
//!
//! What people put their names to, in order of reading: [`evidence`] (what was judged, as a signature names it), [`signoff`] (signatures,
//! numbered, each naming the one before), [`waiver`] and [`exception`] (what is passed over until a day), [`chain`] (whether all of it is
//! whole), [`ledger`] (all of it together), [`standing`] (how an item stands by it), [`reopen`] (when a signed item is open again),
//! [`export`] (the file that outlives the cluster).

pub mod act;
pub mod chain;
pub mod evidence;
pub mod exception;
pub mod export;
pub mod item;
pub mod ledger;
pub mod migration;
pub mod reopen;
#[cfg(test)]
mod schema;
pub mod signoff;
pub mod standing;
#[cfg(test)]
mod tests;
pub mod waiver;

pub use evidence::Evidence;
pub use exception::Exception;
pub use item::Item;
pub use ledger::Ledger;
pub use migration::Migration;
pub use signoff::SignOff;
pub use waiver::Waiver;
