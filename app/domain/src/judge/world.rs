//! What checks look at.

use super::{
    Fact, Found,
    ask::{Bare, Calls, Pods},
    door::{self, Door},
    routes::{self, Callers, Used},
};
use crate::{
    Name, Timestamp, Why,
    crossing::{Audited, Evidence, Item, Ledger, Migration},
    inquiry::{Asking, Inquiry, Question, Replies},
    mesh::{
        Mesh, Prepared,
        injection::{self, Template},
    },
    object::{Key, Kind},
    snapshot::Objects,
    traffic::{Dated, Traffic},
};
use std::{cell::OnceCell, collections::BTreeSet, sync::Arc};

/// The system as a whole, at one moment, from a running cluster or from files.
pub struct World<'a> {
    /// The objects. From files: as they would be once everything has come up (see [`settled`](super::settled)).
    pub objects: &'a Objects,
    /// The model of Istio's semantics over them.
    pub mesh: Mesh<'a>,
    /// The Migration and its key; or why there is none.
    pub migration: Result<(Key, Migration), Why>,
    /// It is a cluster that runs. In files there is no state: no readiness, no traffic.
    pub running: bool,
    /// What the proxies counted, if it is known.
    pub traffic: Option<Arc<Dated<Traffic>>>,
    /// The moment.
    pub now: Timestamp,
    /// What people have put their names to.
    pub(super) ledger: Arc<Ledger>,
    asking: Option<Asking>,
    shared: Shared<'a>,
}

/// What several checks ask, made when the first of them does.
#[derive(Default)]
struct Shared<'a> {
    templates: OnceCell<Vec<Template>>,
    pods: OnceCell<Pods<'a>>,
    bare: OnceCell<Bare>,
    calls: OnceCell<Calls>,
    used: OnceCell<(Vec<Used<'a>>, Vec<Why>)>,
    callers: OnceCell<Callers<'a>>,
    doors: OnceCell<(Vec<Door<'a>>, Vec<Why>)>,
}

impl<'a> World<'a> {
    /// Of objects from files.
    pub fn of_files(objects: &'a Objects, now: Timestamp) -> Self {
        Self {
            running: false,
            ..Self::of(objects, Prepared::of(objects), None, now)
        }
    }

    /// Of a cluster that runs.
    pub fn of(
        objects: &'a Objects,
        prepared: Prepared,
        traffic: Option<Arc<Dated<Traffic>>>,
        now: Timestamp,
    ) -> Self {
        let migration = match Migration::of(objects) {
            Ok(Some((object, migration))) => Ok((object.key().clone(), migration)),
            Ok(None) => Err(objects.gap(Kind::Migration).unwrap_or(Why::NoMigration)),
            Err(odd) => Err(Why::OddMigration { detail: odd.detail }),
        };
        Self {
            objects,
            mesh: Mesh::with(objects, prepared),
            migration,
            running: true,
            traffic,
            now,
            ledger: Arc::default(),
            asking: Some(Asking::default()),
            shared: Shared::default(),
        }
    }

    /// With what has been found out beside objects and traffic.
    #[must_use]
    pub fn knowing(self, replies: Arc<Replies>) -> Self {
        Self {
            asking: Some(Asking::with(replies)),
            ..self
        }
    }

    /// Of what would be, rather than of what is: there is nobody to ask how it is.
    #[must_use]
    pub fn imagined(self) -> Self {
        Self { asking: None, ..self }
    }

    /// The reply to a question, or why there is none. In files there is nobody to ask.
    pub(crate) fn reply<Q: Question>(&self, question: &Q) -> Result<Dated<&Q::Reply>, Why> {
        let asking = self.asking.as_ref().filter(|_| self.running);
        asking.ok_or(Why::NeedsCluster)?.ask(question, self.now)
    }

    /// The same for a check: that there is none is noted.
    pub(super) fn ask<Q: Question>(&self, question: &Q, found: &mut Found) -> Option<Dated<&Q::Reply>> {
        let dated = self.reply(question).map_err(|why| found.unknown(why)).ok()?;
        found.unknowns(dated.gaps.iter().cloned());
        Some(dated)
    }

    /// With what people have put their names to, as far as it is whole and guarded: whoever may forge it shall not be remembered.
    #[must_use]
    pub fn trusting(self, audited: &Audited) -> Self {
        let sound = audited.chain.is_ok() && audited.guards.stand();
        self.remembering(if sound {
            Arc::clone(&audited.ledger)
        } else {
            Arc::default()
        })
    }

    pub(super) fn remembering(self, ledger: Arc<Ledger>) -> Self {
        Self { ledger, ..self }
    }

    /// What a signature that stands has kept of something that happened once: a fact of the item's about an object. No source may be able to tell
    /// it any more, and what has happened since is not what was signed.
    pub(super) fn kept(&self, item: Item, name: &'static str, about: &Key) -> Option<Fact> {
        self.kept_of(item, name, |it| it == about)
    }

    /// The same about whatever object of these namespaces: it may be another's by now, or gone.
    pub(super) fn kept_within(
        &self,
        item: Item,
        name: &'static str,
        namespaces: &BTreeSet<&str>,
    ) -> Option<Fact> {
        self.kept_of(item, name, |it| namespaces.contains(&*it.namespace))
    }

    fn kept_of(&self, item: Item, name: &'static str, about: impl Fn(&Key) -> bool) -> Option<Fact> {
        let standing = self.standing(item);
        let mut facts = standing.flat_map(|it| &it.spec.facts);
        let seen = facts
            .find(|it| *it.name == *name && it.object.as_ref().is_some_and(&about))?
            .clone();
        Some(Fact {
            name,
            source: seen.source,
            key: seen.object,
            path: seen.path,
            value: seen.value,
            at: seen.at,
            resource_version: seen.resource_version,
        })
    }

    /// What the latest signature that stands was given for, as a fact of the item's says it: of whatever object, for that may be called
    /// otherwise by now.
    pub(super) fn signed_for(&self, item: Item, name: &str) -> Option<&Name> {
        let latest = self.standing(item).last()?;
        let mut facts = latest.spec.facts.iter();
        Some(&facts.find(|it| *it.name == *name)?.value)
    }

    /// What the signatures that stand were given for, the latest last.
    fn standing(&self, item: Item) -> impl Iterator<Item = &Evidence> {
        let signed = self.ledger.sign_offs.iter().filter(move |it| {
            let status = &it.status;
            *it.spec.item == *item.id()
                && status.accepted.is_some()
                && status.revoked.is_none()
                && status.reopened.is_none()
        });
        signed.filter_map(|it| self.ledger.evidence_of(it))
    }

    /// What was asked while this was judged: its replies are for the next judgement.
    pub fn asked(self) -> BTreeSet<Inquiry> {
        self.asking.map(Asking::asked).unwrap_or_default()
    }

    /// All pod templates.
    pub(super) fn templates(&self) -> &[Template] {
        self.shared
            .templates
            .get_or_init(|| injection::templates(self.objects))
    }

    /// The pods that count.
    pub(super) fn pods(&self) -> &Pods<'a> {
        self.shared.pods.get_or_init(|| Pods::of(self.objects))
    }

    /// The Migration's services that wait for their injection.
    pub(super) fn bare(&self, migration: &Migration) -> &Bare {
        self.shared.bare.get_or_init(|| Bare::of(self, migration))
    }

    /// The declared calls, explained.
    pub(super) fn calls(&self) -> &Calls {
        self.shared.calls.get_or_init(|| Calls::of(self))
    }

    /// All destinations that rules name; what is not judged of them is noted.
    pub(super) fn used(&self, found: &mut Found) -> &[Used<'a>] {
        let (used, whys) = self.shared.used.get_or_init(|| routes::used(self));
        found.unknowns(whys.iter().cloned());
        used
    }

    /// Where the Migration's gateway can be spoken to; what is not known of it is noted.
    pub(super) fn doors(&self, found: &mut Found) -> &[Door<'a>] {
        let (doors, whys) = self.shared.doors.get_or_init(|| door::doors(self));
        found.unknowns(whys.iter().cloned());
        doors
    }

    /// Whose proxies use which VirtualServices.
    pub(super) fn callers(&self) -> &Callers<'a> {
        self.shared.callers.get_or_init(|| Callers::of(self))
    }

    /// The Migration for a check that cannot go on without: its absence is noted.
    pub fn migration(&self, found: &mut Found) -> Option<&Migration> {
        match &self.migration {
            Ok((_, migration)) => Some(migration),
            Err(why) => {
                found.unknown(why.clone());
                None
            }
        }
    }

    /// A part of the Migration for a check that cannot go on without: its absence is noted under the field's path.
    pub fn declared<'m, T>(
        &'m self,
        found: &mut Found,
        field: &'static str,
        part: impl Fn(&'m Migration) -> Option<T>,
    ) -> Option<T> {
        let declared = part(self.migration(found)?);
        if declared.is_none() {
            found.unknown(Why::NotDeclared { field: field.into() });
        }
        declared
    }

    /// Whether there is state to look at; noted if not.
    pub fn running(&self, found: &mut Found) -> bool {
        if !self.running {
            found.unknown(Why::NeedsCluster);
        }
        self.running
    }
}
