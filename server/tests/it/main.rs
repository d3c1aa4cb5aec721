//! The server from outside: responses of the router, and the binary with its exit codes.

mod answers;
mod assets;
mod bad_input;
mod command;
mod headers;
mod live;
mod pages;
mod support;
