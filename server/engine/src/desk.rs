//! Where changes are planned and carried out.
//!
//! Carrying out is three writes, each of which may be lost without harm:
//! 1. the journal entry (Change object): from here on recovery knows of the change;
//! 2. the guarded patch, as the person: it lands whole or not at all, and at most once, since it moves the resourceVersion that it
//!    demands;
//! 3. the entry's status. If this one is lost, recovery finds the object as after, and writes it.

mod carry;

use naru_domain::{
    Name, Refused, Timestamp, Why,
    actor::Actor,
    change::{
        plan::{Intent, Plan, plan},
        record::Record,
    },
    fact::Fact,
    object::{Key, Kind, Object},
    snapshot::Snapshot,
};
use naru_ports::{As, Clock, Cluster, ClusterError};
use naru_view::{
    canary::{Applied, DryRun, PlanSheet},
    why::{ApplyError, SourceName},
};
use std::sync::Arc;

/// The longest reason, in characters.
pub(crate) const REASON_LIMIT: u32 = 500;

/// Others may move the object between reading and writing (istiod writes its status, a colleague an annotation). So often we plan anew;
/// whoever loses four races in a row should look at what is going on.
const ATTEMPTS: u32 = 4;

/// How many differing paths a dry run names.
const DIFFERING: usize = 8;

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
    pub(crate) async fn plan(&self, who: &Actor, intent: &Intent) -> Result<PlanSheet, ApplyError> {
        let (mut plan, mut live) = self.fresh(intent).await?;
        let mut dry_run = self.dry_run(who, &plan, &live).await;
        for _ in 1..ATTEMPTS {
            if dry_run.is_some() {
                break;
            }
            (plan, live) = self.fresh(intent).await?;
            dry_run = self.dry_run(who, &plan, &live).await;
        }
        let dry_run = dry_run.ok_or(ApplyError::Conflict)?;
        Ok(PlanSheet {
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
        })
    }

    /// Does what was confirmed, if the plan made anew is still the confirmed one.
    pub(crate) async fn apply(
        &self,
        who: &Actor,
        intent: &Intent,
        digest: &str,
        reason: &str,
    ) -> Result<Applied, ApplyError> {
        if self.read_only {
            return Err(ApplyError::ReadOnly);
        }
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > REASON_LIMIT as usize {
            return Err(ApplyError::Refused {
                refused: Refused::Reason { limit: REASON_LIMIT },
            });
        }
        for _ in 0..ATTEMPTS {
            if self.late() {
                break;
            }
            let (plan, _) = self.fresh(intent).await?;
            if *plan.digest.0 != *digest {
                return Err(ApplyError::DigestChanged { now: plan.digest.0 });
            }
            let record = self.record(&plan, who, reason);
            match self.carry_out(who, &record).await {
                Err(ApplyError::Conflict) => {}
                done => return done,
            }
        }
        Err(ApplyError::Conflict)
    }

    fn late(&self) -> bool {
        self.clock.now() >= self.deadline
    }

    fn record(&self, plan: &Plan, who: &Actor, reason: &str) -> Record {
        let now = self.clock.now();
        let verb = match plan.intent {
            Intent::SetWeights(_) => "weights",
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

    /// A plan on what the API server has now rather than on what the watch has told us: the snapshot with the target replaced.
    async fn fresh(&self, intent: &Intent) -> Result<(Plan, Object), ApplyError> {
        let refused = |refused| ApplyError::Refused { refused };
        let mut snapshot = (*self.snapshot).clone();
        let mut objects = (*snapshot.objects.value).clone();
        if let Intent::Undo { namespace, change } = intent {
            let key = Key::new(Kind::Change, namespace.clone(), change.clone());
            objects.put(Fact::Object(self.get(&key).await?));
        }
        let target = target(&objects, intent).map_err(refused)?;
        let live = self.get(&target).await?;
        objects.put(Fact::Object(live.clone()));
        snapshot.objects.value = Arc::new(objects);
        let plan = plan(intent, &snapshot).map_err(refused)?;
        Ok((plan, live))
    }

    async fn get(&self, key: &Key) -> Result<Object, ApplyError> {
        self.cluster.get(key).await.map_err(|error| match error {
            ClusterError::NotFound => ApplyError::Refused {
                refused: not_found(key),
            },
            ClusterError::Forbidden(detail) => ApplyError::Forbidden { detail },
            other => ApplyError::Unreachable {
                detail: other.to_string().into(),
            },
        })
    }

    /// None: the object was moved meanwhile, plan anew.
    async fn dry_run(&self, who: &Actor, plan: &Plan, live: &Object) -> Option<DryRun> {
        let refused = |detail: &Name| {
            Some(DryRun::Refused {
                detail: detail.clone(),
            })
        };
        let unknown = |why| Some(DryRun::Unknown { why });
        let source = SourceName::Kubernetes;
        match self
            .cluster
            .submit(As::Person(who), &plan.write(), true, "naru-dry-run")
            .await
        {
            Ok(submitted) => Some(match submitted.object {
                Some(result) if result.digest() == plan.after => DryRun::Accepted,
                Some(result) => DryRun::Differs {
                    paths: self.unexpected(plan, live, &result),
                },
                None => DryRun::Accepted,
            }),
            Err(ClusterError::Conflict) => None,
            Err(ClusterError::Forbidden(detail) | ClusterError::Invalid(detail)) => refused(&detail),
            Err(ClusterError::NotFound | ClusterError::Exists) => None,
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
        let mut ours = live.json().clone();
        match json_patch::patch(&mut ours, &plan.ops).map(|()| Object::new(plan.target.kind, ours)) {
            Ok(Ok(ours)) => ours.differences(result, DIFFERING),
            _ => Vec::new(),
        }
    }
}

fn not_found(key: &Key) -> Refused {
    Refused::NotFound {
        kind: key.kind.name().into(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
    }
}

/// The object that an intent is about.
fn target(objects: &naru_domain::snapshot::Objects, intent: &Intent) -> Result<Key, Refused> {
    match intent {
        Intent::SetWeights(wish) => Ok(Key::new(
            Kind::VirtualService,
            wish.route.namespace.clone(),
            wish.route.name.clone(),
        )),
        Intent::Undo { namespace, change } => {
            let entry = objects.object(Kind::Change, namespace, change);
            let record = entry.and_then(Record::read);
            record
                .map(|record| record.target)
                .ok_or_else(|| not_found(&Key::new(Kind::Change, namespace.clone(), change.clone())))
        }
    }
}
