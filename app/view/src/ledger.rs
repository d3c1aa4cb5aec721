//! What people put their names to, as pages show it and as they send it.

use crate::{
    Millis, Name,
    checklist::{Fact, Field, Finding, Verdict},
};
use serde::{Deserialize, Serialize};

/// The longest statement of a signature, in characters, as the definitions in `k8s/crds` have it; so the others below.
pub const STATEMENT: u32 = 2000;

/// The longest reason, in characters.
pub const REASON: u32 = 500;

/// The longest name of who sees to something meanwhile, in characters.
pub const OWNER: u32 = 256;

/// The most days that something may be passed over.
pub const DAYS: u32 = 180;

/// Something that a person puts their name to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "kebab-case")]
pub enum Deed {
    /// Signs an item, as it was shown.
    Sign {
        /// `1.1` to `4.4`, or one of the team's own.
        item: Name,
        /// [`SignSheet::digest`]: what was shown.
        digest: Name,
        /// What they say, 1 to 2,000 characters.
        statement: String,
    },
    /// Signs beside another person.
    Countersign {
        /// The SignOff.
        name: Name,
        /// [`Signature::link`]: what was shown.
        link: Name,
    },
    /// Takes back a signature, a waiver or an exception.
    Revoke {
        /// Which sort.
        what: Revocable,
        /// The object.
        name: Name,
        /// Why, 1 to 500 characters.
        reason: String,
    },
    /// Passes an item over until a day.
    Waive {
        /// `1.1` to `4.4`, or one of the team's own.
        item: Name,
        /// Until when, and who answers for it.
        until: PassedOver,
    },
    /// Accepts one finding until a day.
    Except {
        /// Its code.
        code: Name,
        /// Where it is written.
        field: Field,
        /// Until when, and who answers for it.
        until: PassedOver,
    },
}

/// Why something is passed over, until when, and who answers for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassedOver {
    /// Why, 1 to 500 characters.
    pub reason: String,
    /// Who sees to it meanwhile, in words, 1 to 256 characters.
    pub owner: String,
    /// Days from now, 1 to 180.
    pub days: u32,
}

/// What can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revocable {
    /// A signature.
    SignOff,
    /// An item that is passed over.
    Waiver,
    /// A finding that is accepted.
    Exception,
}

/// A person, as their identity provider names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Shown to people.
    pub name: Name,
    /// Who knows them: with `sub`, who they are.
    pub issuer: Name,
    /// Their stable subject there.
    pub sub: Name,
}

/// What became of the latest signature under an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureState {
    /// Nobody has signed.
    None,
    /// Signatures are not whole, so that none counts.
    Untrusted,
    /// A second person has to sign.
    SecondMissing,
    /// Naru has not accepted it yet.
    Pending,
    /// It counts.
    Valid,
    /// It was taken back.
    Revoked,
    /// The item is no longer as it was signed.
    Reopened,
}

/// The latest signature under an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signature {
    /// What became of it.
    pub state: SignatureState,
    /// The SignOff; empty for none.
    pub name: Name,
    /// Its digest: what a second person signs.
    pub link: Name,
    /// Who signed.
    pub by: Option<Person>,
    /// The second person.
    pub second: Option<Person>,
    /// When.
    pub at: Option<Millis>,
    /// What they said.
    pub statement: String,
    /// Why it does not count, in sentences: what was wrong when it was opened again, why it was taken back, where the chain is broken.
    pub why: Vec<String>,
}

impl Signature {
    /// Nobody has signed.
    pub fn none() -> Self {
        Self {
            state: SignatureState::None,
            name: "".into(),
            link: "".into(),
            by: None,
            second: None,
            at: None,
            statement: String::new(),
            why: Vec::new(),
        }
    }
}

/// An item is passed over, or a finding accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pass {
    /// The Waiver or Exception.
    pub name: Name,
    /// Who wrote it.
    pub by: Person,
    /// Why.
    pub reason: String,
    /// Who sees to it meanwhile.
    pub owner: String,
    /// The end.
    pub until: Millis,
    /// It holds now; else it has ended or was taken back.
    pub holds: bool,
}

/// Something that happened to an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Millis,
    /// What, as one word or two: signed, accepted, opened again.
    pub what: String,
    /// Who; None for Naru itself.
    pub by: Option<Person>,
    /// What was said or found.
    pub text: String,
    /// The object that it is written in.
    pub object: Name,
}

/// How the ledger as a whole stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LedgerState {
    /// How many signatures there are.
    pub count: u32,
    /// The digest of the last that counts, to be kept elsewhere; empty for none.
    pub head: Name,
    /// Why no signature counts, if none does.
    pub broken: Option<String>,
    /// Items that were signed or passed over, and that the Migration asks for no longer.
    pub gone: Vec<Name>,
    /// Why nobody can sign now: what is wrong with each admission policy.
    pub unguarded: Vec<String>,
}

/// What is shown before somebody signs: exactly what they would sign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignSheet {
    /// The item.
    pub item: Name,
    /// What it is called.
    pub title: String,
    /// What this is known again by.
    pub digest: Name,
    /// How it is judged, with what is accepted.
    pub verdict: Verdict,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What is not known: the check, and why.
    pub unknown: Vec<(Name, String)>,
    /// What was seen.
    pub facts: Vec<Fact>,
    /// Findings and facts in namespaces that the viewer does not see. They are signed too.
    pub hidden: u32,
    /// The number that the signature would have.
    pub number: Name,
    /// The digest of the one before it; empty for the first.
    pub previous: Name,
    /// Another person has to sign too.
    pub second: bool,
    /// Who would sign.
    pub who: Person,
    /// Whether they may, as the API server says; None if it did not answer.
    pub may: Option<bool>,
}
