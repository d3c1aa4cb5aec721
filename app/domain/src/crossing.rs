//! The crossing: which system goes, by which phases and items, and what people have put their names to.
//!
//! [`migration`] says what the system is and what counts as done; [`item`] names the sixteen items. What is judged of them is in
//! [`crate::judge`].

pub mod item;
pub mod migration;

pub use item::Item;
pub use migration::Migration;
