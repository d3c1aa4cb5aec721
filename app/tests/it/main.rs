//! Pages rendered natively from fixtures, in both languages and in every state.

#![allow(clippy::unwrap_used, reason = "helpers of tests may stop where they stand")]

mod checklist;
mod locales;
mod mesh;
mod page;
mod pages;
mod server_functions;
mod signing;
mod states;
mod steps;
mod why;
