//! The ledger of a running cluster: what people have put their names to, whether it is whole, and whether it is guarded.

use super::{
    Ledger, Migration, OwnItems,
    chain::{Broken, Head},
    guard::Guards,
    reopen::DEFAULT_AFTER,
    standing::{Standing, standing},
};
use crate::{
    Name, Timestamp,
    judge::Judgement,
    object::{Digest, Key, Kind, Object},
    snapshot::Objects,
};
use jiff::SignedDuration;
use serde_json::Value;
use std::sync::Arc;

/// The kinds that it is read from, beside the Migration.
pub const KINDS: [Kind; 6] = [
    Kind::SignOff,
    Kind::Evidence,
    Kind::Waiver,
    Kind::Exception,
    Kind::ValidatingAdmissionPolicy,
    Kind::ValidatingAdmissionPolicyBinding,
];

/// A ledger and what it rests on.
#[derive(Clone, Debug)]
pub struct Audited {
    /// All of it.
    pub ledger: Arc<Ledger>,
    /// What [`Ledger::verify`] said.
    pub chain: Result<Head, Broken>,
    /// How the admission policies stand.
    pub guards: Guards,
    /// The system's name, from the Migration; empty without one.
    pub system: Name,
    /// Digest of the Migration's `spec`; None if there is none.
    pub revision: Option<Digest>,
    /// The items of the team's own.
    pub items: OwnItems,
    /// How long state must have been unwell before a signed item is open again.
    pub reopen_after: SignedDuration,
    two_people: Vec<Name>,
    /// Names and versions of the objects that the ledger was read from.
    read: Vec<(Key, Name)>,
}

impl Default for Audited {
    /// Nobody has signed anything, and nothing is known of the policies.
    fn default() -> Self {
        Self {
            ledger: Arc::default(),
            chain: Ok(Head::default()),
            guards: Guards::default(),
            system: "".into(),
            revision: None,
            items: OwnItems::default(),
            reopen_after: DEFAULT_AFTER,
            two_people: Vec::new(),
            read: Vec::new(),
        }
    }
}

impl Audited {
    /// That of a cluster. What was read `before` from the same objects is not read and verified again: a thousand signatures with their
    /// evidence are megabytes.
    pub fn of(objects: &Objects, before: Option<&Self>) -> Self {
        let written = [Kind::SignOff, Kind::Evidence, Kind::Waiver, Kind::Exception];
        let all = written.into_iter().flat_map(|kind| objects.of_kind(kind));
        let read: Vec<(Key, Name)> = all.map(|it| (it.key().clone(), it.resource_version())).collect();
        let (ledger, chain) = match before.filter(|it| it.read == read) {
            Some(before) => (Arc::clone(&before.ledger), before.chain.clone()),
            None => {
                let ledger = Ledger::of(objects);
                let chain = ledger.verify(None);
                (Arc::new(ledger), chain)
            }
        };
        let migration = Migration::of(objects).ok().flatten();
        let revision =
            |(object, _): &(&Object, Migration)| Digest::of(object.get("/spec").unwrap_or(&Value::Null));
        Self {
            ledger,
            chain,
            guards: Guards::of(objects),
            revision: migration.as_ref().map(revision),
            reopen_after: migration
                .as_ref()
                .map_or(DEFAULT_AFTER, |(_, it)| it.reopens_after()),
            system: migration
                .as_ref()
                .map_or_else(|| "".into(), |(_, it)| it.system.clone()),
            items: migration
                .as_ref()
                .map(|(_, it)| it.items.clone())
                .unwrap_or_default(),
            two_people: migration.map(|(_, it)| it.two_people).unwrap_or_default(),
            read,
        }
    }

    /// An item's signature wants a second person.
    pub fn wants_second(&self, item: &str) -> bool {
        self.two_people.iter().any(|it| **it == *item)
    }

    /// How a judged item stands.
    pub fn standing(&self, judgement: &Judgement, now: Timestamp) -> Standing {
        let two_people = self.wants_second(judgement.item.id());
        standing(judgement, &self.ledger, &self.chain, two_people, now)
    }
}
