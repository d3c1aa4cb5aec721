//! Brings an exported file back into a cluster, as whoever runs the command.

use naru_domain::{
    crossing::import::{Landed, Step},
    object::{Key, Object, Write},
};
use naru_ports::{As, Clock, Cluster, ClusterError};
use std::time::Duration;

/// The field manager of what is brought in.
const MANAGER: &str = "naru-import";

/// So many failures of one object's writes are borne: its answer was lost, or it was asked to wait. Trying again is safe: what has landed is seen.
const TRIES: u32 = 5;

/// The longest wait before the next try.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much was brought in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    /// Objects that are there now and were not, or not whole; in a dry run, that could be.
    pub written: u32,
    /// Objects that were there already.
    pub there: u32,
}

/// Why the import ended before its end. What had arrived stays, and is passed over by the next try.
#[derive(Clone, Debug, PartialEq)]
pub struct Stopped {
    /// The object that it ended at.
    pub at: Key,
    /// Why.
    pub why: StoppedBy,
}

/// What ended an import.
#[derive(Clone, Debug, PartialEq)]
pub enum StoppedBy {
    /// Something else is there under this name: the cluster has signatures of its own, or of another file.
    Other,
    /// The API server said no, or nothing.
    Answer(ClusterError),
}

/// Writes what is not there yet, in order. Before anything is written it is seen whether something else stands in the way.
///
/// # Errors
/// See [`Stopped`].
pub async fn import(
    cluster: &dyn Cluster,
    clock: &dyn Clock,
    user: &str,
    steps: &[Step],
    dry_run: bool,
) -> Result<Arrived, Stopped> {
    let importing = Importing { cluster, clock, user };
    let mut left = Vec::new();
    let mut arrived = Arrived::default();
    for step in steps {
        let live = importing.live(step.key()).await;
        let live = live.map_err(|it| stopped(step, StoppedBy::Answer(it)))?;
        match step.landed(live.as_ref()) {
            Landed::Other => return Err(stopped(step, StoppedBy::Other)),
            Landed::Whole => arrived.there += 1,
            Landed::Not | Landed::Half => left.push((step, live.is_some())),
        }
    }
    for (step, created) in left {
        if dry_run {
            if !created {
                let tried = importing.submit(&step.create(), true).await;
                tried.map_err(|it| stopped(step, StoppedBy::Answer(it)))?;
            }
        } else {
            importing.bring(step).await?;
        }
        arrived.written += 1;
    }
    Ok(arrived)
}

struct Importing<'a> {
    cluster: &'a dyn Cluster,
    clock: &'a dyn Clock,
    user: &'a str,
}

impl Importing<'_> {
    /// Both writes of one object, each looked after if its answer is lost.
    async fn bring(&self, step: &Step) -> Result<(), Stopped> {
        let answer = |it| stopped(step, StoppedBy::Answer(it));
        let mut last = ClusterError::Conflict;
        let mut failures = 0;
        while failures < TRIES {
            let live = self.live(step.key()).await.map_err(answer)?;
            let write = match (step.landed(live.as_ref()), &live) {
                (Landed::Whole, _) => return Ok(()),
                (Landed::Other, _) => return Err(stopped(step, StoppedBy::Other)),
                (Landed::Half, Some(live)) => step.finish(live),
                (Landed::Not | Landed::Half, _) => Some(step.create()),
            };
            let Some(write) = write else {
                return Ok(());
            };
            match self.submit(&write, false).await {
                // Its second write is the next turn's.
                Ok(()) => continue,
                Err(error @ (ClusterError::Unsure(_) | ClusterError::Throttled(_))) => {
                    let wait = match error {
                        ClusterError::Throttled(wait) => wait.min(PATIENCE),
                        _ => Duration::from_secs(1),
                    };
                    last = error;
                    let until = self.clock.now() + wait;
                    self.clock.sleep_until(until).await;
                }
                Err(error @ (ClusterError::Conflict | ClusterError::Exists)) => last = error,
                Err(error) => return Err(answer(error)),
            }
            failures += 1;
        }
        Err(answer(last))
    }

    async fn submit(&self, write: &Write, dry_run: bool) -> Result<(), ClusterError> {
        let who = As::Oneself(self.user);
        self.cluster.submit(who, write, dry_run, MANAGER).await.map(drop)
    }

    async fn live(&self, key: &Key) -> Result<Option<Object>, ClusterError> {
        match self.cluster.get(key).await {
            Ok(object) => Ok(Some(object)),
            Err(ClusterError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn stopped(step: &Step, why: StoppedBy) -> Stopped {
    let at = step.key().clone();
    Stopped { at, why }
}
