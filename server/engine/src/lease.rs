//! One of several equal servers does the recovery and keeps the ledger: whoever holds the Lease (`coordination.k8s.io/v1`).
//!
//! The Lease only saves work. It is no fence: a holder that sleeps past its end wakes up believing in it. What keeps two holders from
//! harm is that every write is guarded by a resourceVersion.

use crate::Setup;
use jiff::SignedDuration;
use json_patch::{AddOperation, Patch, PatchOperation, jsonptr::PointerBuf};
use naru_domain::{
    Name, Timestamp,
    object::{Key, Kind, Malformed, Object, Write},
};
use naru_ports::{As, Clock, Cluster, ClusterError};
use serde_json::json;
use std::sync::Arc;

/// How long a holder is believed in after it was last heard of. Kubernetes's own components use 15 s.
pub const LEASE_DURATION: SignedDuration = SignedDuration::from_secs(15);

/// Renewed three times in that, so that one lost write does not cost the Lease.
const RENEW: SignedDuration = SignedDuration::from_secs(5);

/// Which Lease, and as whom.
#[derive(Clone, Debug)]
pub struct LeaseName {
    /// Where it lies.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// Who we are; different for every server process.
    pub holder: Name,
}

impl LeaseName {
    /// The Lease's key.
    pub fn key(&self) -> Key {
        Key::new(Kind::Lease, self.namespace.clone(), self.name.clone())
    }
}

/// A server's claim to the Lease.
pub(crate) struct Leadership {
    cluster: Arc<dyn Cluster>,
    clock: Arc<dyn Clock>,
    lease: LeaseName,
}

impl Leadership {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            cluster: Arc::clone(&setup.cluster),
            clock: Arc::clone(&setup.clock),
            lease: setup.settings.lease.clone(),
        }
    }

    /// Whether we hold the Lease now, taking it if it is free. It is only asked for when there is something to do.
    pub(crate) async fn held(&self) -> bool {
        let lease = match self.cluster.get(&self.lease.key()).await {
            Ok(lease) => Some(lease),
            Err(ClusterError::NotFound) => None,
            Err(error) => {
                tracing::warn!(%error, "the Lease cannot be read");
                return false;
            }
        };
        match step(lease.as_ref(), &self.lease, self.clock.now()) {
            Ok(Step::Hold(_)) => true,
            Ok(Step::Take(write)) => self
                .cluster
                .submit(As::Controller("recovery"), &write, false, "naru")
                .await
                .is_ok(),
            Ok(Step::Wait(_)) | Err(_) => false,
        }
    }
}

/// What to do next about the Lease.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// We hold it until then.
    Hold(Timestamp),
    /// Write this; if it is accepted we hold it.
    Take(Write),
    /// Somebody else holds it; look again then.
    Wait(Timestamp),
}

/// Decides from the Lease as it is.
pub(crate) fn step(lease: Option<&Object>, us: &LeaseName, now: Timestamp) -> Result<Step, Malformed> {
    let Some(lease) = lease else {
        let metadata = json!({"namespace": &*us.namespace, "name": &*us.name});
        let json = json!({"apiVersion": Kind::Lease.api_version(), "kind": Kind::Lease.name(),
            "metadata": metadata, "spec": spec(us, now, 0)});
        return Ok(Step::Take(Write::Create(Object::new(Kind::Lease, json)?)));
    };
    let renewed: Option<Timestamp> = lease.text("/spec/renewTime").parse().ok();
    let ours = lease.text("/spec/holderIdentity") == &*us.holder;
    let fresh = |for_how_long| renewed.is_some_and(|at| now < at + for_how_long);
    if ours && fresh(RENEW) {
        return Ok(Step::Hold(renewed.map_or(now, |at| at + LEASE_DURATION)));
    }
    if !ours && !lease.text("/spec/holderIdentity").is_empty() && fresh(LEASE_DURATION) {
        return Ok(Step::Wait(now + RENEW));
    }
    let transitions = lease
        .get("/spec/leaseTransitions")
        .and_then(serde_json::Value::as_u64)
        .unwrap_or(0);
    let path = PointerBuf::from_tokens(["spec"]);
    let value = spec(us, now, transitions + u64::from(!ours));
    let ops = Patch(vec![PatchOperation::Add(AddOperation { path, value })]);
    Ok(Step::Take(Write::Patch {
        key: us.key(),
        rv: lease.resource_version(),
        ops,
    }))
}

fn spec(us: &LeaseName, now: Timestamp, transitions: u64) -> serde_json::Value {
    // The API's MicroTime wants exactly six digits of a second.
    let now = format!("{now:.6}");
    json!({"holderIdentity": &*us.holder, "leaseDurationSeconds": LEASE_DURATION.as_secs(),
        "acquireTime": now, "renewTime": now, "leaseTransitions": transitions})
}

#[cfg(test)]
mod tests {
    use super::{LEASE_DURATION, LeaseName, RENEW, Step, step};
    use jiff::SignedDuration;
    use naru_domain::{
        Timestamp,
        object::{Kind, Object, Write},
    };

    fn us(holder: &str) -> LeaseName {
        LeaseName {
            namespace: "naru".into(),
            name: "l".into(),
            holder: holder.into(),
        }
    }

    fn now() -> Timestamp {
        "2026-11-23T00:00:00Z".parse().unwrap()
    }

    fn after(lease: Option<&Object>, step: &Step) -> Object {
        match step {
            Step::Take(Write::Create(object)) => object.clone(),
            Step::Take(Write::Patch { ops, .. }) => {
                let mut json = lease.unwrap().json().clone();
                json_patch::patch(&mut json, ops).unwrap();
                Object::new(Kind::Lease, json).unwrap()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn taken_held_renewed_and_inherited() {
        let taken = after(None, &step(None, &us("a"), now()).unwrap());
        assert_eq!(taken.text("/spec/renewTime"), "2026-11-23T00:00:00.000000Z");
        assert!(matches!(
            step(Some(&taken), &us("a"), now()).unwrap(),
            Step::Hold(_)
        ));
        assert_eq!(
            step(Some(&taken), &us("b"), now()).unwrap(),
            Step::Wait(now() + RENEW)
        );
        assert!(matches!(
            step(Some(&taken), &us("a"), now() + RENEW).unwrap(),
            Step::Take(_)
        ));
        let late = now() + LEASE_DURATION + SignedDuration::from_millis(1);
        let inherited = after(Some(&taken), &step(Some(&taken), &us("b"), late).unwrap());
        assert_eq!(inherited.text("/spec/holderIdentity"), "b");
        assert_eq!(inherited.get("/spec/leaseTransitions"), Some(&1.into()));
    }

    #[test]
    fn a_lease_that_cannot_be_read_is_taken() {
        let odd = serde_json::json!({"metadata": {"name": "l", "namespace": "naru"}, "spec": {"holderIdentity": "b", "renewTime": "soon"}});
        let odd = Object::new(Kind::Lease, odd).unwrap();
        assert!(matches!(
            step(Some(&odd), &us("a"), now()).unwrap(),
            Step::Take(_)
        ));
    }
}
