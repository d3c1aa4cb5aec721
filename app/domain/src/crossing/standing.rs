//! How an item stands: what the machine says, what is accepted or passed over, and who has signed.

use super::{
    Item, Ledger, SignOff,
    act::Revocation,
    chain::{Broken, Head},
    exception::{self, Excepted},
    reopen::Reopened,
};
use crate::{
    Name, Timestamp,
    actor::Actor,
    judge::{Judgement, Verdict},
};

/// How an item stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The item.
    pub item: Item,
    /// The judgement with what is accepted of it.
    pub judged: Excepted,
    /// The waiver that ends last, of those that hold.
    pub waived: Option<Waived>,
    /// Its latest signature.
    pub signature: Signature,
}

/// An item is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waived {
    /// The Waiver.
    pub by: Name,
    /// Its end.
    pub until: Timestamp,
}

/// What became of the latest signature under an item. One that Naru refused is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Signature {
    /// Nobody has signed.
    None,
    /// Signatures are not whole, so that none counts.
    Untrusted(Broken),
    /// A second person has to sign.
    SecondMissing(Signed),
    /// Naru has not accepted it yet.
    Pending(Signed),
    /// It counts.
    Valid(Signed),
    /// It was taken back.
    Revoked(Signed, Revocation),
    /// The item is no longer as it was signed.
    Reopened(Signed, Reopened),
}

/// Who signed, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The SignOff.
    pub name: Name,
    /// Who.
    pub by: Actor,
    /// The second person.
    pub second: Option<Actor>,
    /// When.
    pub at: Timestamp,
}

impl Standing {
    /// It holds up nobody: validly signed, or passed over.
    pub fn done(&self) -> bool {
        self.waived.is_some() || matches!(self.signature, Signature::Valid(_))
    }

    /// A person may put their name to it: no error stands against it. What no machine can know is theirs to say.
    pub fn signable(&self) -> bool {
        self.judged.verdict != Verdict::NotMet && !matches!(self.signature, Signature::Untrusted(_))
    }

    /// Met only because something is accepted.
    pub fn met_with_exceptions(&self) -> bool {
        self.judged.verdict == Verdict::Met && !self.judged.accepted.is_empty()
    }
}

/// How a judged item stands by the ledger at a moment. `chain` is what [`Ledger::verify`] said; `two_people` whether the Migration wants a
/// second person.
pub fn standing(
    judgement: &Judgement,
    ledger: &Ledger,
    chain: &Result<Head, Broken>,
    two_people: bool,
    now: Timestamp,
) -> Standing {
    let item = judgement.item;
    let waivers = ledger.waivers.iter();
    let holding = waivers.filter(|it| *it.spec.item == *item.id() && it.holds(now));
    let last = holding.max_by_key(|it| (it.spec.until, it.name.clone()));
    Standing {
        item,
        judged: exception::apply(judgement, &ledger.exceptions, now),
        waived: last.map(|it| Waived {
            by: it.name.clone(),
            until: it.spec.until,
        }),
        signature: signature(item, ledger, chain, two_people),
    }
}

fn signature(item: Item, ledger: &Ledger, chain: &Result<Head, Broken>, two_people: bool) -> Signature {
    let reached = match chain {
        Ok(head) => head.count as usize,
        Err(broken) => return Signature::Untrusted(broken.clone()),
    };
    let chained = &ledger.sign_offs[..reached.min(ledger.sign_offs.len())];
    let of_item = |it: &&SignOff| *it.spec.item == *item.id() && it.status.refused.is_none();
    let Some(last) = chained.iter().rfind(of_item) else {
        return Signature::None;
    };
    let status = &last.status;
    let signed = Signed {
        name: last.name.clone(),
        by: last.spec.actor.clone(),
        second: status.countersignature.as_ref().map(|it| it.actor.clone()),
        at: last.spec.signed_at,
    };
    match (&status.revoked, &status.reopened, &status.accepted) {
        (Some(revoked), ..) => Signature::Revoked(signed, revoked.clone()),
        (_, Some(reopened), _) => Signature::Reopened(signed, reopened.clone()),
        _ if two_people && signed.second.is_none() => Signature::SecondMissing(signed),
        (.., None) => Signature::Pending(signed),
        (.., Some(_)) => Signature::Valid(signed),
    }
}
