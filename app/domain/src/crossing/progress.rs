//! What keeps the next phase closed.

use super::{
    Item,
    standing::{Signature, Standing},
};
use crate::judge::Verdict;

/// Why an item holds up the next phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holdup {
    /// An error stands against it.
    NotMet,
    /// Nobody has signed it; something may not be known of it, which is then a person's to say.
    Unsigned,
    /// A second person has to sign.
    SecondMissing,
    /// Naru has not accepted the signature yet.
    Pending,
    /// The signature was taken back.
    Revoked,
    /// It is no longer as it was signed.
    Reopened,
    /// Signatures are not whole, so that none counts.
    Untrusted,
}

/// The items that hold up the phase after this one, in order, with why; empty if it may begin. Phases go in order: what is open in an
/// earlier one holds up all later ones.
pub fn holdups<'a>(standings: impl IntoIterator<Item = &'a Standing>, phase: u8) -> Vec<(Item, Holdup)> {
    let all = standings.into_iter();
    let until = all.filter(|it| it.item.phase() <= phase);
    until
        .filter_map(|it| holdup(it).map(|why| (it.item, why)))
        .collect()
}

/// Why an item holds up the next phase, if it does. A valid signature is not undone by what is wrong now: that opens it again, or not yet.
pub fn holdup(standing: &Standing) -> Option<Holdup> {
    if standing.done() {
        return None;
    }
    Some(match standing.signature {
        Signature::Untrusted(_) => Holdup::Untrusted,
        _ if standing.judged.verdict == Verdict::NotMet => Holdup::NotMet,
        Signature::None | Signature::Valid(_) => Holdup::Unsigned,
        Signature::SecondMissing(_) => Holdup::SecondMissing,
        Signature::Pending(_) => Holdup::Pending,
        Signature::Revoked(..) => Holdup::Revoked,
        Signature::Reopened(..) => Holdup::Reopened,
    })
}

#[cfg(test)]
mod tests {
    use super::{Holdup, holdup, holdups};
    use crate::{
        Timestamp,
        crossing::{
            Item,
            exception::Excepted,
            standing::{Signature, Standing, Waived},
        },
        judge::Verdict,
    };

    fn standing(item: Item, verdict: Verdict) -> Standing {
        Standing {
            item,
            judged: Excepted {
                verdict,
                accepted: Vec::new(),
                lapsed: Vec::new(),
            },
            waived: None,
            signature: Signature::None,
        }
    }

    #[test]
    fn a_phase_is_held_up_by_what_is_open_before_it_and_not_by_what_is_passed_over() {
        let mut all = [
            standing(Item::Installed, Verdict::Met),
            standing(Item::Routed, Verdict::NotMet),
            standing(Item::EntryInjected, Verdict::Unknown),
        ];
        let first = (Item::Installed, Holdup::Unsigned);
        assert_eq!(holdups(&all, 1), [first, (Item::Routed, Holdup::NotMet)]);
        all[1].waived = Some(Waived {
            by: "w".into(),
            until: Timestamp::MAX,
        });
        assert_eq!(holdups(&all, 1), [first]);
        assert_eq!(holdups(&all, 3), [first, (Item::EntryInjected, Holdup::Unsigned)]);
        assert_eq!(holdup(&all[1]), None);
    }
}
