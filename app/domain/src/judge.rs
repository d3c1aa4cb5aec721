//! The checklist judged by machine: values in, verdicts out.
//!
//! A [`check`] looks at one thing and says what it found, what it saw, and what it could not know. The checks of an [`Item`] together make
//! its [`Judgement`]: Met only if every check knew, and none found an error. What is not known is never Met.

mod ask;
pub mod check;
mod finding;
mod injected;
pub mod settled;
#[cfg(test)]
mod systems;
#[cfg(test)]
mod testing;
mod verdict;
mod world;

pub use check::{ALL, Check};
pub use finding::{Code, Fact, FactSource, Finding, Found, Severity};
pub use verdict::{Judgement, Verdict, judge};
pub use world::World;
