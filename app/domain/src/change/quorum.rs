//! A second person for large steps, where the Migration asks for one: who would give a new version more than so much proposes it, and somebody
//! else carries it out.
//!
//! What goes back to the stable version never waits for anybody: that is what the Canary that moves the rule says, and else the first destination, as
//! the button that gives it all takes it to be.

use super::{
    plan::{Intent, Plan},
    record::{NEAR_S, Phase, Record, records},
};
use crate::{
    Name, Timestamp, Why,
    actor::Actor,
    canary,
    crossing::migration::Migration,
    mesh::route::{self, Destination, Rule},
    object::{Digest, Key, Kind, Malformed, Object},
    snapshot::Objects,
};
use jiff::SignedDuration;
use naru_view::{canary::Proposed, weights};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// So long a proposal waits for a second person. Who looks at it later should be asked anew.
pub const LIFE: SignedDuration = SignedDuration::from_hours(12);

/// What an entry's own time may differ from the API server's.
const NEAR: SignedDuration = SignedDuration::from_secs(NEAR_S);

/// The longest reason, in characters.
pub const REASON: usize = 500;

/// `spec` of a Proposal (`naru.dev/v1alpha1`): a plan that one person made, for another to carry out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proposal {
    /// What is wished.
    pub intent: Intent,
    /// The object that it is about.
    pub target: Target,
    /// Digest of the plan that was proposed: another plan is another proposal.
    pub digest: Digest,
    /// By whom.
    pub actor: Actor,
    /// Why, 1 to [`REASON`] characters.
    pub reason: Name,
    /// When, by the clock of who proposed it.
    pub at: Timestamp,
}

/// The object that a proposal is about; it is in the proposal's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
}

impl Proposal {
    /// A plan, proposed.
    pub fn of(plan: &Plan, actor: Actor, reason: Name, at: Timestamp) -> Self {
        let Key {
            kind,
            namespace,
            name,
        } = plan.target.clone();
        Self {
            intent: plan.intent.clone(),
            target: Target {
                kind,
                namespace,
                name,
            },
            digest: plan.digest.clone(),
            actor,
            reason,
            at,
        }
    }

    /// Reads one; None if it is not one of ours.
    pub fn read(object: &Object) -> Option<Self> {
        serde_json::from_value(object.get("/spec")?.clone()).ok()
    }

    /// The object to be created.
    ///
    /// # Errors
    /// None that can happen: its name is made of hexadecimal digits.
    pub fn object(&self) -> Result<Object, Malformed> {
        let spec = serde_json::to_value(self).map_err(|_| Malformed("it cannot be written as JSON"))?;
        let digest = self.digest.short();
        let name = format!("proposal-{:x}-{digest}", self.at.as_millisecond());
        let kind = Kind::Proposal;
        let metadata = json!({"namespace": &*self.target.namespace, "name": name});
        let json = json!({"apiVersion": kind.api_version(), "kind": kind.name(), "metadata": metadata, "spec": spec});
        Object::new(kind, json)
    }

    /// Who proposed it, for display.
    pub fn by(&self) -> &Name {
        if self.actor.name.is_empty() {
            &self.actor.sub
        } else {
            &self.actor.name
        }
    }

    /// As people are shown it.
    pub fn proposed(&self) -> Proposed {
        Proposed {
            by: self.by().clone(),
            reason: self.reason.clone(),
            at: self.at.as_millisecond(),
        }
    }

    /// Whether this change is what came of it, or may be.
    fn is_spent(&self, record: &Record) -> bool {
        record.digest == self.digest
            && *record.target.name == *self.target.name
            // An entry has the time of who wrote it, to within some seconds of the API server's, which the proposal has.
            && record.approved_at >= self.at - NEAR
            && !matches!(record.phase, Phase::NotCarriedOut { .. })
    }

    /// Whether this is certainly another person. Of two who have come in by different doors (an identity provider, a kubeconfig) nobody knows that they
    /// are two; a name or a group makes nobody another.
    pub fn is_by_another(&self, actor: &Actor) -> bool {
        self.actor.issuer == actor.issuer && self.actor.sub != actor.sub
    }
}

/// The percentage above which the Migration wants a second person; None where it wants none. A Migration that cannot be read wants one for
/// everything: whoever wrote it meant something.
///
/// # Errors
/// Why it is not known whether there is a Migration.
pub fn above(objects: &Objects) -> Result<Option<u32>, Why> {
    if let Some(why) = objects.gap(Kind::Migration) {
        return Err(why);
    }
    Ok(match Migration::of(objects) {
        Ok(migration) => migration.and_then(|(_, it)| it.quorum_above),
        Err(_) => Some(0),
    })
}

/// The percentage that a plan goes above and that wants a second person; None where one is enough. `live` is what the plan was made on.
///
/// # Errors
/// As [`above`], of a plan that gives a new version more; of any other nothing has to be known.
pub fn wanted(objects: &Objects, live: &Object, plan: &Plan) -> Result<Option<u32>, Why> {
    // A plan that does not fit what it was made on is never carried out.
    let Ok(after) = plan.on(live) else {
        return Ok(None);
    };
    let before = route::weighted(live);
    let stable = |rule: &Rule| canary::stable(objects, &canary::reference(live, rule), rule);
    let rules = route::weighted(&after);
    let each = rules
        .iter()
        .filter_map(|rule| raised(&before, rule, stable(rule)));
    let most = each.fold(0.0, f64::max);
    if most <= 0.0 {
        return Ok(None);
    }
    Ok(above(objects)?.filter(|above| most > f64::from(*above)))
}

/// The largest share, in points of 100, that a version but the stable one gets of a rule and has not had; None where none gets more. A version may
/// stand there several times.
fn raised(before: &[Rule], rule: &Rule, stable: usize) -> Option<f64> {
    let shares = |rule: &Rule| {
        let mut all = BTreeMap::<(Name, Name, Option<u16>), f64>::new();
        for (it, share) in rule.destinations.iter().zip(weights::shares(&rule.weights())) {
            *all.entry(version(it)).or_default() += share;
        }
        all
    };
    let same = before
        .iter()
        .find(|it| (it.list, it.index) == (rule.list, rule.index));
    let was = same.map(shares).unwrap_or_default();
    let stable = rule.destinations.get(stable).map(version);
    let more = shares(rule)
        .into_iter()
        .filter(|(it, share)| Some(it) != stable.as_ref() && *share > was.get(it).copied().unwrap_or(0.0));
    more.map(|(_, share)| share).reduce(f64::max)
}

fn version(it: &Destination) -> (Name, Name, Option<u16>) {
    (it.host.clone(), it.subset.clone(), it.port)
}

/// What waits for a second person at a moment, the latest first. What was carried out once was agreed to once.
pub fn waiting(objects: &Objects, now: Timestamp) -> Vec<(Key, Proposal)> {
    let read = |object: &Object| {
        let mut proposal = Proposal::read(object)?;
        // Entries in other namespaces than that of what they are about are nobody's: no right there is needed to write one here.
        let home = proposal.target.namespace == object.key().namespace;
        // A laptop's clock may be wrong; the API server's own says how old it is.
        let made = object.text("/metadata/creationTimestamp").parse().ok();
        proposal.at = made.unwrap_or(proposal.at);
        let young = now.duration_since(proposal.at) < LIFE;
        (home && young).then(|| (object.key().clone(), proposal))
    };
    let mut all: Vec<(Key, Proposal)> = objects.of_kind(Kind::Proposal).filter_map(read).collect();
    // Without the journal nobody knows which of them were carried out.
    if objects.gap(Kind::Change).is_some() {
        return Vec::new();
    }
    if !all.is_empty() {
        let journal = records(objects);
        all.retain(|(_, it)| !journal.iter().any(|record| it.is_spent(record)));
    }
    all.sort_by(|(a, one), (b, other)| other.at.cmp(&one.at).then_with(|| a.cmp(b)));
    all
}

/// Who else than this person has proposed exactly this plan, if anybody has.
pub fn by_another(waiting: &[(Key, Proposal)], plan: &Plan, actor: &Actor) -> Option<Proposal> {
    let fits = |it: &Proposal| {
        it.digest == plan.digest && it.target.name == plan.target.name && it.target.kind == plan.target.kind
    };
    let mut all = waiting.iter().map(|(_, it)| it);
    all.find(|it| fits(it) && it.is_by_another(actor)).cloned()
}

#[cfg(test)]
mod tests;
