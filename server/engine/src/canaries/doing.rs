//! What a turn comes to: weights and pods.

use super::{Controller, Order, turn::CANARY};
use crate::desk::{By, Desk};
use naru_domain::{
    Name,
    actor::{Actor, NARU},
    canary::{
        deployment,
        live::{target, wish},
        status::Weights,
        steps::Live,
    },
    change::plan::{Intent, Plan},
    judge::guardrail::Said,
    object::Write,
};
use naru_view::why::{ApplyError, Refused};
use std::sync::Arc;

/// Why weights were not moved.
pub(super) enum Undone {
    /// The route is another than it was looked at, and nothing was written to it: it may be looked at again at once.
    Moved,
    /// What stands against it. It certainly was not begun.
    Refused(Said),
    /// It ended otherwise, or nobody knows yet; the journal will tell.
    Unknown,
}

impl Controller {
    /// Plans these weights on the route as it is now, and lets the API server try them.
    pub(super) async fn plan(&self, order: &Order, from: Weights, to: Weights) -> Result<Plan, Undone> {
        let naru = Actor::of_cluster(&NARU.into());
        let objects = &*order.snapshot.objects.value;
        let key = target(&order.spec, &order.object.key().namespace);
        let gone = || Undone::Refused(Said::new("route-unknown", []));
        let object = self.cluster.get(&key).await.map_err(|_| gone())?;
        let is = naru_domain::canary::live::live(&order.spec, &object, objects);
        if !matches!(is, Live::Known { weights, .. } if weights == from) {
            return Err(Undone::Moved);
        }
        let wish = wish(&order.spec, &object, to).ok_or_else(gone)?;
        let planned = self
            .desk(order)
            .plan_alone(By::Controller("canary", &naru), &Intent::SetWeights(wish))
            .await;
        planned.map_err(|error| match error {
            ApplyError::Conflict { .. } => Undone::Moved,
            error => Undone::Refused(refused(&error)),
        })
    }

    /// Carries a planned move out.
    pub(super) async fn carry_out(&self, order: &Order, plan: &Plan, change: Name) -> Result<(), Undone> {
        let naru = Actor::of_cluster(&NARU.into());
        let reason = order.spec.reason(&order.object.key().name);
        let who = By::Controller("canary", &naru);
        match self.desk(order).carry_out_alone(who, plan, change, &reason).await {
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::warn!(canary = %order.object.key(), ?error, "weights were not moved, or it is not known yet");
                Err(match &error {
                    ApplyError::Conflict { .. } => Undone::Moved,
                    ApplyError::Forbidden { .. } | ApplyError::Invalid { .. } => {
                        Undone::Refused(refused(&error))
                    }
                    _ => Undone::Unknown,
                })
            }
        }
    }

    fn desk(&self, order: &Order) -> Desk<'_> {
        Desk {
            cluster: &*self.cluster,
            clock: &*self.clock,
            snapshot: Arc::clone(&order.snapshot),
            read_only: false,
            deadline: self.clock.now() + self.grace / 2,
        }
    }

    /// Gives the stable version so many pods. Where it is no single Deployment, people must: the alarm says so already.
    pub(super) async fn scale(&self, order: &Order, to: u32) {
        let objects = &*order.snapshot.objects.value;
        let namespace = &order.object.key().namespace;
        let Some(key) = deployment(objects, &order.spec.stable, namespace) else {
            tracing::warn!(canary = %order.object.key(), "the stable version is no single Deployment, and is not scaled");
            return;
        };
        let Some(from) = objects.deployments.get(&key).map(|it| it.replicas) else {
            return;
        };
        let write = Write::Scale { key, from, to };
        match self.cluster.submit(CANARY, &write, false, "naru").await {
            Ok(_) => tracing::info!(canary = %order.object.key(), from, to, "the stable version is scaled"),
            Err(error) => {
                tracing::warn!(canary = %order.object.key(), %error, "the stable version cannot be scaled")
            }
        }
    }
}

/// What stands against a move, as the status keeps it: the API server's own words, or what Naru itself refuses, whole, so that each reader is
/// told in their language.
fn refused(error: &ApplyError) -> Said {
    let detail = match error {
        ApplyError::Refused { refused } => serde_json::to_string(refused).unwrap_or_default(),
        ApplyError::Conflict { .. } => return moved(),
        ApplyError::Forbidden { detail }
        | ApplyError::Invalid { detail }
        | ApplyError::Unreachable { detail }
        | ApplyError::Lost { detail }
        | ApplyError::NoJournal { detail }
        | ApplyError::Unsure { detail, .. } => detail.to_string(),
        ApplyError::DigestChanged { .. } | ApplyError::ReadOnly => String::new(),
    };
    Said::new("refused", [("detail", detail)])
}

/// Somebody has moved the weights since they were looked at.
pub(super) fn moved() -> Said {
    let detail = "spec.http".into();
    refused(&ApplyError::Refused {
        refused: Refused::RouteChanged { detail },
    })
}
