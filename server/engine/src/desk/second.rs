//! Two people for one plan: what is left for a second one, and whether there has been a first.

use super::{By, Desk};
use naru_domain::{
    Name, Refused, Why,
    change::{
        plan::{Intent, Plan},
        quorum::{self, Proposal},
    },
    object::{Kind, Object, Write},
};
use naru_ports::ClusterError;
use naru_view::{canary::Quorum, why::ApplyError};

/// The field manager of what one person leaves for another.
const MANAGER: &str = "naru-propose";

impl Desk<'_> {
    /// Leaves what was confirmed for a second person, and says what it is called.
    pub(crate) async fn propose(
        &self,
        who: By<'_>,
        intent: &Intent,
        digest: &str,
        reason: &str,
    ) -> Result<Name, ApplyError> {
        let reason = self.may_write(reason)?;
        let (plan, live) = self.confirmed(intent, digest).await?;
        if self.asks(who, &plan, &live)?.is_none() {
            let refused = Refused::OneIsEnough;
            return Err(ApplyError::Refused { refused });
        }
        let proposal = Proposal::of(&plan, who.actor().clone(), reason.into(), self.clock.now());
        let object = proposal.object().map_err(|error| ApplyError::Invalid {
            detail: error.to_string().into(),
        })?;
        let name = object.key().name.clone();
        let write = Write::Create(object);
        match self.cluster.submit(who.writes(), &write, false, MANAGER).await {
            Ok(_) => Ok(name),
            Err(ClusterError::Forbidden(detail)) => Err(ApplyError::Forbidden { detail }),
            Err(ClusterError::Invalid(detail)) => Err(ApplyError::Invalid { detail }),
            Err(ClusterError::Unsure(detail)) => Err(ApplyError::Lost { detail }),
            // The definitions are older than this Naru.
            Err(ClusterError::NotFound) => {
                let kind = Kind::Proposal.name().into();
                let whys = vec![Why::KindAbsent { kind }];
                Err(ApplyError::Refused {
                    refused: Refused::Unknown { whys },
                })
            }
            Err(error) => Err(ApplyError::Unreachable {
                detail: error.to_string().into(),
            }),
        }
    }

    /// Whether a plan wants a second person, and whether there has been a first.
    pub(super) fn asks(&self, who: By<'_>, plan: &Plan, live: &Object) -> Result<Option<Quorum>, ApplyError> {
        let objects = &*self.snapshot.objects.value;
        let above = quorum::wanted(objects, live, plan).map_err(|why| ApplyError::Refused {
            refused: Refused::Unknown { whys: vec![why] },
        })?;
        let Some(above) = above else {
            return Ok(None);
        };
        let waiting = quorum::waiting(objects, self.clock.now());
        let first = quorum::by_another(&waiting, plan, who.actor());
        Ok(Some(Quorum {
            above,
            proposed: first.map(|it| it.proposed()),
        }))
    }

    /// Nothing more, or a second person who has proposed it.
    pub(super) fn second(&self, who: By<'_>, plan: &Plan, live: &Object) -> Result<(), ApplyError> {
        match self.asks(who, plan, live)? {
            Some(Quorum {
                above,
                proposed: None,
            }) => Err(ApplyError::Refused {
                refused: Refused::Quorum { above },
            }),
            _ => Ok(()),
        }
    }
}
