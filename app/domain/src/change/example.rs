//! A VirtualService and the journal of what was done to it, for tests.

use super::{
    plan::{Intent, plan},
    record::{Phase, Record, records},
};
use crate::{
    Refused, Timestamp,
    actor::Actor,
    example,
    object::{Key, Kind, Object, Write},
    snapshot::{Objects, Snapshot},
};
use naru_view::canary::{RouteRef, RuleList, SetWeights, WeightOf};
use serde_json::{Value, json};

/// user-service, 90 to 10 at first.
pub(crate) struct Story {
    pub(crate) objects: Objects,
    pub(crate) now: Timestamp,
    pub(crate) reason: crate::Name,
}

impl Story {
    pub(crate) fn new() -> Self {
        Self {
            objects: example::objects(),
            now: example::now(),
            reason: "why".into(),
        }
    }

    pub(crate) fn key(name: &str) -> Key {
        Key::new(Kind::Change, "user-service", name)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        example::snapshot(self.objects.clone())
    }

    pub(crate) fn journal(&self) -> Vec<Record> {
        records(&self.objects)
    }

    pub(crate) fn live(&self) -> &Object {
        let route = self
            .objects
            .object(Kind::VirtualService, "user-service", "user-service");
        route.unwrap()
    }

    /// v1 gets so many of a hundred, under this name in the journal.
    pub(crate) fn weights(&mut self, name: &str, v1: u32) {
        let to = |subset: &str, weight| WeightOf {
            host: "user-service".into(),
            subset: subset.into(),
            weight,
        };
        let route = RouteRef {
            namespace: "user-service".into(),
            name: "user-service".into(),
            list: RuleList::Http,
            rule: 0,
        };
        let weights = vec![to("v1", v1), to("v2", 100 - v1)];
        self.does(name, &Intent::SetWeights(SetWeights { route, weights }))
            .unwrap();
    }

    /// A change is taken back, under this name.
    pub(crate) fn undo(&mut self, name: &str, of: &str) -> Result<(), Refused> {
        let intent = Intent::Undo {
            namespace: "user-service".into(),
            change: of.into(),
        };
        self.does(name, &intent)
    }

    fn does(&mut self, name: &str, intent: &Intent) -> Result<(), Refused> {
        let plan = plan(intent, &self.snapshot())?;
        self.now += jiff::SignedDuration::from_secs(60);
        let mut record = Record::intended(
            &plan,
            name.into(),
            Actor::loopback(),
            self.reason.clone(),
            self.now,
        );
        self.edit(|json| json_patch::patch(json, &plan.ops).unwrap());
        let at = self.now;
        let rv = self.live().resource_version();
        self.enter(&mut record, Some(&Phase::Landed { at, rv }), |_| {});
        Ok(())
    }

    /// Writes an entry, with an end if it has one, and with whatever is wrong with it.
    pub(crate) fn enter(
        &mut self,
        record: &mut Record,
        phase: Option<&Phase>,
        wrong: impl FnOnce(&mut Value),
    ) {
        let mut json = record.object().unwrap().json().clone();
        wrong(&mut json);
        if let Some(phase) = phase {
            let Write::PatchStatus { ops, .. } = record.settle(phase) else {
                panic!("an end is written into the status")
            };
            json_patch::patch(&mut json, &ops).unwrap();
        }
        let entry = Object::new(Kind::Change, json).unwrap();
        self.objects.whole.insert(record.key.clone(), entry);
    }

    /// Somebody edits the VirtualService.
    pub(crate) fn edit(&mut self, edit: impl FnOnce(&mut Value)) {
        let mut json = self.live().json().clone();
        edit(&mut json);
        let rv: u64 = self.live().resource_version().parse().unwrap();
        json["metadata"]["resourceVersion"] = json!((rv + 1).to_string());
        let edited = Object::new(Kind::VirtualService, json).unwrap();
        self.objects.whole.insert(edited.key().clone(), edited);
    }
}
