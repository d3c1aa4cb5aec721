//! Finds out how interrupted changes ended: `domain::change::recovery` decides, this carries out.

use crate::{Setup, lease::Leadership, observatory::Board};
use jiff::SignedDuration;
use naru_domain::{
    Why,
    change::{
        record::{Phase, Record, records},
        recovery::{Next, step},
    },
    object::Write,
};
use naru_ports::{As, Clock, Cluster, ClusterError};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// How often the journal is looked through.
const EVERY: SignedDuration = SignedDuration::from_secs(5);

/// More steps than a change ever needs (fence, unfence, settle); the rest waits for the next round.
const STEPS: u32 = 6;

/// Starts the loop.
pub(crate) fn spawn(setup: &Setup, board: &Board, tasks: &mut JoinSet<()>) {
    let (recovery, board) = (Recovery::new(setup), board.clone());
    tasks.spawn(async move {
        loop {
            recovery.round(&board).await;
            let next = recovery.clock.now() + EVERY;
            recovery.clock.sleep_until(next).await;
        }
    });
}

pub(crate) struct Recovery {
    cluster: Arc<dyn Cluster>,
    clock: Arc<dyn Clock>,
    leadership: Leadership,
    grace: Duration,
}

impl Recovery {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            cluster: Arc::clone(&setup.cluster),
            clock: Arc::clone(&setup.clock),
            leadership: Leadership::new(setup),
            grace: setup.settings.grace,
        }
    }

    /// Looks once through the journal as the snapshot has it: the newest first, since how a later change ended tells about earlier ones.
    pub(crate) async fn round(&self, board: &Board) {
        let snapshot = Arc::clone(&board.latest().snapshot);
        let mut journal = records(&snapshot.objects.value);
        journal.sort_by_key(|record| std::cmp::Reverse(record.approved_at));
        let open = |record: &Record| record.phase == Phase::Intended;
        if !journal.iter().any(open) || !self.leadership.held().await {
            return;
        }
        for i in 0..journal.len() {
            if open(&journal[i])
                && let Some(phase) = self.recover(&journal[i], &journal).await
            {
                journal[i].phase = phase;
            }
        }
    }

    /// Brings one change to its end, as far as that is possible now, and says which.
    async fn recover(&self, record: &Record, journal: &[Record]) -> Option<Phase> {
        // The watch may lag: only the entry itself says whether it is still open.
        let record = Record::read(&self.cluster.get(&record.key).await.ok()?)?;
        if record.phase != Phase::Intended {
            return Some(record.phase);
        }
        let grace = SignedDuration::try_from(self.grace).unwrap_or(SignedDuration::MAX);
        for _ in 0..STEPS {
            let live = match self.cluster.get(&record.target).await {
                Ok(live) => Some(live),
                Err(ClusterError::NotFound) => None,
                Err(_) => return None,
            };
            match step(&record, journal, live.as_ref(), self.clock.now(), grace) {
                Next::Wait(_) => return None,
                Next::Settle(phase) => return self.settle(&record, phase).await,
                Next::Fence(write) | Next::Unfence(write) => {
                    if let Some(phase) = self.fence(&record, &write).await {
                        return self.settle(&record, phase).await;
                    }
                }
            }
        }
        None
    }

    /// Moves the target's resourceVersion on, so that the guarded write of a server that sleeps can land no more. Without the right to,
    /// a person must look.
    async fn fence(&self, record: &Record, write: &Write) -> Option<Phase> {
        let manager = format!("{}-fence", record.manager());
        match self
            .cluster
            .submit(As::Controller("recovery"), write, false, &manager)
            .await
        {
            Err(ClusterError::Forbidden(detail) | ClusterError::Invalid(detail)) => Some(Phase::Stopped {
                why: Why::Rejected { detail },
            }),
            // Conflict: somebody else moved it, which is as good. Anything else: look again.
            Ok(_) | Err(_) => None,
        }
    }

    async fn settle(&self, record: &Record, phase: Phase) -> Option<Phase> {
        let write = record.settle(&phase);
        match self
            .cluster
            .submit(As::Controller("recovery"), &write, false, "naru")
            .await
        {
            Ok(_) => {
                tracing::info!(change = %record.key.name, ?phase, "an interrupted change was brought to its end");
                Some(phase)
            }
            Err(error) => {
                tracing::warn!(change = %record.key.name, %error, "the journal cannot be written now");
                None
            }
        }
    }
}
