//! What people put their names to: `clerk` writes it as them, `keeper` accepts, refuses and reopens as Naru; `import` brings
//! it back from a file.

mod clerk;
mod import;
mod keeper;

pub(crate) use clerk::Clerk;
pub use import::{Arrived, Stopped, StoppedBy, import};
pub(crate) use keeper::{Keeper, spawn};
