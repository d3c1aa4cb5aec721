//! The server from outside: responses of the router, and the binary with its exit codes.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stop where they stand, as tests do"
)]

mod answers;
mod assets;
mod bad_input;
mod check;
mod command;
mod evidence;
mod freeze;
mod headers;
mod identity;
mod lab;
mod live;
mod odd_objects;
mod pages;
mod rehearsal;
mod support;
mod undo;
mod what_if;
mod why;
