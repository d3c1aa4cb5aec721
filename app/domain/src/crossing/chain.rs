//! Whether the signatures are whole.
//!
//! Each signature names the digest of the one before it and of the evidence that it was given for, and Naru has accepted each with a digest
//! of its own. So a changed byte, a missing, inserted or moved signature, and evidence that is not what was signed are seen by whoever has
//! all of them. That the end is missing is seen only by whoever also has a head that was published later (an Event, a log, a repository).
//!
//! What a person may write at will (any number, any `previous`) cannot bring the chain to an end: Naru refuses what is out of order, and the
//! chain goes on without it.

use super::{
    act::{Act, same_person},
    evidence::Evidence,
    signoff::{Accepted, SignOff, name_of},
};
use crate::{Name, object::Digest};
use std::collections::{BTreeMap, BTreeSet};

/// The end of a chain that is whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// How many signatures there are, refused ones included. The next has this number plus one.
    pub count: u32,
    /// [`link`](SignOff::link) of the last that is not refused; empty if there is none. The next names it, and it is what is published.
    pub digest: Digest,
}

/// Where it is broken, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {}", .how.key())]
pub struct Broken {
    /// The SignOff.
    pub at: Name,
    /// What is wrong.
    pub how: How,
}

/// What is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It is not called by a number.
    Unnumbered,
    /// There is none of this number, and later ones are there.
    Missing,
    /// It stands before one of a lower number.
    Moved,
    /// There are two of this number, or another names the same one before it.
    Forked {
        /// The other.
        with: Name,
    },
    /// It does not name the one before it as it is: one of the two was changed, or one between them is missing.
    Unlinked,
    /// It is not what Naru accepted: it, or its counter-signature, was changed.
    Changed,
    /// The evidence that it names is not there.
    NoEvidence {
        /// Its name.
        evidence: Name,
    },
    /// The evidence is not what was signed: another object, or changed.
    OtherEvidence {
        /// Its name.
        evidence: Name,
    },
    /// The evidence is about another item.
    OtherItem {
        /// Its name.
        evidence: Name,
    },
    /// Signed twice by one person.
    OnePerson,
    /// It was both accepted and refused.
    Contradicted,
    /// An error stood against it that nobody had accepted.
    NotMet,
    /// What it was given for was judged long before.
    Stale,
    /// The published head is none of these: signatures at the end are missing.
    Cut {
        /// What was published.
        head: Digest,
    },
    /// It cannot be read.
    Unreadable {
        /// The parser's words.
        detail: Name,
    },
}

impl How {
    /// Stable, for scripts and for a refusal; its sentence is `broken.KEY` in both locales.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Unnumbered => "unnumbered",
            Self::Missing => "missing",
            Self::Moved => "moved",
            Self::Forked { .. } => "forked",
            Self::Unlinked => "unlinked",
            Self::Changed => "changed",
            Self::NoEvidence { .. } => "no-evidence",
            Self::OtherEvidence { .. } => "other-evidence",
            Self::OtherItem { .. } => "other-item",
            Self::OnePerson => "one-person",
            Self::Contradicted => "contradicted",
            Self::NotMet => "not-met",
            Self::Stale => "stale",
            Self::Cut { .. } => "cut",
            Self::Unreadable { .. } => "unreadable",
        }
    }
}

/// Walks the signatures in the order given, which must be that of their numbers, and holds the end against a published head.
///
/// # Errors
/// The first place that is broken.
pub fn verify(sign_offs: &[SignOff], evidence: &[Evidence], head: Option<&Digest>) -> Result<Head, Broken> {
    let evidence: BTreeMap<&str, &Evidence> = evidence.iter().map(|it| (&*it.name, it)).collect();
    let mut links: BTreeMap<&Digest, &SignOff> = BTreeMap::new();
    let mut last = Digest::default();
    let sign_offs = numbered(sign_offs)?;
    for sign_off in sign_offs {
        if sign_off.status.refused.is_some() {
            if sign_off.status.accepted.is_some() {
                return Err(broken(sign_off, How::Contradicted));
            }
            continue;
        }
        one(sign_off, &last, &links, &evidence)?;
        links.insert(&sign_off.link, sign_off);
        last = sign_off.link.clone();
    }
    match head {
        Some(head) if !links.contains_key(head) => Err(Broken {
            at: sign_offs.last().map_or_else(|| name_of(1), |it| it.name.clone()),
            how: How::Cut { head: head.clone() },
        }),
        _ => Ok(Head {
            // Names have six digits, so that there are not as many.
            count: u32::try_from(sign_offs.len()).unwrap_or(u32::MAX),
            digest: last,
        }),
    }
}

/// What the signature at `index` is to be refused for; None if it is in order.
///
/// # Errors
/// What is before it is broken: then nothing is decided.
pub fn fault(sign_offs: &[SignOff], index: usize, evidence: &[Evidence]) -> Result<Option<How>, Broken> {
    let reached = numbered(sign_offs)?.len();
    verify(&sign_offs[..index.min(reached)], evidence, None)?;
    if index >= reached {
        return Ok(Some(How::Missing));
    }
    Ok(verify(&sign_offs[..=index], evidence, None)
        .err()
        .map(|it| it.how))
}

/// The first signature that Naru has to decide on, with what it is to be refused for; None if there is none to decide on.
///
/// # Errors
/// What is before it is broken: then nothing is decided.
pub fn undecided<'a>(
    sign_offs: &'a [SignOff],
    evidence: &[Evidence],
) -> Result<Option<(&'a SignOff, Option<How>)>, Broken> {
    match sign_offs.iter().position(SignOff::pending) {
        Some(index) => Ok(Some((&sign_offs[index], fault(sign_offs, index, evidence)?))),
        None => verify(sign_offs, evidence, None).map(|_| None),
    }
}

/// Those that stand without a hole from 1 on, each once. What Naru has not accepted may have any number: it is no part of the chain until
/// the chain has come there.
fn numbered(sign_offs: &[SignOff]) -> Result<&[SignOff], Broken> {
    let mut all = BTreeSet::new();
    for sign_off in sign_offs {
        let number = sign_off
            .number()
            .ok_or_else(|| broken(sign_off, How::Unnumbered))?;
        if !all.insert(number) {
            let with = sign_off.name.clone();
            return Err(broken(sign_off, How::Forked { with }));
        }
    }
    for (index, (expected, sign_off)) in (1..).zip(sign_offs).enumerate() {
        if sign_off.number() == Some(expected) {
            continue;
        }
        if all.contains(&expected) {
            return Err(broken(sign_off, How::Moved));
        }
        if sign_offs[index..].iter().any(|it| it.status.accepted.is_some()) {
            let at = name_of(expected);
            return Err(Broken {
                at,
                how: How::Missing,
            });
        }
        return Ok(&sign_offs[..index]);
    }
    Ok(sign_offs)
}

/// One signature that counts, by itself and after the one before.
fn one(
    sign_off: &SignOff,
    last: &Digest,
    links: &BTreeMap<&Digest, &SignOff>,
    evidence: &BTreeMap<&str, &Evidence>,
) -> Result<(), Broken> {
    let fail = |how| Err(broken(sign_off, how));
    let (spec, status) = (&sign_off.spec, &sign_off.status);
    let changed = |it: &Accepted| it.digest != sign_off.whole;
    if status.accepted.as_ref().is_some_and(changed) {
        return fail(How::Changed);
    }
    if spec.previous != *last {
        let mut others = links.values();
        return fail(match others.find(|it| it.spec.previous == spec.previous) {
            Some(other) => How::Forked {
                with: other.name.clone(),
            },
            None => How::Unlinked,
        });
    }
    let twice = |it: &Act| same_person(&it.actor, &spec.actor);
    if status.countersignature.as_ref().is_some_and(twice) {
        return fail(How::OnePerson);
    }
    let named = spec.evidence.name.clone();
    match evidence.get(&*named) {
        None => fail(How::NoEvidence { evidence: named }),
        Some(it) if it.uid != spec.evidence.uid || it.digest != spec.evidence.digest => {
            fail(How::OtherEvidence { evidence: named })
        }
        Some(it) if it.spec.item != spec.item => fail(How::OtherItem { evidence: named }),
        Some(_) => Ok(()),
    }
}

fn broken(sign_off: &SignOff, how: How) -> Broken {
    Broken {
        at: sign_off.name.clone(),
        how,
    }
}
