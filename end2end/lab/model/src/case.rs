//! What a case is, and the files that hold them.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, path::Path};

/// Which function of the model a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(
    missing_docs,
    reason = "each is called as the function, or as what it is about"
)]
pub enum Asks {
    Host,
    Protocol,
    Route,
    RouteTcp,
    Gateway,
    Subset,
    Mtls,
    Authz,
    Injection,
    HttpRoute,
}

impl Asks {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Host,
        Self::Protocol,
        Self::Route,
        Self::RouteTcp,
        Self::Gateway,
        Self::Subset,
        Self::Mtls,
        Self::Authz,
        Self::Injection,
        Self::HttpRoute,
    ];
}

/// How the real mesh is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Requests through real proxies.
    #[default]
    Request,
    /// What a real proxy says that it has got (`/config_dump`).
    Dump,
    /// The real admission webhook, by a pod that is not stored.
    DryRun,
}

/// Objects, and cases that are asked while these are there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The function.
    pub asks: Asks,
    /// How the real mesh is asked.
    #[serde(default)]
    pub by: By,
    /// Put in and taken away with the cases.
    #[serde(default)]
    pub objects: Vec<Value>,
    /// Who asks, unless the case says otherwise.
    #[serde(default)]
    pub from: String,
    /// Who is asked, unless the case says otherwise.
    #[serde(default)]
    pub to: String,
    /// The questions.
    pub cases: Vec<Case>,
}

/// One question with the answer that is promised.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Case {
    /// A sentence; unique.
    pub name: String,
    /// `namespace/workload` of the caller.
    pub from: String,
    /// `namespace/service:port`, `pod/namespace/workload:port` for a pod's own address, or for a gateway the server's port.
    pub to: String,
    /// `http` (if empty), `https`, `tls`, `tcp`.
    pub protocol: String,
    /// Host header; empty: the service's full name.
    pub host: String,
    /// Server name of the TLS handshake.
    pub sni: String,
    /// `GET` if empty.
    pub method: String,
    /// `/` if empty.
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// A host as it stands in a rule of `namespace` (questions about hosts).
    pub written: String,
    /// The rule's namespace.
    pub namespace: String,
    /// A subset of the service in `to` (questions about subsets).
    pub subset: String,
    /// A pod to be (questions about injection).
    pub pod: Value,
    /// The promised answer; keys that are not said are not promised.
    pub expect: Answered,
    /// Istio's own reference that says why the lab's mesh answers otherwise than the model; the case may differ.
    pub known: Option<String>,
}

/// An answer as it is written.
pub type Answered = Map<String, Value>;

impl Document {
    /// The caller of a case.
    pub fn from<'a>(&'a self, case: &'a Case) -> &'a str {
        if case.from.is_empty() {
            &self.from
        } else {
            &case.from
        }
    }

    /// The target of a case.
    pub fn to<'a>(&'a self, case: &'a Case) -> &'a str {
        if case.to.is_empty() { &self.to } else { &case.to }
    }
}

/// All documents of all `*.yaml` of the folder but the system itself, in order.
///
/// # Errors
/// The file that is not as it should be, and why.
pub fn load(folder: &Path) -> Result<Vec<Document>> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .with_context(|| format!("reading {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .filter(|path| path.file_stem().is_some_and(|it| it != "system"))
        .collect();
    files.sort();
    let mut documents = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path)?;
        let read: Vec<Document> =
            serde_saphyr::from_multiple(&text).with_context(|| format!("reading {}", path.display()))?;
        documents.extend(read);
    }
    let mut names = BTreeMap::new();
    for case in documents.iter().flat_map(|document| &document.cases) {
        if case.name.is_empty() || case.expect.is_empty() {
            bail!("a case without a name or without an expectation: {case:?}");
        }
        if names.insert(&case.name, ()).is_some() {
            bail!("two cases are called {:?}", case.name);
        }
    }
    Ok(documents)
}

/// The YAML documents of a text as JSON.
///
/// # Errors
/// What is no YAML.
pub fn yaml(text: &str) -> Result<Vec<Value>> {
    Ok(serde_saphyr::from_multiple::<Value>(text)?
        .into_iter()
        .filter(|it| !it.is_null())
        .collect())
}
