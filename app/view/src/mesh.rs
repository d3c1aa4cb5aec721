//! The mesh and the sources: proxies, control planes, what is not known and what that leaves open, told in the viewer's language by the server.

use crate::{Millis, Name, checklist::Finding, source::SourceState, version::Version};
use serde::{Deserialize, Serialize};

/// So many rows of a table cross the wire; those in trouble come first.
pub const SHOWN: usize = 200;

/// The page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mesh {
    /// Of the snapshot.
    pub version: Version,
    /// When it was looked at; None before the first time.
    pub seen: Option<Millis>,
    /// How far the proxies have come, in one sentence.
    pub answer: String,
    /// The sources and their age.
    pub sources: Vec<SourceState>,
    /// What each source shows and what it does not.
    pub sections: Vec<Section>,
    /// The control planes.
    pub revisions: Vec<RevisionRow>,
    /// Why it is not known that there are none; empty where it is.
    pub no_revisions: String,
    /// Pods that have a proxy.
    pub proxies: Proxies,
    /// What injection would do to each workload.
    pub preflight: Vec<PreflightRow>,
    /// So many more workloads there are.
    pub preflight_more: u32,
    /// Proxies, workloads and reasons in namespaces that the viewer does not see.
    pub hidden: u32,
}

/// A source, or another thing that Naru relies on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// What it is called.
    pub title: String,
    /// What is to be said of it.
    pub lines: Vec<Line>,
}

/// A sentence, and how what it says stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// How it stands.
    pub tone: Tone,
    /// The sentence.
    pub text: String,
    /// The items that it leaves unknown.
    pub items: Vec<Name>,
}

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// Well.
    Good,
    /// It is not there, and need not be.
    Idle,
    /// Something is missing or wrong.
    Bad,
    /// Not known.
    Unknown,
}

/// A control plane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RevisionRow {
    /// The revision, or a tag.
    pub name: Name,
    /// The revision that the tag stands for; empty for a revision itself.
    pub tag_of: Name,
    /// Its istiods, and those of them that are ready; None where they cannot be seen.
    pub istiods: Option<(u32, u32)>,
    /// Their versions.
    pub versions: Vec<Name>,
    /// Namespaces whose labels ask for it, as far as the viewer sees them.
    pub namespaces: Vec<Name>,
    /// Proxies by version, an empty one where it is not known; None for a tag, whose pods name the revision.
    pub proxies: Option<Vec<(Name, u32)>>,
}

/// Pods that have a proxy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Proxies {
    /// All that the viewer sees.
    pub all: u32,
    /// Those that have acknowledged everything.
    pub acknowledged: u32,
    /// Those of which it is not known.
    pub unknown: u32,
    /// Those whose figures nobody collects; None where that is not known of one.
    pub unscraped: Option<u32>,
    /// At most [`SHOWN`], those in trouble first.
    pub rows: Vec<ProxyRow>,
}

impl Proxies {
    /// Those that have not acknowledged everything, or are known to no istiod.
    pub fn in_trouble(&self) -> u32 {
        self.all - self.acknowledged - self.unknown
    }
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProxyRow {
    /// The pod's namespace.
    pub namespace: Name,
    /// The pod's name.
    pub name: Name,
    /// The name of its workload.
    pub workload: Name,
    /// The revision that put it in; empty where it does not say.
    pub revision: Name,
    /// The proxy's version; empty where it is not known.
    pub version: Name,
    /// How far it has come.
    pub sync: Sync,
    /// More about that; empty where it is well.
    pub detail: String,
    /// The istiod that it is connected to; empty where that is not known.
    pub istiod: Name,
    /// Its figures are collected; None where that is not known.
    pub scraped: Option<bool>,
    /// When the pod was made.
    pub created: Option<Millis>,
}

/// How far a proxy has come with what istiod sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sync {
    /// It has acknowledged all.
    Acknowledged,
    /// It has not acknowledged the last.
    Waiting,
    /// It has refused something.
    Refused,
    /// No istiod knows it.
    Unconnected,
    /// Not known.
    Unknown,
}

/// What injection would do to a workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreflightRow {
    /// Deployment, CronJob …
    pub kind: Name,
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// Whether its pods come up.
    pub outlook: Outlook,
    /// What stops or hurts them, the worst first.
    pub findings: Vec<Finding>,
    /// What is not known.
    pub unknown: Vec<String>,
}

/// Whether a workload's pods come up with a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outlook {
    /// They have one, and are ready.
    Injected,
    /// They would.
    ComesUp,
    /// Something stops them.
    Stops,
    /// Not known.
    Unknown,
}
