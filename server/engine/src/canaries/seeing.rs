//! What a turn is decided by.

use super::{Controller, Order};
use jiff::SignedDuration;
use naru_domain::{
    Name,
    canary::{
        capacity, facts,
        live::{live, target},
        question,
        status::Phase,
        steps::{Capacity, Ended, Live, Observation},
    },
    change::record::{self, Record},
    freeze,
    judge::guardrail::{Counts, Judged, Said, Verdict, judge},
    object::{Digest, Key, Kind},
};
use naru_ports::ClusterError;
use serde_json::json;

/// Restarts and rollouts are looked for over so long, from the canary's first request on: what is over for longer explains nothing any more, and
/// holds nothing up.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

impl Controller {
    /// The route is read after the Canary: what the status says of it was true before.
    pub(super) async fn observe(&self, order: &Order) -> Observation {
        let key = target(&order.spec, &order.object.key().namespace);
        // In this order: a Change that landed meanwhile has its weights in a route that is read after it.
        let change = self.ended(order).await;
        let route = self.cluster.get(&key).await;
        let live = match route {
            Ok(route) => live(&order.spec, &route, &order.snapshot.objects.value),
            Err(_) => Live::Unknown,
        };
        let (judged, capacity) = self.judged(order).await;
        let frozen = self.frozen().await;
        Observation {
            live,
            change,
            next_change: self.name(order),
            frozen,
            refused: order.refused.clone(),
            judged,
            capacity,
        }
    }

    /// Time in hexadecimal sorts by age; the digest keeps apart what two Canaries, or one of them, do within a millisecond.
    fn name(&self, order: &Order) -> Name {
        let last = order.status.written.as_ref().map(|it| &it.change);
        let digest = Digest::of(&json!([order.object.key(), last]));
        let tail = digest.short().get(..6).unwrap_or_default();
        format!("canary-{:x}-{tail}", self.clock.now().as_millisecond()).into()
    }

    /// Not from the watch: who has frozen everything must not wait for it.
    pub(super) async fn frozen(&self) -> Option<Said> {
        match self.cluster.get(&freeze::key()).await {
            Ok(_) => Some(Said::new("frozen", [])),
            Err(ClusterError::NotFound) => None,
            Err(error) => Some(Said::new("freeze-unknown", [("detail", error.to_string())])),
        }
    }

    /// How the Change ended that was written down last; only asked for while that is not known.
    async fn ended(&self, order: &Order) -> Ended {
        let Some(written) = order
            .status
            .written
            .as_ref()
            .filter(|_| order.status.phase == Phase::Moving)
        else {
            return Ended::Absent;
        };
        let namespace = order.object.key().namespace.clone();
        match self
            .cluster
            .get(&Key::new(Kind::Change, namespace, written.change.clone()))
            .await
        {
            Ok(entry) => match Record::read(&entry).map(|it| it.phase) {
                Some(record::Phase::Landed { at, .. }) => Ended::Landed(at),
                Some(record::Phase::NotCarriedOut { .. }) => Ended::NotCarriedOut,
                Some(record::Phase::Intended) => Ended::Intended,
                Some(record::Phase::Stopped { .. }) | None => Ended::Stopped,
            },
            Err(ClusterError::NotFound) => Ended::Absent,
            // Not known is not absent.
            Err(_) => Ended::Intended,
        }
    }

    /// What the guardrail says, and what the stable version can carry. What nobody counted is not known, and the facts stay.
    async fn judged(&self, order: &Order) -> (Judged, Capacity) {
        let (snapshot, spec) = (&order.snapshot, &order.spec);
        let (objects, namespace) = (&*snapshot.objects.value, &order.object.key().namespace);
        let now = self.clock.now();
        // While a move is under way only its end is looked at.
        let moving = order.status.phase == Phase::Moving;
        let rules = order.status.rules(spec).filter(|_| !moving);
        let pods = order.status.stable_pods;
        let Some(rules) = rules else {
            return (unasked(), capacity(snapshot, spec, namespace, pods, None));
        };
        let since = (now - WINDOW).max(rules.began);
        let [stable, canary] = [&spec.stable, &spec.canary].map(|it| facts(objects, it, namespace, since));
        let counted = match question(objects, spec, namespace, &order.status, now) {
            // Who is dead is not counted for: a Prometheus that hangs would keep the requests with it.
            _ if canary.ready == Some(0) => Ok(Counts::nothing()),
            Ok(question) => self.metrics.counts(&question).await,
            Err(why) => Err(why),
        };
        if let Err(why) = &counted {
            tracing::debug!(canary = %order.object.key(), ?why, "nothing is counted");
        }
        let capacity = capacity(snapshot, spec, namespace, pods, counted.as_ref().ok());
        let evidence = counted
            .unwrap_or_else(|_| Counts::nothing())
            .beside(stable, canary);
        (judge(&rules, &evidence, now), capacity)
    }
}

/// What the guardrail says before there is anything to ask.
fn unasked() -> Judged {
    Judged {
        verdict: Verdict::Hold(Vec::new()),
        metrics: Vec::new(),
        left_out: None,
        blind: false,
        alarm: false,
    }
}
