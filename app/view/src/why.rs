//! Why something is unknown, refused or risky: facts, never sentences. The sentences are in the locales, one for each variant.

#![expect(
    missing_docs,
    reason = "the fields are the words that the variant's sentence is built from"
)]

use crate::{Millis, Name, change::Writer};
use serde::{Deserialize, Serialize};

/// A source of facts, as people know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceName {
    /// The Kubernetes API server.
    Kubernetes,
    /// Prometheus, or what speaks its API.
    Prometheus,
    /// Istio's control plane.
    Istiod,
    /// Pods that Naru sends something to itself.
    Pods,
}

/// Why an answer is missing, partial or not to be relied on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Why {
    /// No answer has arrived yet since the server started.
    NotYet { source: SourceName },
    /// The source cannot be reached. `detail` is the library's own short text, without addresses of secrets.
    Unreachable { source: SourceName, detail: Name },
    /// The source did not answer in time.
    TimedOut { source: SourceName, after_ms: u64 },
    /// The source answered something that is not its protocol.
    Garbled { source: SourceName, detail: Name },
    /// The source answered with an error status.
    Failed {
        source: SourceName,
        status: u16,
        detail: Name,
    },
    /// The last answer is too old to be relied on.
    Stale { source: SourceName, since: Millis },
    /// The API server refuses this verb on this resource.
    Forbidden {
        verb: Name,
        resource: Name,
        namespace: Option<Name>,
    },
    /// The API server does not know this kind (its CRD is not installed).
    KindAbsent { kind: Name },
    /// An object was too large, and was left out. Sizes in bytes.
    TooLarge {
        kind: Name,
        name: Name,
        bytes: u64,
        limit: u64,
    },
    /// There are fewer samples than a rate needs.
    TooYoung { samples: u32, needed: u32 },
    /// No request was seen in the window, so there is nothing to divide by.
    NoTraffic { window_s: u32 },
    /// Requests routed by another rule reach the same subset, and which they are is not told.
    HeaderRouted { subset: Name },
    /// These weights split connections, and what is counted by destination here is requests.
    Connections,
    /// Nobody recorded when these weights were set, so there is no moment to count from.
    NoMoment,
    /// Something that Naru does not judge decides here, for example an EnvoyFilter.
    NotJudged { what: Name },
    /// Both ends have a proxy, but only one of them counted. `missing` is the other: `source` or `destination`.
    OneReporter { missing: Name },
    /// The caller's proxy says mutual TLS, the called side's says plaintext: a proxy between them is not the mesh's.
    SecurityDisagrees,
    /// The server stopped before the change was carried out; nothing was changed.
    Interrupted,
    /// The object was changed by somebody else meanwhile, and is neither as before nor as after.
    ChangedMeanwhile,
    /// The API server refused it, in its own words; nothing was changed.
    Rejected { detail: Name },
    /// Only a running cluster shows it: files alone do not.
    NeedsCluster,
    /// There is no Migration, which says what the system is.
    NoMigration,
    /// The Migration cannot be read; the parser's words.
    OddMigration { detail: Name },
    /// The Migration does not say this; `field` is its path under `spec`.
    NotDeclared { field: Name },
    /// Nobody has handed in this evidence: `junit`, `benchmark`, `drill` …
    NoEvidence { of: Name },
    /// What is wrong here follows from what another item says.
    FollowsFrom { item: Name },
    /// Nothing that this console asks shows it.
    NotObserved { what: Name },
    /// Prometheus has no figures of this since then: nobody collected them, or it has forgotten.
    NotCounted { of: Name, since: Name },
    /// There was a number at so many of the moments that were looked at, and not at the others.
    NotAlways { of: Name, seen: u32, looks: u32 },
    /// This is judged when it is over, which it is not before then.
    NotOver { of: Name, until: Name },
    /// Anything else that a source said, word for word.
    Said { detail: Name },
}

/// Why a change is refused before anything is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "refused", rename_all = "kebab-case")]
pub enum Refused {
    /// There is no such object.
    NotFound { kind: Name, namespace: Name, name: Name },
    /// The rule or its destinations are not what the page showed.
    RouteChanged { detail: Name },
    /// The weights add up to something else than 100.
    Sum { sum: u32 },
    /// No backend of an HTTPRoute's rule has a weight: its requests are answered with 500.
    NoWeight,
    /// No ReferenceGrant in that namespace lets an HTTPRoute of this one name the Service: its requests are answered with 500.
    NotGranted { host: Name, namespace: Name },
    /// Naru moves the rules of no such list by steps.
    NoSteps { list: Name },
    /// This destination would get requests and has no ready pod.
    NoReadyPods { host: Name, subset: Name, weight: u32 },
    /// No DestinationRule defines this subset: requests would fail with 503 (NC).
    SubsetUndefined { host: Name, subset: Name },
    /// The host names no Service or ServiceEntry as seen from the rule's namespace.
    HostUnknown { host: Name },
    /// Somebody else writes this object, and would take our change back.
    Owned {
        owner: Name,
        by: Name,
        #[serde(default)]
        leaves: Leaves,
    },
    /// It already is as asked.
    NothingToDo,
    /// What must be known for this change is not known.
    Unknown { whys: Vec<Why> },
    /// Since then the object was edited by somebody else, so undoing would tread on that edit.
    ForeignEdit { manager: Name },
    /// This change did not land, or was undone already.
    NotUndoable,
    /// The reason is missing or longer than allowed (characters).
    Reason { limit: u32 },
    /// Input out of range; `field` names it.
    BadInput { field: Name },
    /// Admission policies that signatures rest on are not in force as Naru ships them.
    Unguarded { policies: Name },
    /// The signatures are not whole; `at` is the first that is not as it was.
    Untrusted { at: Name },
    /// An error stands against the item that nobody has accepted.
    NotMet { item: Name },
    /// Who has signed cannot sign beside.
    SamePerson,
    /// The checklist was not judged yet.
    NotJudged,
    /// This canary is over: nothing can be wanted of it any more.
    CanaryOver { name: Name },
    /// More than so many percent for a new version want a second person: this one proposes, another carries it out.
    Quorum { above: u32 },
    /// One person is enough for this.
    OneIsEnough,
    /// This canary moves the rule already.
    CanaryRuns { name: Name },
    /// Somebody has frozen everything already.
    Frozen { by: Name, reason: Name },
    /// Nothing is frozen.
    NotFrozen,
}

/// What somebody who writes an object leaves alone of what others set in it. Applications are Argo CD's, as namespace and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "leaves", rename_all = "kebab-case")]
pub enum Leaves {
    /// Nothing, as far as is known.
    #[default]
    Nothing,
    /// An Application that is not in this cluster, or may not be read: what it ignores is not known. By its name alone.
    Unread { application: Name },
    /// The Application ignores no differences there.
    Takes { application: Name },
    /// It ignores differences there, and its next sync writes over them all the same.
    UntilSync { application: Name },
    /// It ignores differences there, and keeps them when it syncs.
    Kept { application: Name },
}

/// What could go wrong with a change that is allowed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "risk", rename_all = "kebab-case")]
pub enum Risk {
    /// Weights are drawn anew for each request: one person's session flips between versions.
    SessionsFlip,
    /// Open streams (WebSocket, gRPC, TCP) stay where they are until they end.
    OpenStreamsStay,
    /// The ready pods of the destination would each carry this many times what the route's busiest pod carries now.
    Load { subset: Name, pods: u32, factor: f64 },
    /// If each pod of the destination is to carry what the route's busiest pod carries now, more are wanted than its autoscaler makes at most.
    Autoscaler {
        subset: Name,
        autoscaler: Name,
        most: u32,
        pods: u32,
    },
    /// A caller's pods would now and then have so many requests under way at once to the destination, where each one's pool takes no more than the limit;
    /// what is over it gets 503. With the DestinationRule and the field that sets it; the rule is empty where meshConfig does, and the caller with it where
    /// the viewer does not see it.
    Pool {
        subset: Name,
        caller: Name,
        rule: Name,
        field: Name,
        limit: u32,
        most: u32,
    },
    /// Another rule sends requests with certain headers to this subset, whatever its weight.
    HeaderRouted { subset: Name },
    /// All requests would go to one destination; the other must stay able to take them back.
    AllToOne { subset: Name },
    /// The observed traffic is not known, so the prediction is empty.
    Blind,
    /// This Application keeps the whole list as it is in the cluster while it ignores its weights: what a commit changes in it does not arrive.
    RulesStay { application: Name, list: Name },
    /// Naru moves these weights by the steps of this canary, which stops when somebody else sets them.
    TakesOver { canary: Name },
}

/// Why a change that a person confirmed did not go through, or how it ended otherwise than meant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "kebab-case")]
pub enum ApplyError {
    /// Planned anew on the present state, it is refused.
    Refused { refused: Refused },
    /// The plan is no longer the one that was confirmed: look again. With who wrote the object last, where that is known.
    DigestChanged { now: Name, by: Option<Box<Writer>> },
    /// The API server refuses: the right is missing.
    Forbidden { detail: Name },
    /// The API server or a webhook says that the object would be invalid.
    Invalid { detail: Name },
    /// Others kept changing the object; nothing was written. Try again. With who wrote it last, where that is known.
    Conflict { by: Option<Box<Writer>> },
    /// The API server cannot be reached; nothing was written.
    Unreachable { detail: Name },
    /// The answer was lost: it may have landed. The journal finds out.
    Unsure { change: Name, detail: Name },
    /// The answer was lost: it may have been done. No journal tells; who looks again sees.
    Lost { detail: Name },
    /// The journal could not be written, so nothing else was.
    NoJournal { detail: Name },
    /// This server may only read.
    ReadOnly,
}
