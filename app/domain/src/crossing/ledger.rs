//! All that people have put their names to.

use super::{
    Evidence, Exception, Item, SignOff, Waiver,
    chain::{self, Broken, Head, How},
    migration::Unreadable,
};
use crate::{
    Name,
    object::{Digest, Kind, Object},
    snapshot::Objects,
};
use std::collections::BTreeSet;

/// All that people have put their names to, each kind in order of name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// Signatures.
    pub sign_offs: Vec<SignOff>,
    /// What they were given for.
    pub evidence: Vec<Evidence>,
    /// Items that are passed over.
    pub waivers: Vec<Waiver>,
    /// Findings that are accepted.
    pub exceptions: Vec<Exception>,
    /// Signatures and evidence that cannot be read. A waiver or exception that cannot be read simply holds nothing off.
    pub unreadable: Vec<Unreadable>,
}

impl Ledger {
    /// Those of a cluster.
    pub fn of(objects: &Objects) -> Self {
        let all = [Kind::SignOff, Kind::Evidence, Kind::Waiver, Kind::Exception];
        Self::read(all.into_iter().flat_map(|kind| objects.of_kind(kind)))
    }

    /// Those among some objects, in their order.
    pub fn read<'a>(objects: impl IntoIterator<Item = &'a Object>) -> Self {
        let mut ledger = Self::default();
        for object in objects {
            let read = match object.key().kind {
                Kind::SignOff => SignOff::read(object).map(|it| ledger.sign_offs.push(it)),
                Kind::Evidence => Evidence::read(object).map(|it| ledger.evidence.push(it)),
                Kind::Waiver => {
                    ledger.waivers.extend(Waiver::read(object));
                    Ok(())
                }
                Kind::Exception => {
                    ledger.exceptions.extend(Exception::read(object));
                    Ok(())
                }
                _ => Ok(()),
            };
            ledger.unreadable.extend(read.err());
        }
        ledger
    }

    /// Whether the signatures are whole; see [`chain::verify`].
    ///
    /// # Errors
    /// The first place that is broken.
    pub fn verify(&self, head: Option<&Digest>) -> Result<Head, Broken> {
        if let Some(odd) = self.unreadable.first() {
            let (at, detail) = (odd.name.clone(), odd.detail.clone());
            return Err(Broken {
                at,
                how: How::Unreadable { detail },
            });
        }
        chain::verify(&self.sign_offs, &self.evidence, head)
    }

    /// Items that were signed or passed over, and are none of these any more, in order of their names: the Migration asked for them once.
    pub fn no_longer_asked(&self, asked: &[Item]) -> BTreeSet<&Name> {
        let signed = self.sign_offs.iter().map(|it| &it.spec.item);
        let waived = self.waivers.iter().map(|it| &it.spec.item);
        let mut all: BTreeSet<&Name> = signed.chain(waived).collect();
        all.retain(|id| !asked.iter().any(|item| *item.id() == ***id));
        all
    }

    /// The evidence that a signature names.
    pub fn evidence_of(&self, sign_off: &SignOff) -> Option<&Evidence> {
        let named = &sign_off.spec.evidence;
        let mut found = self.evidence.iter();
        found.find(|it| it.name == named.name && it.uid == named.uid && it.digest == named.digest)
    }
}
