//! What Naru's writes do.

use super::{
    Entry, Mode, State,
    meta::{finish, fresh, set_meta, set_status, status_apart, text},
};
use crate::api::{
    Asker,
    admit::{
        self,
        ledger::{Refusal, Writing},
    },
    rights::Asked,
};
use json_patch::{AddOperation, Patch, PatchErrorKind, PatchOperation, jsonptr::PointerBuf};
use naru_domain::object::{Key, Kind, Object, Write};
use naru_ports::{As, ClusterError, Submitted};
use serde_json::Value;

impl State {
    /// Carries a write out, or finds out what it would do.
    pub(in crate::api) fn submit(
        &mut self,
        who: As<'_>,
        write: &Write,
        mode: Mode<'_>,
    ) -> Result<Submitted, ClusterError> {
        let (key, verb) = (write.key(), verb(write));
        // The right is asked for first, as the real one does: whether something is there is already an answer.
        self.permit(Asker::As(who), verb.split(' ').next().unwrap_or(verb), key)?;
        if !self.served(key.kind) {
            return Err(ClusterError::NotFound);
        }
        let object = match write {
            Write::Create(object) => Some(self.create(who, key, object.json(), mode)?),
            Write::Patch { rv, ops, .. } => Some(self.patch(who, key, rv, ops, mode, false)?),
            Write::PatchStatus { rv, ops, .. } => Some(self.patch(who, key, rv, ops, mode, true)?),
            Write::Scale { from, to, .. } => {
                self.scale(who, key, *from, *to, mode)?;
                None
            }
            Write::Delete { uid, rv, .. } => {
                self.delete(who, key, uid, rv, mode)?;
                None
            }
        };
        if !mode.dry_run {
            let by = match who {
                As::Person(person) => person.sub.clone(),
                As::Controller(name) | As::Oneself(name) => name.into(),
            };
            self.audit.push(Entry {
                at: mode.now,
                by,
                verb,
                key: key.clone(),
                manager: mode.manager.into(),
            });
        }
        Ok(Submitted { object })
    }

    fn create(
        &mut self,
        who: As<'_>,
        key: &Key,
        json: &Value,
        mode: Mode<'_>,
    ) -> Result<Object, ClusterError> {
        let invalid = |said: &str| Err(ClusterError::Invalid(said.into()));
        if key.kind.namespaced() == key.namespace.is_empty() {
            return invalid("metadata.namespace: the kind's scope is another");
        }
        if key.kind.namespaced()
            && !self
                .objects
                .contains_key(&Key::new(Kind::Namespace, "", key.namespace.clone()))
        {
            return Err(ClusterError::NotFound);
        }
        if !text(json, "/metadata/resourceVersion").is_empty() {
            return invalid("resourceVersion should not be set on objects to be created");
        }
        let (said, wanted) = (text(json, "/apiVersion"), key.kind.api_version());
        let (kind, named) = (text(json, "/kind"), key.kind.name());
        if (!said.is_empty() && said != wanted) || (!kind.is_empty() && kind != named) {
            return invalid("the object's apiVersion and kind are not those of the request");
        }
        if self.objects.contains_key(key) {
            return Err(ClusterError::Exists);
        }
        let mut json = json.clone();
        if status_apart(key.kind) {
            set_status(&mut json, None);
        }
        for kept in ["uid", "creationTimestamp", "generation", "managedFields"] {
            set_meta(&mut json, kept, None);
        }
        let admitted = admit::validate(key.kind, None, &mut json).and_then(|()| match key.kind {
            Kind::Change | Kind::Proposal => admit::journal(who, &json),
            _ => Ok(()),
        });
        admitted.map_err(|said| ClusterError::Invalid(said.into()))?;
        self.police(&Writing {
            who,
            key,
            old: None,
            new: Some(&json),
            status: false,
        })?;
        if mode.dry_run {
            // A uid that nothing will ever have.
            let json = fresh(key.kind, json, "6e617275-0000-4000-9000-000000000000", mode);
            return object(key, json);
        }
        let uid = self.uid();
        let json = fresh(key.kind, json, &uid, mode);
        let stored = self.store(mode.now, key, json);
        object(key, (*stored).clone())
    }

    /// Asks Naru's own admission policies, those that are there with their bindings.
    fn police(&self, writing: &Writing<'_>) -> Result<(), ClusterError> {
        let there = |kind, name: &str| self.objects.contains_key(&Key::new(kind, "", name));
        let in_force = |name: &str| {
            there(Kind::ValidatingAdmissionPolicy, name)
                && there(Kind::ValidatingAdmissionPolicyBinding, name)
        };
        let may = |who: As<'_>, verb: &'static str, kind, name: &str| {
            let asked = Asked {
                verb,
                kind,
                namespace: None,
                name: Some(name),
            };
            self.rights.allow(Asker::As(who), &asked)
        };
        let may_move = |namespace: &str, name: &str| {
            let asked = Asked {
                verb: "patch",
                kind: Kind::VirtualService,
                namespace: Some(namespace),
                name: Some(name),
            };
            self.rights.allow(Asker::As(writing.who), &asked)
        };
        let asked = admit::ledger::ask(writing, in_force, may);
        let asked = asked.and_then(|()| admit::canary::ask(writing, may_move));
        asked.map_err(|refusal| match refusal {
            Refusal::Invalid(said) => ClusterError::Invalid(said.into()),
            Refusal::Forbidden(said) => ClusterError::Forbidden(said.into()),
        })
    }

    fn scale(
        &mut self,
        who: As<'_>,
        key: &Key,
        from: u32,
        to: u32,
        mode: Mode<'_>,
    ) -> Result<(), ClusterError> {
        if !matches!(key.kind, Kind::Deployment | Kind::StatefulSet | Kind::ReplicaSet) {
            return Err(ClusterError::NotFound);
        }
        let old = self.json(key).ok_or(ClusterError::NotFound)?;
        // Without the field it is one: the API server's default.
        let wanted = old
            .pointer("/spec/replicas")
            .map_or(Some(1), Value::as_u64)
            .unwrap_or(0);
        if wanted != u64::from(from) {
            return Err(ClusterError::Conflict);
        }
        let path = PointerBuf::from_tokens(["spec", "replicas"]);
        let value = Value::from(to);
        let ops = Patch(vec![PatchOperation::Add(AddOperation { path, value })]);
        let rv = text(&old, "/metadata/resourceVersion").to_owned();
        self.patch(who, key, &rv, &ops, mode, false).map(drop)
    }

    fn patch(
        &mut self,
        who: As<'_>,
        key: &Key,
        rv: &str,
        ops: &Patch,
        mode: Mode<'_>,
        status: bool,
    ) -> Result<Object, ClusterError> {
        if status && !status_apart(key.kind) {
            return Err(ClusterError::NotFound);
        }
        let old = self.json(key).ok_or(ClusterError::NotFound)?;
        if text(&old, "/metadata/resourceVersion") != rv {
            return Err(ClusterError::Conflict);
        }
        let invalid = |said: String| ClusterError::Invalid(said.into());
        let mut new = (*old).clone();
        json_patch::patch(&mut new, ops).map_err(|error| {
            invalid(match error.kind {
                PatchErrorKind::TestFailed => format!("testing value {} failed", error.path),
                _ => error.to_string(),
            })
        })?;
        for field in ["name", "namespace", "uid"] {
            let pointer = format!("/metadata/{field}");
            if new.pointer(&pointer) != old.pointer(&pointer) {
                return Err(invalid(format!(
                    "metadata.{field}: Invalid value: field is immutable"
                )));
            }
        }
        if text(&new, "/metadata/resourceVersion") != rv {
            return Err(ClusterError::Conflict);
        }
        if status {
            // Only the status is taken.
            let taken = new.get("status").cloned();
            new = (*old).clone();
            set_status(&mut new, taken);
        } else if status_apart(key.kind) {
            set_status(&mut new, old.get("status").cloned());
        }
        admit::validate(key.kind, Some(&old), &mut new).map_err(invalid)?;
        self.police(&Writing {
            who,
            key,
            old: Some(&old),
            new: Some(&new),
            status,
        })?;
        let Some(new) = finish(key.kind, &old, new, mode, status.then_some("status")) else {
            return object(key, (*old).clone());
        };
        if mode.dry_run {
            return object(key, new);
        }
        let stored = self.store(mode.now, key, new);
        object(key, (*stored).clone())
    }

    fn delete(
        &mut self,
        who: As<'_>,
        key: &Key,
        uid: &str,
        rv: &str,
        mode: Mode<'_>,
    ) -> Result<(), ClusterError> {
        let old = self.json(key).ok_or(ClusterError::NotFound)?;
        if text(&old, "/metadata/uid") != uid || text(&old, "/metadata/resourceVersion") != rv {
            return Err(ClusterError::Conflict);
        }
        self.police(&Writing {
            who,
            key,
            old: Some(&old),
            new: None,
            status: false,
        })?;
        if !mode.dry_run {
            self.remove(mode.now, key);
        }
        Ok(())
    }
}

fn verb(write: &Write) -> &'static str {
    match write {
        Write::Create(_) => "create",
        Write::Patch { .. } => "patch",
        Write::PatchStatus { .. } => "patch status",
        Write::Scale { .. } => "patch scale",
        Write::Delete { .. } => "delete",
    }
}

pub(super) fn object(key: &Key, json: Value) -> Result<Object, ClusterError> {
    Object::new(key.kind, json).map_err(|error| ClusterError::Invalid(error.to_string().into()))
}
