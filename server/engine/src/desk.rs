//! Where changes are planned and carried out.
//!
//! Carrying out is three writes, each of which may be lost without harm:
//! 1. the journal entry (Change object): from here on recovery knows of the change;
//! 2. the guarded patch, as the person: it lands whole or not at all, and at most once, since it moves the resourceVersion that it
//!    demands;
//! 3. the entry's status. If this one is lost, recovery finds the object as after, and writes it.

mod carry;
mod hand;
mod second;

pub use hand::{Hand, Planned, PlannedAll, read_off, taking_back};

use crate::{
    reading::{not_found, read},
    writer::writer,
};
use naru_domain::{
    Name, Refused, Timestamp, Why,
    actor::Actor,
    canary,
    change::{
        ended, mend, owner,
        plan::{Intent, Plan, plan},
        record::Record,
        weights,
    },
    fact::Fact,
    object::{Key, Kind, Object},
    snapshot::{Objects, Snapshot},
};
use naru_ports::{As, Clock, Cluster, ClusterError};
use naru_view::{
    canary::{Applied, DryRun, HandOver, PlanSheet, Quorum, SetWeights},
    change::Writer,
    why::{ApplyError, SourceName},
};
use std::sync::Arc;

/// The longest reason, in characters.
pub const REASON_LIMIT: u32 = 500;

/// Others may move the object between reading and writing (istiod writes its status, a colleague an annotation). So often we plan anew;
/// whoever loses four races in a row should look at what is going on.
const ATTEMPTS: u32 = 4;

/// How many differing paths a dry run names.
const DIFFERING: usize = 8;

/// Whom a change is made by, and how the API server is told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum By<'a> {
    /// A person who is present: impersonated. How it ended Naru notes itself.
    Person(&'a Actor),
    /// Whoever runs the command, with credentials of their own, all the way; `sub` is the user.
    Oneself(&'a Actor),
    /// A controller of ours, by its name: Naru itself, as the API server calls it.
    Controller(&'static str, &'a Actor),
}

impl<'a> By<'a> {
    fn actor(self) -> &'a Actor {
        match self {
            Self::Person(actor) | Self::Oneself(actor) | Self::Controller(_, actor) => actor,
        }
    }

    /// Approves and changes.
    fn writes(self) -> As<'a> {
        match self {
            Self::Person(actor) => As::Person(actor),
            Self::Oneself(actor) => As::Oneself(&actor.sub),
            Self::Controller(name, _) => As::Controller(name),
        }
    }

    /// Notes how it ended.
    fn notes(self) -> As<'a> {
        match self {
            Self::Person(_) => As::Controller("desk"),
            Self::Oneself(_) | Self::Controller(..) => self.writes(),
        }
    }
}

/// A change that landed.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// What it is called in the journal.
    pub applied: Applied,
    /// The journal says that it landed. If not, recovery finds it out.
    pub noted: bool,
}

/// What came of trying a plan out.
enum Tried {
    Answered(DryRun),
    /// The right is missing; the API server's words.
    Forbidden(Name),
    /// The object was moved meanwhile: plan anew.
    Moved,
}

/// One request's way to the writing side.
pub(crate) struct Desk<'a> {
    pub(crate) cluster: &'a dyn Cluster,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) read_only: bool,
    /// Nothing is sent after this: half of recovery's grace, so that a server that was asleep does not go on with what was asked of it
    /// before.
    pub(crate) deadline: Timestamp,
}

impl Desk<'_> {
    /// Plans on the object as it is *now*, and lets the API server try it as this person.
    pub(crate) async fn plan(&self, who: By<'_>, intent: &Intent) -> Result<PlanSheet, ApplyError> {
        match (self.tried(who, intent).await, intent) {
            (Ok((plan, live, tried)), _) => {
                let quorum = self.asks(who, &plan, &live)?;
                let dry_run = tried.unwrap_or_else(|detail| DryRun::Refused { detail });
                Ok(PlanSheet {
                    quorum,
                    ..sheet(plan, dry_run)
                })
            }
            (
                Err(ApplyError::Refused {
                    refused: Refused::Owned { owner, .. },
                }),
                Intent::SetWeights(wish),
            ) if owner::takes_files(&owner) => self.plan_for(who, wish, owner).await,
            (Err(error), _) => Err(error),
        }
    }

    /// The same for an object that somebody else writes, from files: what is to be put into them.
    async fn plan_for(&self, who: By<'_>, wish: &SetWeights, owner: Name) -> Result<PlanSheet, ApplyError> {
        let (plan, live) = self.hand_over(wish).await?;
        let patch = serde_json::to_string_pretty(&plan.ops).unwrap_or_default().into();
        let dry_run = match self.dry_run(who, &plan, &live).await {
            Tried::Answered(dry_run) => dry_run,
            Tried::Forbidden(detail) => DryRun::Refused { detail },
            Tried::Moved => DryRun::Unknown {
                why: Why::ChangedMeanwhile,
            },
        };
        Ok(PlanSheet {
            hand_over: Some(HandOver { owner, patch }),
            ..sheet(plan, dry_run)
        })
    }

    /// Plans weights for somebody else to set, and what they would be set on.
    async fn hand_over(&self, wish: &SetWeights) -> Result<(Plan, Object), ApplyError> {
        let target = canary::target(&wish.route);
        let (snapshot, live) = self.on((*self.snapshot.objects.value).clone(), &target).await?;
        let plan = weights::hand_over(wish, &snapshot).map_err(|refused| ApplyError::Refused { refused })?;
        Ok((plan, live))
    }

    /// The plan, what it was made on, and what the API server says to it; the error is its words for a missing right.
    async fn tried(
        &self,
        who: By<'_>,
        intent: &Intent,
    ) -> Result<(Plan, Object, Result<DryRun, Name>), ApplyError> {
        for _ in 0..ATTEMPTS {
            let (plan, live) = self.fresh(intent).await?;
            match self.dry_run(who, &plan, &live).await {
                Tried::Answered(dry_run) => return Ok((plan, live, Ok(dry_run))),
                Tried::Forbidden(detail) => return Ok((plan, live, Err(detail))),
                Tried::Moved => {}
            }
        }
        Err(ApplyError::Conflict { by: None })
    }

    /// Does what was confirmed, if the plan made anew is still the confirmed one.
    pub(crate) async fn apply(
        &self,
        who: By<'_>,
        intent: &Intent,
        digest: &str,
        reason: &str,
    ) -> Result<Done, ApplyError> {
        let reason = self.may_write(reason)?;
        let mut lost = None;
        for _ in 0..ATTEMPTS {
            if self.late() {
                break;
            }
            let (plan, live) = self.confirmed(intent, digest).await?;
            self.second(who, &plan, &live)?;
            let record = self.record(&plan, who.actor(), reason);
            match self.carry_out(who, &record).await {
                Err(ApplyError::Conflict { .. }) => lost = Some(plan),
                done => return done,
            }
        }
        let by = match &lost {
            Some(plan) => match self.get(&plan.target).await {
                Ok(live) => self.writer(plan, &live).await,
                Err(_) => None,
            },
            None => None,
        };
        Err(ApplyError::Conflict { by })
    }

    /// The plan made anew, if it is still the confirmed one, and what it was made on.
    async fn confirmed(&self, intent: &Intent, digest: &str) -> Result<(Plan, Object), ApplyError> {
        let (plan, live) = self.fresh(intent).await?;
        if *plan.digest.0 == *digest {
            return Ok((plan, live));
        }
        let by = self.writer(&plan, &live).await;
        Err(ApplyError::DigestChanged {
            now: plan.digest.0,
            by,
        })
    }

    /// The reason, without the space around it.
    fn may_write<'a>(&self, reason: &'a str) -> Result<&'a str, ApplyError> {
        if self.read_only {
            return Err(ApplyError::ReadOnly);
        }
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > REASON_LIMIT as usize {
            return Err(ApplyError::Refused {
                refused: Refused::Reason { limit: REASON_LIMIT },
            });
        }
        Ok(reason)
    }

    /// Who has written, meanwhile, what a plan would change.
    async fn writer(&self, plan: &Plan, live: &Object) -> Option<Box<Writer>> {
        let path = plan.diff.first().map_or("", |line| &line.path);
        writer(self.cluster, &self.snapshot.objects.value, live, path)
            .await
            .map(Box::new)
    }

    fn late(&self) -> bool {
        self.clock.now() >= self.deadline
    }

    fn record(&self, plan: &Plan, who: &Actor, reason: &str) -> Record {
        let now = self.clock.now();
        let verb = match plan.intent {
            Intent::SetWeights(_) => "weights",
            Intent::Mend(_) => "mend",
            Intent::Undo { .. } => "undo",
        };
        // Time in hexadecimal sorts by age; the digests keep apart two changes of one millisecond.
        let tail = plan.digest.short().get(..6).unwrap_or_default();
        let rv: String = plan
            .rv
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(12)
            .collect();
        let name = format!(
            "{verb}-{:x}-{tail}-{}",
            now.as_millisecond(),
            rv.to_ascii_lowercase()
        );
        Record::intended(
            plan,
            name.trim_end_matches('-').into(),
            who.clone(),
            reason.into(),
            now,
        )
    }

    /// Plans weights for a controller that has nobody to ask: whatever a person would look at twice is a refusal.
    ///
    /// # Errors
    /// Why they cannot be set now; the API server's own words where it was that.
    pub(crate) async fn plan_alone(&self, who: By<'_>, intent: &Intent) -> Result<Plan, ApplyError> {
        let (plan, live, tried) = self.tried(who, intent).await?;
        // Nobody stands beside a controller.
        if let Some(Quorum { above, .. }) = self.asks(who, &plan, &live)? {
            let refused = Refused::Quorum { above };
            return Err(ApplyError::Refused { refused });
        }
        match tried {
            Ok(DryRun::Accepted) => Ok(plan),
            Ok(DryRun::Differs { paths }) => Err(ApplyError::Invalid {
                detail: paths.join(", ").into(),
            }),
            Ok(DryRun::Refused { detail }) => Err(ApplyError::Invalid { detail }),
            Ok(DryRun::Unknown { why }) => Err(ApplyError::Refused {
                refused: Refused::Unknown { whys: vec![why] },
            }),
            Err(detail) => Err(ApplyError::Forbidden { detail }),
        }
    }

    /// Carries out what a controller has planned, under the name that it has written down before.
    pub(crate) async fn carry_out_alone(
        &self,
        who: By<'_>,
        plan: &Plan,
        name: Name,
        reason: &str,
    ) -> Result<Done, ApplyError> {
        let now = self.clock.now();
        let record = Record::intended(plan, name, who.actor().clone(), reason.into(), now);
        self.carry_out(who, &record).await
    }

    /// A plan on what the API server has now rather than on what the watch has told us: the snapshot with the target replaced.
    async fn fresh(&self, intent: &Intent) -> Result<(Plan, Object), ApplyError> {
        let (snapshot, live) = match intent {
            Intent::Undo { namespace, change } => {
                let key = Key::new(Kind::Change, namespace.clone(), change.clone());
                self.seen(&key).await?
            }
            Intent::SetWeights(wish) => {
                let target = canary::target(&wish.route);
                self.on((*self.snapshot.objects.value).clone(), &target).await?
            }
            Intent::Mend(wish) => {
                let target = mend::target(wish).map_err(|refused| ApplyError::Refused { refused })?;
                self.on((*self.snapshot.objects.value).clone(), &target).await?
            }
        };
        let plan = plan(intent, &snapshot).map_err(|refused| ApplyError::Refused { refused })?;
        Ok((plan, live))
    }

    /// What is known, with a change and what it is about as the API server has them now.
    async fn seen(&self, change: &Key) -> Result<(Snapshot, Object), ApplyError> {
        let entry = self.get(change).await?;
        let record = Record::read(&entry).ok_or_else(|| ApplyError::Refused {
            refused: not_found(change),
        })?;
        let mut objects = (*self.snapshot.objects.value).clone();
        objects.put(Fact::Object(entry));
        self.on(objects, &record.target).await
    }

    /// These objects, with one of them as the API server has it now.
    async fn on(&self, mut objects: Objects, target: &Key) -> Result<(Snapshot, Object), ApplyError> {
        let live = self.get(target).await?;
        objects.put(Fact::Object(live.clone()));
        ended::settle(&mut objects, &live, self.clock.now());
        let mut snapshot = (*self.snapshot).clone();
        snapshot.objects.value = Arc::new(objects);
        Ok((snapshot, live))
    }

    async fn get(&self, key: &Key) -> Result<Object, ApplyError> {
        read(self.cluster, key).await
    }

    async fn dry_run(&self, who: By<'_>, plan: &Plan, live: &Object) -> Tried {
        let unknown = |why| Tried::Answered(DryRun::Unknown { why });
        let source = SourceName::Kubernetes;
        match self
            .cluster
            .submit(who.writes(), &plan.write(), true, "naru-dry-run")
            .await
        {
            Ok(submitted) => Tried::Answered(match submitted.object {
                Some(result) if result.digest() == plan.after => DryRun::Accepted,
                Some(result) => DryRun::Differs {
                    paths: self.unexpected(plan, live, &result),
                },
                None => DryRun::Accepted,
            }),
            Err(ClusterError::Conflict | ClusterError::NotFound | ClusterError::Exists) => Tried::Moved,
            Err(ClusterError::Forbidden(detail)) => Tried::Forbidden(detail),
            Err(ClusterError::Invalid(detail)) => Tried::Answered(DryRun::Refused { detail }),
            Err(ClusterError::Throttled(wait)) => unknown(Why::TimedOut {
                source,
                after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            }),
            Err(ClusterError::Unsure(detail) | ClusterError::Unreachable(detail)) => {
                unknown(Why::Unreachable { source, detail })
            }
        }
    }

    /// Where the API server's result differs from ours: a defaulting or mutating webhook at work.
    fn unexpected(&self, plan: &Plan, live: &Object, result: &Object) -> Vec<Name> {
        match plan.on(live) {
            Ok(ours) => ours.differences(result, DIFFERING),
            Err(_) => Vec::new(),
        }
    }
}

fn sheet(plan: Plan, dry_run: DryRun) -> PlanSheet {
    PlanSheet {
        digest: plan.digest.0.clone(),
        target: (
            plan.target.kind.name().into(),
            plan.target.namespace.clone(),
            plan.target.name.clone(),
        ),
        kubectl: plan.kubectl().into(),
        diff: plan.diff,
        prediction: plan.prediction,
        risks: plan.risks,
        dry_run,
        hand_over: None,
        quorum: None,
    }
}
