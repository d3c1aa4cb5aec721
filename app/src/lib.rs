//! Naru's pages: components, server functions, live updates; rendered by the server (feature `ssr`) and taken over by the browser
//! (feature `hydrate`).
//!
//! ```text
//! request ─► shell ─► App ─► routes ─► page ─► load::<View type>()  ssr: Backend.console, from memory
//!                                        ▲                          browser: GET /live/<part>
//!                                        └── live::follow: the doorbell /live rings, the page takes the new body
//! button ─► plan sheet ─► serverfns::{plan_weights, apply_weights, plan_undo, undo_change} ─► Console
//!        ├► deed sheet of an item ─► serverfns::{read_sign_sheet, put_name} ─► Console
//!        ├► question, /why ─► serverfns::explain ─► Console
//!        └► band of a rehearsal ─► serverfns::{rehearsal, rehearse} ─► Rehearsing
//! ```
//!
//! Reading order: [`routes`] (every page), [`context`] (what the server gives), [`lang`] (both languages, one method a sentence),
//! [`say`] (reasons as sentences, for the command line too), [`format`] (numbers and times), `live`, `pages`, `components`, `graph`.
//!
//! Invariants: a page knows nothing of Kubernetes or Prometheus, only `naru-view` types; nothing here waits for a source; server and
//! browser build the same HTML from the same data; no sentence for people stands outside `locales/`; no style attribute is rendered
//! (the content security policy forbids it).

#![forbid(unsafe_code)]
// The macros of leptos write `pub` where a component or server function is only re-exported.
#![allow(unreachable_pub)]
// Long view types nest deeper than the default.
#![recursion_limit = "512"]

mod app;
pub mod bar;
mod components;
pub mod context;
pub mod error;
#[cfg(feature = "ssr")]
mod export;
#[cfg(feature = "fixtures")]
pub mod fixtures;
pub mod format;
mod graph;
pub mod lang;
mod layout;
mod live;
mod pages;
pub mod routes;
pub mod say;
pub mod serverfns;
#[cfg(feature = "ssr")]
mod shell;
pub mod theme;

pub use app::App;
pub use error::AppError;
#[cfg(feature = "ssr")]
pub use export::export_page;
pub use lang::Lang;
#[cfg(feature = "ssr")]
pub use shell::{ShellProps, shell};
