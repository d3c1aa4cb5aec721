//! The three writes of a change, and what each failure means.

use super::{By, Desk, Done};
use jiff::SignedDuration;
use naru_domain::{
    Why,
    change::{
        record::{Phase, Record},
        recovery::{Landed, landed},
    },
    object::{Object, Write},
};
use naru_ports::ClusterError;
use naru_view::{canary::Applied, why::ApplyError};

/// How often a write whose answer was lost is looked after and sent again. Sending again is safe: it is the same guarded write.
const TRIES: u32 = 4;

/// The wait before each further try: a dropped connection comes back at once, a restarting API server in seconds.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// The longest that the API server may ask us to wait before we give up.
const PATIENCE: SignedDuration = SignedDuration::from_secs(5);

/// How the guarded patch ended.
enum Patched {
    Landed(Object),
    /// It has not landed, and will not.
    Not(ApplyError, Why),
    /// Nobody knows yet; recovery will.
    Unsure(naru_domain::Name),
}

impl Desk<'_> {
    /// Writes the journal, then the patch, then the journal. `Conflict` means that nothing was changed and one may plan anew.
    pub(super) async fn carry_out(&self, who: By<'_>, record: &Record) -> Result<Done, ApplyError> {
        let entry = self.enter(who, record).await?;
        if self.late() {
            // A server that slept until here must not go on: recovery may have looked at the entry already.
            let why = Why::Interrupted;
            self.settle(who, &entry, &Phase::NotCarriedOut { why }).await;
            return Err(ApplyError::Conflict { by: None });
        }
        match self.patch(who, record).await {
            Patched::Landed(object) => {
                let at = self.clock.now();
                let rv = object.resource_version();
                let noted = self.settle(who, &entry, &Phase::Landed { at, rv }).await;
                let applied = Applied {
                    change: record.key.name.clone(),
                    namespace: record.key.namespace.clone(),
                    at: at.as_millisecond(),
                };
                Ok(Done { applied, noted })
            }
            Patched::Not(error, why) => {
                self.settle(who, &entry, &Phase::NotCarriedOut { why }).await;
                Err(error)
            }
            Patched::Unsure(detail) => Err(ApplyError::Unsure {
                change: record.key.name.clone(),
                detail,
            }),
        }
    }

    /// Creates the entry. Without it nothing else is written.
    async fn enter(&self, who: By<'_>, record: &Record) -> Result<Record, ApplyError> {
        let no_journal = |detail: String| ApplyError::NoJournal {
            detail: detail.into(),
        };
        let object = record.object().map_err(|error| no_journal(error.to_string()))?;
        let ours = object.clone();
        let write = Write::Create(object);
        let created = self
            .cluster
            .submit(who.writes(), &write, false, &record.manager())
            .await;
        let stored = match created {
            Ok(submitted) => submitted.object,
            // Our own entry, if it is there as we wrote it: a controller's other replica may have entered the same name.
            Err(ClusterError::Unsure(detail)) => match self.cluster.get(&record.key).await {
                Ok(there) if there.get("/spec") == ours.get("/spec") => Some(there),
                _ => return Err(no_journal(detail.to_string())),
            },
            Err(ClusterError::Forbidden(detail)) => return Err(ApplyError::Forbidden { detail }),
            Err(error) => return Err(no_journal(error.to_string())),
        };
        let entry = stored.as_ref().and_then(Record::read);
        entry.ok_or_else(|| no_journal("the entry that was stored cannot be read back".to_owned()))
    }

    async fn patch(&self, who: By<'_>, record: &Record) -> Patched {
        let mut lost = None;
        for _ in 0..TRIES {
            if lost.is_some() && self.late() {
                break;
            }
            let answer = self
                .cluster
                .submit(who.writes(), &record.write(), false, &record.manager())
                .await;
            let error = match answer {
                Ok(submitted) => match submitted.object {
                    Some(object) => return Patched::Landed(object),
                    None => ClusterError::Unsure("the answer had no object".into()),
                },
                Err(error) => error,
            };
            match error {
                ClusterError::Throttled(wait) if wait <= PATIENCE.unsigned_abs() => {
                    let wait = SignedDuration::try_from(wait).unwrap_or(PATIENCE);
                    self.clock.sleep_until(self.clock.now() + wait).await;
                }
                ClusterError::Unsure(detail) => {
                    lost = Some(detail);
                    self.clock.sleep_until(self.clock.now() + PAUSE).await;
                }
                ClusterError::Unreachable(detail) if lost.is_some() => {
                    lost = Some(detail);
                    self.clock.sleep_until(self.clock.now() + PAUSE).await;
                }
                // The conflict may be with our own earlier try, whose answer was lost.
                ClusterError::Conflict => return self.after_conflict(record, lost.is_some()).await,
                certain => return not(certain),
            }
        }
        lost.map_or_else(
            || not(ClusterError::Throttled(PATIENCE.unsigned_abs())),
            Patched::Unsure,
        )
    }

    async fn after_conflict(&self, record: &Record, tried_before: bool) -> Patched {
        if !tried_before {
            return not(ClusterError::Conflict);
        }
        match self.cluster.get(&record.target).await {
            Ok(live) if landed(record, Some(&live)) == Landed::After => Patched::Landed(live),
            Ok(_) => not(ClusterError::Conflict),
            Err(error) => Patched::Unsure(error.to_string().into()),
        }
    }

    /// Writes down how it ended, and says whether that is written now. Failing that is no error for the person: recovery reads it off the
    /// object.
    async fn settle(&self, who: By<'_>, entry: &Record, phase: &Phase) -> bool {
        let written = self
            .cluster
            .submit(who.notes(), &entry.settle(phase), false, "naru")
            .await;
        if let Err(error) = &written {
            tracing::warn!(change = %entry.key.name, %error, "the journal entry's end is left to recovery");
        }
        written.is_ok()
    }
}

/// It has certainly not landed.
fn not(error: ClusterError) -> Patched {
    let said = |detail: String| Why::Rejected {
        detail: detail.into(),
    };
    match error {
        ClusterError::Conflict => Patched::Not(ApplyError::Conflict { by: None }, Why::ChangedMeanwhile),
        ClusterError::Forbidden(detail) => Patched::Not(
            ApplyError::Forbidden {
                detail: detail.clone(),
            },
            Why::Rejected { detail },
        ),
        ClusterError::Invalid(detail) => Patched::Not(
            ApplyError::Invalid {
                detail: detail.clone(),
            },
            Why::Rejected { detail },
        ),
        other => {
            let detail = other.to_string();
            Patched::Not(
                ApplyError::Unreachable {
                    detail: detail.clone().into(),
                },
                said(detail),
            )
        }
    }
}
