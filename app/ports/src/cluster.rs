//! The Kubernetes API, as far as Naru speaks it.

use futures::stream::BoxStream;
use naru_domain::{
    Name, Why,
    actor::Actor,
    fact::Fact,
    object::{Key, Kind, Object, Write},
};
use std::time::Duration;

/// Under whose identity a write goes out. Every write names one; there is no default.
#[derive(Clone, Copy, Debug)]
pub enum As<'a> {
    /// A person who is present: impersonated, so that the API server decides and audits by them.
    Person(&'a Actor),
    /// A controller of ours, by its name, under Naru's own ServiceAccount.
    Controller(&'static str),
    /// Whoever runs the command, with credentials of their own: the user, as the API server names them.
    Oneself(&'a str),
}

/// What a watch tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// The API server does not have this kind. May be followed by `Reset` when its CRD arrives.
    Absent,
    /// All objects of the kind, after which changes follow without a gap. `gaps` names objects that had to be left out.
    Reset {
        /// Every readable object.
        facts: Vec<Fact>,
        /// What was left out, and why.
        gaps: Vec<Why>,
    },
    /// An object is there, or is different now.
    Applied(Fact),
    /// An object is gone.
    Deleted(Key),
    /// This one object cannot be read; what was known about it is no longer so.
    Unreadable(Key, Why),
    /// The watch is broken; what was seen may be out of date. A `Reset` or `Absent` follows when it works again.
    Lost(Why),
}

/// Why a question or a write was not answered as wished.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ClusterError {
    /// The object is no longer at the resourceVersion of the write (409), or a `test` in the patch failed (422).
    #[error("the object was changed by somebody else meanwhile")]
    Conflict,
    /// The name is taken.
    #[error("an object of this name is there already")]
    Exists,
    /// There is no such object, or no such kind.
    #[error("there is no such object")]
    NotFound,
    /// The right is missing; the API server's words.
    #[error("forbidden: {0}")]
    Forbidden(Name),
    /// The API server, its schema, an admission policy or a webhook refuses the content; its words.
    #[error("refused as invalid: {0}")]
    Invalid(Name),
    /// Too many requests: again after this time.
    #[error("the API server asks to wait {0:?}")]
    Throttled(Duration),
    /// The answer was lost: a write may have landed or not.
    #[error("the answer was lost, it may have landed: {0}")]
    Unsure(Name),
    /// It did not reach the API server: a write has not landed.
    #[error("the API server cannot be reached: {0}")]
    Unreachable(Name),
}

/// What a write left behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Submitted {
    /// The object as the API server returned it; None after a deletion.
    pub object: Option<Object>,
}

/// A question about rights.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    /// `get`, `list`, `watch`, `patch` …
    pub verb: &'static str,
    /// What.
    pub kind: Kind,
    /// None: in all namespaces.
    pub namespace: Option<Name>,
    /// None: all of them. A name where rights are given by it, such as the item that somebody may sign.
    pub name: Option<Name>,
}

/// The Kubernetes API. No method retries by itself; `watch` alone comes back for ever.
#[async_trait::async_trait]
pub trait Cluster: Send + Sync {
    /// Watches all objects of a kind. Never ends; owns discovery, paging, backoff (at most 15 s) and listing anew.
    fn watch(&self, kind: Kind) -> BoxStream<'static, Seen>;

    /// Reads one object, not from a cache, under Naru's own identity.
    async fn get(&self, key: &Key) -> Result<Object, ClusterError>;

    /// Writes, or with `dry_run` only asks what writing would do (no trace is left). `manager` becomes the field manager.
    async fn submit(
        &self,
        who: As<'_>,
        write: &Write,
        dry_run: bool,
        manager: &str,
    ) -> Result<Submitted, ClusterError>;

    /// Asks whether this person may, one answer for each question.
    async fn may(&self, who: &Actor, asks: &[Access]) -> Result<Vec<bool>, ClusterError>;
}
