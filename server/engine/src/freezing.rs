//! Everything is stopped, or goes on: one object is made or taken away, as whoever asks.

use naru_domain::{
    actor::Actor,
    freeze::{self, Freeze},
    object::{Kind, Object, Write},
};
use naru_ports::{As, Clock, Cluster, ClusterError};
use naru_view::why::{ApplyError, Refused, Why};

const MANAGER: &str = "naru";

/// Others may label the freeze between reading and lifting it.
const ATTEMPTS: u32 = 4;

/// One request's way to the freeze.
pub struct Freezing<'a> {
    /// Where it is written.
    pub cluster: &'a dyn Cluster,
    /// When.
    pub clock: &'a dyn Clock,
    /// By whom.
    pub actor: &'a Actor,
    /// How the API server is told by whom.
    pub who: As<'a>,
    /// It is only tried.
    pub dry_run: bool,
}

impl Freezing<'_> {
    /// Stops every controller of Naru. A controller that has sent a write already does not call it back: that one is the last.
    ///
    /// # Errors
    /// It is frozen already, the right is missing, or no usable answer came. Trying again does no harm.
    pub async fn freeze(&self, reason: &str) -> Result<Freeze, ApplyError> {
        let freeze = Freeze {
            actor: self.actor.clone(),
            reason: reason.into(),
            at: self.clock.now(),
        };
        let object = freeze.object().map_err(|error| ApplyError::Invalid {
            detail: error.to_string().into(),
        })?;
        let write = Write::Create(object);
        let written = self.cluster.submit(self.who, &write, self.dry_run, MANAGER);
        match written.await {
            Ok(_) => Ok(freeze),
            Err(ClusterError::Exists) => Err(already(&self.there().await?.1)),
            Err(ClusterError::Unsure(detail)) => match self.there().await {
                Ok((_, there)) if there == freeze => Ok(freeze),
                Ok((_, there)) => Err(already(&there)),
                Err(_) => Err(ApplyError::Lost { detail }),
            },
            Err(error) => Err(failed(error)),
        }
    }

    /// Lets them go on. The freeze that was lifted.
    ///
    /// # Errors
    /// Nothing is frozen, the right is missing, somebody else froze anew meanwhile, or no usable answer came.
    pub async fn lift(&self) -> Result<Freeze, ApplyError> {
        let (first, freeze) = self.there().await?;
        let mut rv = first.resource_version();
        for _ in 0..ATTEMPTS {
            let write = Write::Delete {
                key: freeze::key(),
                uid: first.uid(),
                rv,
            };
            match self.cluster.submit(self.who, &write, self.dry_run, MANAGER).await {
                // Who else lifted it meanwhile has done what was asked for.
                Ok(_) | Err(ClusterError::NotFound) => return Ok(freeze),
                Err(ClusterError::Unsure(detail)) => {
                    return match self.there().await {
                        Err(ApplyError::Refused { .. }) => Ok(freeze),
                        _ => Err(ApplyError::Lost { detail }),
                    };
                }
                Err(ClusterError::Conflict) => {}
                Err(error) => return Err(failed(error)),
            }
            // A label may have moved it; another freeze than the one that was seen is not lifted.
            let (now, _) = self.there().await?;
            if now.uid() != first.uid() {
                break;
            }
            rv = now.resource_version();
        }
        Err(ApplyError::Conflict { by: None })
    }

    /// The freeze as it stands now; one whose words cannot be read is nobody's.
    async fn there(&self) -> Result<(Object, Freeze), ApplyError> {
        let object = match self.cluster.get(&freeze::key()).await {
            Err(ClusterError::NotFound) => return Err(refused(Refused::NotFrozen)),
            answer => answer.map_err(failed)?,
        };
        let nobody = || Freeze {
            actor: Actor {
                issuer: "".into(),
                sub: "".into(),
                name: "".into(),
                groups: [].into(),
            },
            reason: "".into(),
            at: self.clock.now(),
        };
        let freeze = Freeze::read(&object).unwrap_or_else(|_| nobody());
        Ok((object, freeze))
    }
}

fn already(there: &Freeze) -> ApplyError {
    refused(Refused::Frozen {
        by: there.by().clone(),
        reason: there.reason.clone(),
    })
}

fn refused(refused: Refused) -> ApplyError {
    ApplyError::Refused { refused }
}

fn failed(error: ClusterError) -> ApplyError {
    match error {
        ClusterError::Forbidden(detail) => ApplyError::Forbidden { detail },
        ClusterError::Invalid(detail) => ApplyError::Invalid { detail },
        ClusterError::Conflict | ClusterError::Exists => ApplyError::Conflict { by: None },
        // Of a write: there is no such kind.
        ClusterError::NotFound => refused(Refused::Unknown {
            whys: vec![Why::KindAbsent {
                kind: Kind::Freeze.name().into(),
            }],
        }),
        other => ApplyError::Unreachable {
            detail: other.to_string().into(),
        },
    }
}
