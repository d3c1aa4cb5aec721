//! A way to the desk without a server: one command, which changes things and takes changes back as whoever runs it.

use super::{By, Desk, Done, Tried, sheet};
use json_patch::Patch;
use naru_domain::{
    Name, Refused, Why,
    actor::Actor,
    change::{
        ended,
        plan::{self, Intent, Plan},
        record::{Phase, Record, records},
        recovery::GRACE,
        rollback,
        touched::{Apart, apart},
    },
    object::{Key, Write},
    snapshot::{KindState, Objects, Observed, Section, Snapshot},
    traffic::{Dated, Traffic},
};
use naru_ports::{Clock, Cluster, ClusterError};
use naru_view::{
    canary::{DryRun, PlanSheet, Quorum, SetWeights},
    why::ApplyError,
};
use std::{collections::BTreeSet, sync::Arc};

/// Stands for the reason where nothing is written; the definition wants one.
const NO_REASON: &str = "-";

/// Changes things as whoever the credentials name.
pub struct Hand {
    cluster: Arc<dyn Cluster>,
    clock: Arc<dyn Clock>,
    actor: Actor,
    objects: Objects,
    traffic: Section<Observed>,
}

/// A change that could be made, and what stands against it.
#[derive(Debug)]
pub struct Planned {
    /// What it would do, and what the API server says to that.
    pub sheet: PlanSheet,
    /// Why it would not be carried out: a missing right, a policy or webhook that refuses, an API server that gave no answer. Asked of the
    /// journal's entry as well, which is written first.
    pub against: Option<ApplyError>,
}

/// A rollback that could be carried out, or part of it.
#[derive(Debug, Default)]
pub struct PlannedAll {
    /// Each step, as far as they can be planned.
    pub planned: Vec<Planned>,
    /// Why the next step cannot be, if not all can.
    pub refused: Option<Refused>,
    /// Where that is for somebody else's edit: the touched paths, as the change left them and as they would stand.
    pub apart: Vec<Apart>,
}

impl Hand {
    /// To change what these objects and this traffic show, for this user, as the API server names them.
    pub fn seeing(
        cluster: Arc<dyn Cluster>,
        clock: Arc<dyn Clock>,
        user: &Name,
        objects: Objects,
        traffic: Option<Dated<Traffic>>,
    ) -> Self {
        let traffic = traffic.map_or_else(Section::default, |dated| {
            let observed = Observed {
                traffic: Some(Arc::new(dated.value)),
                ..Observed::default()
            };
            Section::seen(observed, dated.at)
        });
        Self {
            cluster,
            clock,
            actor: Actor::of_cluster(user),
            objects,
            traffic,
        }
    }

    /// To take changes back, for this user, as the API server names them. `journal` has all Changes, and the
    /// Migration and Proposals that say who has to agree, and says so in its kinds.
    pub fn new(cluster: Arc<dyn Cluster>, clock: Arc<dyn Clock>, user: &Name, mut journal: Objects) -> Self {
        // What a change is about is read anew before each step.
        journal
            .kinds
            .extend(plan::KINDS.map(|kind| (kind, KindState::Known)));
        Self::seeing(cluster, clock, user, journal, None)
    }

    /// Plans a change, and asks the API server what it would say to both writes. Writes nothing.
    ///
    /// # Errors
    /// `Refused` by the state of things; `Forbidden` if the objects may not be read; `Unreachable`, `Conflict`.
    pub async fn plan(&self, intent: &Intent) -> Result<Planned, ApplyError> {
        let desk = self.desk();
        let (plan, live, tried) = desk.tried(self.by(), intent).await?;
        let quorum = desk.asks(self.by(), &plan, &live)?;
        let mut planned = self.planned(&desk, plan, tried).await;
        // What is taken back by hand is not proposed by hand: there a second person has to have come first.
        if let (
            Intent::Undo { .. },
            Some(Quorum {
                above,
                proposed: None,
            }),
            None,
        ) = (intent, &quorum, &planned.against)
        {
            let refused = Refused::Quorum { above: *above };
            planned.against = Some(ApplyError::Refused { refused });
        }
        planned.sheet.quorum = quorum;
        Ok(planned)
    }

    /// Plans weights for somebody else to set, also where a repository owns the object. Nobody is asked what they would say to it.
    ///
    /// # Errors
    /// As [`plan`](Self::plan), but for an owner that takes files.
    pub async fn hand_over(&self, wish: &SetWeights) -> Result<Plan, ApplyError> {
        let (plan, _) = self.desk().hand_over(wish).await?;
        Ok(plan)
    }

    /// Carries a change out, if the plan made anew is still the one with this digest: three guarded writes, as [the desk](super) does them.
    ///
    /// # Errors
    /// Those of [`plan`](Self::plan), and `Unsure` if the answer was lost and it may have landed.
    pub async fn carry_out(&self, intent: &Intent, digest: &str, reason: &str) -> Result<Done, ApplyError> {
        self.desk().apply(self.by(), intent, digest, reason).await
    }

    /// Leaves a change for a second person, and says what the proposal is called.
    ///
    /// # Errors
    /// Those of [`carry_out`](Self::carry_out), and `Refused` where one person is enough.
    pub async fn propose(&self, intent: &Intent, digest: &str, reason: &str) -> Result<Name, ApplyError> {
        self.desk().propose(self.by(), intent, digest, reason).await
    }

    /// Which changes a rollback to before this one takes back, the newest first.
    ///
    /// # Errors
    /// As [`rollback::order`] refuses; `Forbidden`, `Unreachable` if the objects may not or cannot be read.
    pub async fn order(&self, change: &Key) -> Result<Vec<Key>, ApplyError> {
        let (snapshot, _) = self.desk().seen(change).await?;
        let journal = records(&snapshot.objects.value);
        let order = rollback::order(&journal, change).map_err(|refused| ApplyError::Refused { refused })?;
        Ok(order.into_iter().map(|record| record.key.clone()).collect())
    }

    /// Plans a rollback in this order, each step on what the steps before leave, up to the first that is refused. The API server tries each
    /// out together with all before it. Writes nothing.
    ///
    /// # Errors
    /// `Forbidden`, `Unreachable` if the objects may not or cannot be read; `Conflict` if others kept changing the object.
    pub async fn plan_all(&self, order: &[Key]) -> Result<PlannedAll, ApplyError> {
        let mut all = PlannedAll::default();
        let Some(newest) = order.first() else {
            return Ok(all);
        };
        let desk = self.desk();
        let (snapshot, live) = desk.seen(newest).await?;
        let steps = rollback::plan_all(order, &snapshot);
        let mut before = Patch::default();
        let mut state = live.clone();
        for plan in steps.plans {
            // Half a rollback is worse than none.
            if let Some(Quorum {
                above,
                proposed: None,
            }) = desk.asks(self.by(), &plan, &state)?
            {
                all.refused = Some(Refused::Quorum { above });
                return Ok(all);
            }
            state = plan
                .on(&state)
                .map_err(|refused| ApplyError::Refused { refused })?;
            before.0.extend(plan.ops.0.iter().cloned());
            let whole = Plan {
                ops: before.clone(),
                ..plan.clone()
            };
            let tried = match desk.dry_run(self.by(), &whole, &live).await {
                Tried::Answered(dry_run) => Ok(dry_run),
                Tried::Forbidden(detail) => Err(detail),
                Tried::Moved => return Err(ApplyError::Conflict { by: None }),
            };
            all.planned.push(self.planned(&desk, plan, tried).await);
        }
        (all.refused, all.apart) = (steps.refused, steps.apart);
        Ok(all)
    }

    /// After somebody else's edit: the paths that the change touched, each as it was left and as it stands.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub async fn apart(&self, change: &Key) -> Result<Vec<Apart>, ApplyError> {
        let (snapshot, _) = self.desk().seen(change).await?;
        Ok(apart(change, &snapshot.objects.value))
    }

    async fn planned(&self, desk: &Desk<'_>, plan: Plan, tried: Result<DryRun, Name>) -> Planned {
        let against = match &tried {
            Err(detail) => Some(ApplyError::Forbidden {
                detail: detail.clone(),
            }),
            Ok(DryRun::Refused { detail }) => Some(ApplyError::Invalid {
                detail: detail.clone(),
            }),
            Ok(DryRun::Unknown { why }) => Some(ApplyError::Unreachable { detail: detail(why) }),
            Ok(DryRun::Accepted | DryRun::Differs { .. }) => self.entry_refused(desk, &plan).await,
        };
        let dry_run = tried.unwrap_or_else(|detail| DryRun::Refused { detail });
        Planned {
            sheet: sheet(plan, dry_run),
            against,
        }
    }

    /// Why the journal would not take the entry.
    async fn entry_refused(&self, desk: &Desk<'_>, plan: &Plan) -> Option<ApplyError> {
        let record = desk.record(plan, &self.actor, NO_REASON);
        let no_journal = |detail: String| ApplyError::NoJournal {
            detail: detail.into(),
        };
        let object = match record.object() {
            Ok(object) => object,
            Err(error) => return Some(no_journal(error.to_string())),
        };
        let (write, manager) = (Write::Create(object), record.manager());
        match self
            .cluster
            .submit(self.by().writes(), &write, true, &manager)
            .await
        {
            Ok(_) => None,
            Err(ClusterError::Forbidden(detail)) => Some(ApplyError::Forbidden { detail }),
            Err(ClusterError::Invalid(detail)) => Some(ApplyError::Invalid { detail }),
            Err(error) => Some(no_journal(error.to_string())),
        }
    }

    fn by(&self) -> By<'_> {
        By::Oneself(&self.actor)
    }

    fn desk(&self) -> Desk<'_> {
        let now = self.clock.now();
        let objects = Section::seen(self.objects.clone(), now);
        Desk {
            cluster: &*self.cluster,
            clock: &*self.clock,
            snapshot: Arc::new(Snapshot::once(objects, self.traffic.clone(), now)),
            read_only: false,
            deadline: now + GRACE / 2,
        }
    }
}

/// Of a source that gave no answer.
fn detail(why: &Why) -> Name {
    match why {
        Why::Unreachable { detail, .. } => detail.clone(),
        Why::TimedOut { after_ms, .. } => format!("429, {after_ms} ms").into(),
        _ => "".into(),
    }
}

/// The wish to take one change back.
pub fn taking_back(change: &Key) -> Intent {
    Intent::Undo {
        namespace: change.namespace.clone(),
        change: change.name.clone(),
    }
}

/// Reads how changes ended whose end nobody has written down off the objects that they are about. What may not or cannot be read stays open.
pub async fn read_off(cluster: &dyn Cluster, clock: &dyn Clock, journal: &mut Objects) {
    let open = |record: &Record| record.phase == Phase::Intended;
    let targets: BTreeSet<Key> = records(journal)
        .into_iter()
        .filter(open)
        .map(|record| record.target)
        .collect();
    for target in targets {
        if let Ok(live) = cluster.get(&target).await {
            ended::settle(journal, &live, clock.now());
        }
    }
}
