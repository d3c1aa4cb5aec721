//! The proof of the mesh model. A case says objects, a question and the answer that Istio's documentation or source promises; it is put
//! to the model ([`ask`]) and to a real mesh ([`real`]), and all three must agree. `end2end/lab/README.md` says how a case is written.

pub mod answer;
pub mod ask;
pub mod case;
pub mod place;
pub mod real;
pub mod report;
pub mod standing;

pub use answer::Answer;
pub use case::{Asks, By, Case, Document};
