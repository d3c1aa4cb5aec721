//! What several files of the model answer together.

mod explained;
mod gateways;
mod names;
