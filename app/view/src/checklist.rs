//! The checklist: items with their verdicts, findings and facts, told in the viewer's language by the server.

use crate::{
    Millis, Name,
    ledger::{Event, LedgerState, Pass, Signature, SignatureState},
    source::SourceState,
    version::Version,
};
use serde::{Deserialize, Serialize};

/// Whether an item is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every check knew, and none found an error.
    Met,
    /// Some check found an error.
    NotMet,
    /// No error was found, and something is not known.
    Unknown,
}

/// All items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checklist {
    /// Of the snapshot that was judged.
    pub version: Version,
    /// When it was judged; None before the first time.
    pub judged: Option<Millis>,
    /// The sources and their age.
    pub sources: Vec<SourceState>,
    /// The system's name, from the Migration; empty without one.
    pub system: Name,
    /// The items, in order.
    pub items: Vec<ItemRow>,
    /// What holds up the phase after each of the four, in sentences; empty where it may begin.
    pub holdups: Vec<Vec<String>>,
    /// How the signatures stand as a whole.
    pub ledger: LedgerState,
}

/// An item, in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemRow {
    /// `1.1` to `4.4`, or one of the team's own: `2.checkout-success`.
    pub id: Name,
    /// 1 to 4.
    pub phase: u8,
    /// What it is called.
    pub title: String,
    /// Whether it is met, with what is accepted.
    pub verdict: Verdict,
    /// What became of its latest signature.
    pub signature: SignatureState,
    /// Who signed; empty for nobody.
    pub signed_by: Name,
    /// When.
    pub signed_at: Option<Millis>,
    /// It is passed over until then.
    pub waived_until: Option<Millis>,
    /// Findings that are accepted.
    pub accepted: u32,
    /// It holds up nobody: signed and still so, or passed over.
    pub done: bool,
    /// Findings that keep it from being met.
    pub errors: u32,
    /// Findings that will hurt.
    pub warnings: u32,
    /// Things that are not known.
    pub unknown: u32,
    /// The first reason why it is not met, or not known; empty where it is met.
    pub first: String,
}

/// An item, in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemPage {
    /// In short.
    pub row: ItemRow,
    /// When it counts as met.
    pub condition: String,
    /// When it was judged; None before the first time.
    pub judged: Option<Millis>,
    /// The sources and their age.
    pub sources: Vec<SourceState>,
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
    /// What was seen.
    pub facts: Vec<Fact>,
    /// What is not known: the check, and why.
    pub unknown: Vec<(Name, String)>,
    /// Findings and facts in namespaces that the viewer does not see.
    pub hidden: u32,
    /// The items before and after it.
    pub neighbours: (Option<Name>, Option<Name>),
    /// Its latest signature.
    pub signature: Signature,
    /// Another person has to sign too.
    pub two_people: bool,
    /// It is passed over, or was.
    pub waivers: Vec<Pass>,
    /// What happened to it, the latest first.
    pub history: Vec<Event>,
    /// Why nobody can sign it now; empty if somebody can.
    pub unsignable: Vec<String>,
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The item is not met while it stands.
    Error,
    /// It works, and will hurt.
    Warning,
    /// Worth knowing.
    Info,
}

/// An object and a field in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Kind.
    pub kind: Name,
    /// Namespace; empty for cluster-scoped kinds.
    pub namespace: Name,
    /// Name.
    pub name: Name,
    /// JSON pointer (RFC 6901); empty for the object as a whole.
    pub path: Name,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Its stable name.
    pub code: Name,
    /// How much it weighs.
    pub severity: Severity,
    /// Where it is written.
    pub field: Field,
    /// What it is, in one sentence.
    pub message: String,
    /// Istio's own code for the same thing.
    pub istio: Option<Name>,
    /// It is accepted, or was.
    pub accepted: Option<Pass>,
    /// The check offers edits that mend it.
    pub fix: bool,
}

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// What was looked at.
    pub label: String,
    /// What was seen.
    pub value: Name,
    /// Where; None where there is no object.
    pub field: Option<Field>,
    /// The query, where it is none of an object.
    pub query: Name,
    /// The object's resourceVersion; empty where there is none.
    pub resource_version: Name,
    /// How and when it was found out, where no object says it.
    pub learned: Option<(Learned, Millis)>,
}

/// How something was found out that no object says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Learned {
    /// Naru tried it out.
    Tried,
    /// Proxies, or others that Prometheus collects from, have counted it.
    Counted,
    /// Somebody handed it in.
    Handed,
}
