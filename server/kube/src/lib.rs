//! The Kubernetes adapter: watch, convert, submit, ask for rights. All of kube stays in here.
//!
//! ```text
//! connect (kubeconfig, TLS) ─► wire (one HTTP client, retries nothing) ─┬─► watch: page by page into facts, then event by event
//!                                                                       ├─► submit: guarded writes, as a person or as a controller
//!                                                                       └─► rights, tokens: SubjectAccessReviews, TokenReviews
//! ```
//!
//! kube brings the kubeconfig, TLS and credentials; requests and answers are our own, because what this adapter must tell apart (a
//! write that has not left, that was refused, that may have landed) is lost in a client that retries and folds errors.
//!
//! Deliberately absent: a cache of objects (the engine keeps facts), retries, and a watch on CustomResourceDefinitions: whether a kind
//! is there is told by its own URL, which needs no further right.

#![forbid(unsafe_code)]

mod answer;
mod cluster;
mod connect;
mod identity;
mod path;
mod rights;
mod submit;
mod tokens;
mod watch;
mod wire;

pub use cluster::KubeCluster;
pub use connect::{ConnectError, Server, Settings, Source};
pub use identity::PERSON;
pub use tokens::KubeTokens;
pub use wire::Pace;
