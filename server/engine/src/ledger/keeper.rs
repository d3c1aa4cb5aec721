//! Keeps the ledger, as Naru: accepts and refuses signatures, and opens items again. One of several servers does, under the Lease.

use crate::{
    Setup,
    judging::{Judging, Latest},
    lease::Leadership,
};
use jiff::SignedDuration;
use naru_domain::{
    Name, Timestamp,
    crossing::{
        SignOff,
        decide::{Decision, next},
        reopen::{Look, Watch},
        standing::Signature,
    },
    object::{Kind, Object, Write},
};
use naru_ports::{As, Clock, Cluster, ClusterError};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};
use tokio::task::JoinSet;

/// How often it is looked whether something is to be done, beside whenever something was judged: a write may have failed.
const EVERY: SignedDuration = SignedDuration::from_secs(5);

/// Whom writes are ascribed to.
const NARU: As<'static> = As::Controller("ledger");

/// Starts the loop.
pub(crate) fn spawn(mut keeper: Keeper, judging: &Judging, tasks: &mut JoinSet<()>) {
    let judging = judging.clone();
    tasks.spawn(async move {
        let mut judged = judging.subscribe();
        loop {
            keeper.round(&judging.latest()).await;
            let wait = keeper.clock.now() + EVERY;
            tokio::select! {
                changed = judged.changed() => if changed.is_err() { return },
                () = keeper.clock.sleep_until(wait) => {}
            }
        }
    });
}

pub(crate) struct Keeper {
    cluster: Arc<dyn Cluster>,
    clock: Arc<dyn Clock>,
    leadership: Leadership,
    /// Of each valid signature. Every server watches, so that whoever inherits the Lease knows how long something has lasted.
    watches: BTreeMap<Name, Watch>,
}

impl Keeper {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            cluster: Arc::clone(&setup.cluster),
            clock: Arc::clone(&setup.clock),
            leadership: Leadership::new(setup),
            watches: BTreeMap::new(),
        }
    }

    /// Does what is to be done by the latest judgement.
    async fn round(&mut self, latest: &Latest) {
        // While signatures can be forged none is accepted.
        if latest.of.is_some() && latest.audited.guards.stand() {
            self.decide(latest).await;
            self.reopen(latest).await;
        }
    }

    /// Decides on one signature. The next is decided on when this one is seen to be decided: what is accepted is what the watch has shown.
    async fn decide(&self, latest: &Latest) {
        let audited = &latest.audited;
        // A broken chain is told by the pages; deciding on would hide where it broke.
        let Ok(Some((sign_off, decision))) = next(&audited.ledger, |item| audited.wants_second(item)) else {
            return;
        };
        if !self.leadership.held().await {
            return;
        }
        let now = self.clock.now();
        let write = match &decision {
            Decision::Accept => sign_off.accept(now),
            Decision::Refuse(how) => sign_off.refuse(how.key(), now),
        };
        match self.cluster.submit(NARU, &write, false, "naru").await {
            Ok(done) => self.told(sign_off, &decision, done.object.as_ref(), now).await,
            // Somebody wrote to it meanwhile: it is looked at again as it is then.
            Err(ClusterError::Conflict) => {}
            Err(error) => {
                tracing::warn!(sign_off = %sign_off.name, %error, "a signature cannot be decided on now");
            }
        }
    }

    /// Publishes the end of the chain where whoever cuts it off does not reach: in the log, and as an Event.
    async fn told(&self, sign_off: &SignOff, decision: &Decision, object: Option<&Object>, now: Timestamp) {
        if let Decision::Refuse(how) = decision {
            tracing::warn!(sign_off = %sign_off.name, why = how.key(), "a signature was refused");
            return;
        }
        let head = &sign_off.link;
        tracing::info!(sign_off = %sign_off.name, item = %sign_off.spec.item, %head, "a signature was accepted");
        let uid = object.map(Object::uid).unwrap_or_default();
        let Ok(event) = event(sign_off, &uid, now) else {
            return;
        };
        let write = Write::Create(event);
        let written = self.cluster.submit(NARU, &write, false, "naru");
        if let Err(error) = written.await {
            tracing::warn!(sign_off = %sign_off.name, %error, "the head of the signatures was not published as an Event");
        }
    }

    /// Opens items again that are no longer as they were signed.
    async fn reopen(&mut self, latest: &Latest) {
        let Some((_, at)) = latest.of.filter(|_| latest.listed) else {
            return;
        };
        let mut valid = BTreeMap::new();
        for (judgement, standing) in &latest.items {
            let Signature::Valid(signed) = &standing.signature else {
                continue;
            };
            let ledger = &latest.audited.ledger;
            let sign_off = ledger.sign_offs.iter().find(|it| it.name == signed.name);
            let Some((sign_off, evidence)) = sign_off.and_then(|it| Some((it, ledger.evidence_of(it)?)))
            else {
                continue;
            };
            let mut watch = self.watches.get(&signed.name).copied().unwrap_or_default();
            let look = Look {
                judgement,
                excepted: &standing.judged,
                rolling: latest.rolling,
                at,
            };
            let open = watch.look(&evidence.spec, look, latest.audited.reopen_after);
            valid.insert(signed.name.clone(), watch);
            let Some(reopened) = open else {
                continue;
            };
            if !self.leadership.held().await {
                continue;
            }
            let write = sign_off.reopen(&reopened);
            match self.cluster.submit(NARU, &write, false, "naru").await {
                Ok(_) => {
                    tracing::warn!(item = %judgement.item, sign_off = %signed.name, "a signed item is open again");
                }
                Err(ClusterError::Conflict) => {}
                Err(error) => {
                    tracing::warn!(item = %judgement.item, %error, "a signed item cannot be opened again now");
                }
            }
        }
        self.watches = valid;
    }
}

/// An Event about the signature. Events of objects without a namespace lie in `default`
/// (<https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/>).
fn event(sign_off: &SignOff, uid: &str, now: Timestamp) -> Result<Object, naru_domain::object::Malformed> {
    let time = Timestamp::from_second(now.as_second()).unwrap_or(now).to_string();
    let name = format!("{}.{:x}", sign_off.name, now.as_nanosecond());
    Object::new(
        Kind::Event,
        json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"namespace": "default", "name": name},
            "involvedObject": {"apiVersion": Kind::SignOff.api_version(), "kind": Kind::SignOff.name(),
                "name": &*sign_off.name, "uid": uid},
            "reason": "Accepted", "type": "Normal", "count": 1, "firstTimestamp": time, "lastTimestamp": time,
            "message": format!("Item {} is signed. Head of the signatures: {}", sign_off.spec.item, sign_off.link),
            "source": {"component": "naru"}, "reportingComponent": "naru", "reportingInstance": "",
        }),
    )
}
