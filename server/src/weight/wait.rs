//! Waits until what was accepted is in force, and until enough was counted since.

use super::told::Told;
use crate::{
    cli::{Until, Weight},
    failure::{Failure, NotConfirmed},
    inventory::inventory,
};
use jiff::SignedDuration;
use naru_domain::{
    Timestamp, Why,
    canary::{self, InForce, in_force},
    crossing::Audited,
    judge,
    object::{Kind, Object},
    snapshot::{Objects, Observed as Seen, Section, Snapshot},
};
use naru_engine::judged;
use naru_ports::{Clock, Cluster, Inquiries, Metrics, SystemClock};
use naru_view::{
    Millis,
    canary::{Canary, Observed, RouteRef},
};
use std::time::Duration;

/// Between two looks at the istiods. A push takes a few hundred milliseconds, and asking costs an istiod little.
const PROXIES: Duration = Duration::from_millis(200);

/// So long after the change a refusal is one of the change.
const PUSHED: SignedDuration = SignedDuration::from_secs(3);

/// Between two looks at Prometheus, which has nothing new before the next scrape.
const COUNTS: Duration = Duration::from_secs(5);

/// What is waited with.
pub(super) struct Waiting<'a> {
    pub(super) options: &'a Weight,
    pub(super) cluster: &'a dyn Cluster,
    pub(super) metrics: Option<&'a dyn Metrics>,
    pub(super) inquiries: &'a dyn Inquiries,
    pub(super) route: &'a RouteRef,
    /// The weights that were set.
    pub(super) wanted: &'a [u32],
    /// When the API server had accepted it.
    pub(super) since: Millis,
}

impl Waiting<'_> {
    /// Waits for what was asked for, and tells it.
    pub(super) async fn until(&self, told: &mut Told<'_>) -> Result<(), Failure> {
        let Some(until) = self.options.wait else {
            return Ok(());
        };
        let since = Timestamp::from_millisecond(self.since).map_err(anyhow::Error::from)?;
        let deadline = SystemClock.now() + Duration::from_secs(self.options.patience.into());
        self.in_force(told, since, deadline).await?;
        if until == Until::Observed {
            self.observed(told, deadline).await?;
        }
        Ok(())
    }

    async fn in_force(
        &self,
        told: &mut Told<'_>,
        since: Timestamp,
        deadline: Timestamp,
    ) -> Result<(), Failure> {
        let mut objects = self.objects().await?;
        loop {
            let object = self.stands(&objects)?;
            let seen = self.proxies(&objects, object, since).await;
            let now = SystemClock.now();
            let after_ms = now.duration_since(since).as_millis();
            let after_ms = i64::try_from(after_ms).unwrap_or(i64::MAX);
            if seen.whole() {
                return told.in_force(&seen, after_ms);
            }
            // What a proxy refused it goes on refusing: nothing is waited for there. That it did so before is told too until it is sent anew.
            let refused = !seen.refused.is_empty() && now.duration_since(since) > PUSHED;
            if now >= deadline || refused {
                told.in_force(&seen, after_ms)?;
                return Err(Failure::NotConfirmed(NotConfirmed::InForce(seen)));
            }
            SystemClock.sleep_until(now + PROXIES).await;
            // Pods come and go meanwhile, and somebody else may write the rule.
            let kind = canary::target(self.route).kind;
            let again = self.listed(&[Kind::Pod, kind]).await?;
            objects.pods = again.pods;
            objects.whole.retain(|key, _| key.kind != kind);
            objects.whole.extend(again.whole);
            objects.kinds.extend(again.kinds);
        }
    }

    /// What stands is what was set: what somebody else has written since is not ours to call in force.
    fn stands<'o>(&self, objects: &'o Objects) -> Result<&'o Object, Failure> {
        let target = canary::target(self.route);
        if let Some(why) = objects.gap(target.kind) {
            return Err(Failure::Source(why));
        }
        let object = objects.whole.get(&target);
        let rule = object.and_then(|it| canary::rule(it, self.route));
        let now = rule.map(|it| it.weights()).unwrap_or_default();
        match object {
            Some(object) if now == self.wanted => Ok(object),
            _ => Err(Failure::NotConfirmed(NotConfirmed::Moved { now })),
        }
    }

    async fn proxies(&self, objects: &Objects, object: &Object, since: Timestamp) -> InForce {
        let look = |world: &judge::World<'_>| in_force(world, object, self.route.list, since);
        judged(
            objects,
            None,
            &Audited::default(),
            self.inquiries,
            SystemClock.now(),
            look,
        )
        .await
    }

    async fn observed(&self, told: &mut Told<'_>, deadline: Timestamp) -> Result<(), Failure> {
        loop {
            let counted = self.counted().await?;
            let n = counted.as_ref().map_or(0, |it| match &it.observed {
                Observed::Known { n, .. } => *n,
                Observed::Unknown { .. } => 0,
            });
            let now = SystemClock.now();
            if n >= self.options.requests || now >= deadline {
                let whys = match &counted {
                    Some(it) => {
                        told.observed(&it.observed, &it.destinations)?;
                        match &it.observed {
                            Observed::Known { .. } => Vec::new(),
                            Observed::Unknown { whys, .. } => whys.clone(),
                        }
                    }
                    None => vec![Why::NoMoment],
                };
                if n >= self.options.requests {
                    return Ok(());
                }
                let wanted = self.options.requests;
                return Err(Failure::NotConfirmed(NotConfirmed::Observed { n, wanted, whys }));
            }
            SystemClock.sleep_until(now + COUNTS).await;
        }
    }

    /// The rule as it is, with what was counted since it was written.
    async fn counted(&self) -> Result<Option<Canary>, Failure> {
        let metrics = self.metrics.ok_or(Failure::NoPrometheus)?;
        let objects = self.objects().await?;
        self.stands(&objects)?;
        let now = SystemClock.now();
        let asked = canary::questions(&objects, now).into_iter();
        let asked: Vec<_> = asked.filter(|(route, _)| route == self.route).collect();
        let questions: Vec<_> = asked.iter().map(|(_, question)| question.clone()).collect();
        let answers = metrics.splits(&questions).await;
        let splits = asked.into_iter().map(|(route, _)| route).zip(answers).collect();
        let traffic = Seen {
            splits,
            ..Seen::default()
        };
        let snapshot = Snapshot::once(Section::seen(objects, now), Section::seen(traffic, now), now);
        let mut all = canary::canaries(&snapshot).into_iter();
        Ok(all.find(|it| it.route == *self.route))
    }

    async fn objects(&self) -> Result<Objects, Failure> {
        self.listed(&super::kinds()).await
    }

    async fn listed(&self, kinds: &[Kind]) -> Result<Objects, Failure> {
        let (objects, _) = inventory(self.cluster, kinds).await.map_err(Failure::Source)?;
        Ok(objects)
    }
}
