//! One Canary's turn: see, decide, write down, do.

use super::{
    Controller, Order, Turned,
    doing::{Undone, moved},
};
use json_patch::{AddOperation, Patch, PatchOperation, jsonptr::PointerBuf};
use naru_domain::{
    Name,
    canary::{
        running,
        spec::Spec,
        status::Status,
        steps::{Decision, Effect, Observation, step},
    },
    change::plan::Plan,
    judge::guardrail::Said,
    object::{Key, Object, Write},
    snapshot::Snapshot,
};
use naru_ports::{As, ClusterError};
use naru_view::canary::{RouteRef, RuleList};
use std::sync::Arc;

/// A turn goes on as long as it moves something: written down, moved, found moved. More than that is for the next turn.
const STEPS: u32 = 4;

/// Whom writes are ascribed to.
pub(super) const CANARY: As<'static> = As::Controller("canary");

impl Controller {
    pub(super) async fn turn(&self, snapshot: &Arc<Snapshot>, key: &Key) -> Turned {
        // Not from the watch, which may lag: a status that is older than the last one would have us move twice.
        let object = match self.cluster.get(key).await {
            Ok(object) => object,
            Err(ClusterError::NotFound) => return Turned::Wake(None),
            Err(error) => {
                tracing::warn!(canary = %key, %error, "a Canary cannot be read now");
                return Turned::Nothing;
            }
        };
        let Ok(status) = Status::read(&object) else {
            tracing::error!(canary = %key, "a Canary's status is none; nothing is done about it");
            return Turned::Wake(None);
        };
        let said = match Spec::read(&object) {
            Ok(spec) => match self.other(&object, &spec, snapshot) {
                None => {
                    let snapshot = Arc::clone(snapshot);
                    let order = Order {
                        object,
                        spec,
                        status,
                        snapshot,
                        refused: None,
                    };
                    return self.steps(order).await;
                }
                Some(name) => Said::new("two-canaries", [("name", name.to_string())]),
            },
            Err(unreadable) => Said::new("unreadable", [("detail", unreadable.detail.to_string())]),
        };
        self.keep_still(&object, status, said).await
    }

    /// Another Canary that moves the same rule: of two, the younger one keeps still.
    fn other(&self, canary: &Object, spec: &Spec, snapshot: &Snapshot) -> Option<Name> {
        let key = canary.key();
        let route = RouteRef {
            namespace: key.namespace.clone(),
            name: spec.route.name.clone(),
            list: RuleList::Http,
            rule: spec.route.rule,
        };
        running(&snapshot.objects.value, &route).filter(|it| *it != key.name)
    }

    /// Nothing is moved for it, and that is said.
    async fn keep_still(&self, object: &Object, status: Status, said: Said) -> Turned {
        if status.over() {
            return Turned::Wake(None);
        }
        let still = Status {
            alarm: Some(said.clone()),
            why: vec![said],
            ..status.clone()
        };
        if still != status && self.write(object, &still).await.is_none() {
            return Turned::Nothing;
        }
        Turned::Wake(Some(self.clock.now() + super::SLOWEST))
    }

    async fn steps(&self, mut order: Order) -> Turned {
        let mut turned = Turned::Wake(None);
        // Somebody else wrote the object between the plan and the patch. Once in a turn that is looked at again at once: what was meant is given
        // up, and decided anew.
        let (mut conflicts, mut anew) = (0, false);
        for _ in 0..STEPS {
            if order.status.over() {
                return Turned::Wake(None);
            }
            let (decision, plan) = self.decide(&order).await;
            if order.refused.is_none() {
                turned = Turned::Wake(decision.wake_at);
            }
            if decision.status != order.status {
                let Some(object) = self.write(&order.object, &decision.status).await else {
                    return Turned::Nothing;
                };
                order.object = object;
                order.status = decision.status;
            }
            match (decision.effect, plan) {
                (
                    Some(Effect::Move {
                        change,
                        from,
                        to,
                        pods,
                    }),
                    Some(plan),
                ) if order.refused.is_none() => {
                    // Much may have been asked since it was looked: who has frozen everything meanwhile is heard. It stays meant, and not begun.
                    if self.frozen().await.is_some() {
                        return turned;
                    }
                    if let Some(pods) = pods {
                        self.scale(&order, pods).await;
                    }
                    tracing::info!(canary = %order.object.key(), %change, from = from.canary, to = to.canary, "weights are moved");
                    match self.carry_out(&order, &plan, change).await {
                        Ok(()) => {}
                        // What was certainly not done is given up at once, so that it goes on to be judged.
                        Err(Undone::Refused(said)) => {
                            turned = Turned::Nothing;
                            order.refused = Some(said);
                        }
                        Err(Undone::Moved) if conflicts == 0 => (conflicts, anew) = (1, true),
                        Err(Undone::Moved | Undone::Unknown) => return Turned::Nothing,
                    }
                }
                (Some(Effect::Alarm(_)), _) if std::mem::take(&mut anew) => {}
                (Some(Effect::Scale { to }), _) => {
                    self.scale(&order, to).await;
                    return turned;
                }
                (Some(Effect::Alarm(said)), _) => {
                    tracing::warn!(canary = %order.object.key(), alarm = ?said, "a canary wants a person");
                    return turned;
                }
                // The journal does not say yet that what was meant was not done.
                _ if anew => return Turned::Nothing,
                _ => return turned,
            }
        }
        turned
    }

    /// Decides; a move is planned before it is decided on for good, so that what will be refused is never written down as meant. A route that
    /// became another meanwhile is looked at once more.
    async fn decide(&self, order: &Order) -> (Decision, Option<Plan>) {
        let ask = |seen: &Observation| step(&order.spec, &order.status, seen, self.clock.now());
        let mut again = true;
        loop {
            let mut seen = self.observe(order).await;
            let decision = ask(&seen);
            let Some(Effect::Move { from, to, .. }) = &decision.effect else {
                return (decision, None);
            };
            let said = match self.plan(order, *from, *to).await {
                Ok(plan) => return (decision, Some(plan)),
                Err(Undone::Moved) if std::mem::take(&mut again) => continue,
                Err(Undone::Refused(said)) => said,
                Err(Undone::Moved | Undone::Unknown) => moved(),
            };
            seen.refused = Some(said);
            return (ask(&seen), None);
        }
    }

    /// Writes a status on the Canary as it was read. None: somebody else's turn came between, or it cannot be written now.
    async fn write(&self, object: &Object, status: &Status) -> Option<Object> {
        let value = serde_json::to_value(status).ok()?;
        let path = PointerBuf::from_tokens(["status"]);
        let write = Write::PatchStatus {
            key: object.key().clone(),
            rv: object.resource_version(),
            ops: Patch(vec![PatchOperation::Add(AddOperation { path, value })]),
        };
        match self.cluster.submit(CANARY, &write, false, "naru").await {
            Ok(done) => done.object,
            Err(ClusterError::Conflict) => None,
            Err(error) => {
                tracing::warn!(canary = %object.key(), %error, "a Canary's status cannot be written now");
                None
            }
        }
    }
}
