//! What people want of canaries, written as themselves: a course for one that is there, or a new one.
//!
//! Nothing here moves a weight. A course is one field of the Canary's spec, guarded by the object as it was just read: its status is
//! written again and again meanwhile, so that what a page read some seconds ago would never still be it.

use naru_domain::{
    Name, Refused,
    actor::Actor,
    canary::{
        begin::{self, Unfit},
        spec::{self, Spec},
        status::Status,
        target,
    },
    crossing::migration::Unreadable,
    object::{Key, Kind, Write},
    snapshot::Snapshot,
};
use naru_ports::{As, Clock, Cluster, ClusterError};
use naru_view::{
    order::{Begin, Steer},
    why::ApplyError,
};
use std::sync::Arc;

/// The controller writes its status between our reading and our writing now and then.
const ATTEMPTS: u32 = 4;

/// The field manager of what a person wants of a canary.
const MANAGER: &str = "naru-steer";

/// One request's way to the canaries.
pub(crate) struct Helm<'a> {
    pub(crate) cluster: &'a dyn Cluster,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) read_only: bool,
}

impl Helm<'_> {
    /// Writes what this person wants of a canary.
    pub(crate) async fn steer(&self, who: &Actor, wish: &Steer) -> Result<(), ApplyError> {
        if self.read_only {
            return Err(ApplyError::ReadOnly);
        }
        let key = Key::new(Kind::Canary, wish.namespace.clone(), wish.name.clone());
        let wanted = spec::Course::from(wish.course);
        for _ in 0..ATTEMPTS {
            let object = self
                .cluster
                .get(&key)
                .await
                .map_err(|error| failed(&key, error))?;
            let spec = Spec::read(&object).map_err(unreadable)?;
            if Status::read(&object).map_err(unreadable)?.over() {
                let name = key.name;
                return Err(refused(Refused::CanaryOver { name }));
            }
            if spec.course == wanted {
                return Err(refused(Refused::NothingToDo));
            }
            if spec.course != spec::Course::from(wish.from) {
                return Err(ApplyError::Conflict { by: None });
            }
            let write = begin::steered(&object, wanted);
            match self.cluster.submit(As::Person(who), &write, false, MANAGER).await {
                Ok(_) => return Ok(()),
                Err(ClusterError::Conflict) => {}
                Err(error) => return Err(failed(&key, error)),
            }
        }
        Err(ApplyError::Conflict { by: None })
    }

    /// Orders a canary of a rule as it is now.
    pub(crate) async fn begin(&self, who: &Actor, wish: &Begin) -> Result<Name, ApplyError> {
        if self.read_only {
            return Err(ApplyError::ReadOnly);
        }
        let key = target(&wish.route);
        let live = self
            .cluster
            .get(&key)
            .await
            .map_err(|error| failed(&key, error))?;
        let objects = &self.snapshot.objects.value;
        let object =
            begin::ordered(objects, &live, wish, who, self.clock.now()).map_err(|unfit| match unfit {
                Unfit::Refused(why) => refused(why),
                Unfit::Odd(detail) => ApplyError::Invalid { detail },
            })?;
        let key = object.key().clone();
        let write = Write::Create(object);
        match self.cluster.submit(As::Person(who), &write, false, MANAGER).await {
            Ok(_) => Ok(key.name),
            Err(error) => Err(failed(&key, error)),
        }
    }
}

fn refused(refused: Refused) -> ApplyError {
    ApplyError::Refused { refused }
}

fn unreadable(odd: Unreadable) -> ApplyError {
    ApplyError::Invalid { detail: odd.detail }
}

fn failed(key: &Key, error: ClusterError) -> ApplyError {
    match error {
        ClusterError::NotFound => refused(Refused::NotFound {
            kind: key.kind.name().into(),
            namespace: key.namespace.clone(),
            name: key.name.clone(),
        }),
        ClusterError::Forbidden(detail) => ApplyError::Forbidden { detail },
        ClusterError::Invalid(detail) => ApplyError::Invalid { detail },
        ClusterError::Conflict | ClusterError::Exists => ApplyError::Conflict { by: None },
        ClusterError::Unsure(detail) => ApplyError::Unsure {
            change: key.name.clone(),
            detail,
        },
        other => ApplyError::Unreachable {
            detail: other.to_string().into(),
        },
    }
}
