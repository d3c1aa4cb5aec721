//! The server: command line, settings, HTTP, live streams, sources. `main` is only the doorway.
//!
//! ```text
//! cli ─► config ─► startup (the only place that names adapters) ─► Engine ─► http::serve
//!                        ├─► rehearse (a world of its own, one run at a time)
//!                        ├─► graph, check, doctor, evidence, preflight, export, import, why, what-if, changes (one shot, no engine)
//!                        └─► weight, undo, rollback, freeze ─► Hand, Freezing (one shot; the engine's desk without the engine)
//! ```
//!
//! Invariants: handlers see `naru_ports::Console` and nothing behind it; every response has the headers of `http::security`; nothing is
//! written for a request that does not come from one of our own pages; no token is ever logged.

mod changes;
mod check;
pub mod cli;
pub mod config;
mod doctor;
mod evidence;
mod export;
pub mod failure;
mod files;
mod freeze;
mod graph;
pub mod http;
mod import;
mod inventory;
pub mod live;
mod logging;
mod preflight;
mod rehearse;
pub mod sessions;
mod shutdown;
pub mod sources;
mod startup;
mod undo;
mod verify;
mod weight;
mod what_if;
mod why;
