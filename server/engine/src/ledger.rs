//! What people put their names to: `clerk` writes it as them, `keeper` accepts, refuses and reopens as Naru.

mod clerk;
mod keeper;

pub(crate) use clerk::Clerk;
pub(crate) use keeper::{Keeper, spawn};
