//! Waivers and exceptions: what is passed over until a day.

use super::{Clerk, bounded, failed, malformed, refused};
use jiff::SignedDuration;
use naru_domain::{
    Name, Refused, Timestamp,
    actor::Actor,
    crossing::{Item, exception::ExceptionSpec, waiver::WaiverSpec},
    object::{Key, Object, Write},
};
use naru_ports::ClusterError;
use naru_view::{
    checklist::Field,
    ledger::{DAYS, OWNER, PassedOver, REASON},
    why::ApplyError,
};

/// What is common to both.
struct Terms {
    reason: Name,
    owner: Name,
    at: Timestamp,
    until: Timestamp,
}

impl Clerk<'_> {
    pub(super) async fn waive(&self, who: &Actor, item: Item, over: &PassedOver) -> Result<Name, ApplyError> {
        let terms = self.terms(over)?;
        let spec = WaiverSpec {
            item: item.id().into(),
            reason: terms.reason,
            owner: terms.owner,
            until: terms.until,
            actor: who.clone(),
            at: terms.at,
        };
        let name = named(item.id(), terms.at);
        self.create(who, spec.object(&name).map_err(malformed)?).await
    }

    pub(super) async fn except(
        &self,
        who: &Actor,
        code: &Name,
        field: &Field,
        over: &PassedOver,
    ) -> Result<Name, ApplyError> {
        let terms = self.terms(over)?;
        // Only what is found now can be accepted: whoever accepts has seen it.
        let found = |key: &Key, path: &str, of: &str| {
            key.kind.name() == &*field.kind
                && (&key.namespace, &key.name) == (&field.namespace, &field.name)
                && *path == *field.path
                && *of == **code
        };
        let mut findings = self.latest.items.iter().flat_map(|(it, _)| &it.findings);
        let found = findings.find(|it| found(&it.key, &it.path, it.code.name));
        let found = found.ok_or_else(|| {
            refused(Refused::NotFound {
                kind: code.clone(),
                namespace: field.namespace.clone(),
                name: field.name.clone(),
            })
        })?;
        let spec = ExceptionSpec {
            code: code.clone(),
            object: found.key.clone(),
            path: Some(found.path.clone()),
            reason: terms.reason,
            owner: terms.owner,
            until: terms.until,
            actor: who.clone(),
            at: terms.at,
        };
        let name = named(code, terms.at);
        self.create(who, spec.object(&name).map_err(malformed)?).await
    }

    fn terms(&self, over: &PassedOver) -> Result<Terms, ApplyError> {
        if !(1..=DAYS).contains(&over.days) {
            let field = "days".into();
            return Err(refused(Refused::BadInput { field }));
        }
        let length = SignedDuration::from_hours(i64::from(over.days) * 24);
        let at = self.clock.now();
        Ok(Terms {
            reason: bounded(&over.reason, REASON)?,
            owner: bounded(&over.owner, OWNER)?,
            at,
            until: at + length,
        })
    }

    async fn create(&self, who: &Actor, object: Object) -> Result<Name, ApplyError> {
        let key = object.key().clone();
        match self.write(who, &Write::Create(object)).await {
            Ok(_) => Ok(key.name),
            // Our own name, so our own object if it is there.
            Err(ClusterError::Unsure(detail)) => match self.get(&key).await {
                Ok(_) => Ok(key.name),
                Err(_) => Err(ApplyError::Unsure {
                    change: key.name,
                    detail,
                }),
            },
            Err(error) => Err(failed(error)),
        }
    }
}

/// Time in hexadecimal sorts by age.
fn named(what: &str, at: Timestamp) -> Name {
    format!("{what}-{:x}", at.as_millisecond()).into()
}
