//! A route in namespace shop, the changes that Naru made to it by day, and the command that takes them back by night.

use crate::support::{
    cluster::{Served, serve},
    process::{ended, kubeconfig, naru},
};
use naru_domain::{
    actor::Actor,
    change::{
        plan::Intent,
        record::{Phase, Record},
    },
    object::{Digest, Key, Kind, Object, Write},
};
use naru_ports::{As, Clock, Cluster, SystemClock};
use naru_rehearsal::api::ObjectStore;
use naru_view::canary::{RouteRef, RuleList, SetWeights};
use serde_json::{Value, json};
use std::{process::Output, sync::Arc};

/// Who runs the command.
pub(super) const ALICE: &str = "alice";

/// What a command wrote.
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) keys: Vec<String>,
    pub(super) out: String,
    pub(super) err: String,
}

impl Ran {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

pub(super) struct Night {
    pub(super) served: Served,
    name: &'static str,
}

impl Night {
    /// 90 to 10; the test's name names its files.
    pub(super) async fn new(name: &'static str) -> Self {
        Self::taken_for(name, ALICE).await
    }

    /// The same, where the API server takes alice for somebody.
    pub(super) async fn taken_for(name: &'static str, takes: &'static str) -> Self {
        let store = ObjectStore::new(Arc::new(SystemClock), 64);
        store.install(Kind::Change);
        store.install(Kind::VirtualService);
        let to = |subset: &str, weight: u32| json!({"destination": {"host": "reviews", "subset": subset}, "weight": weight});
        let route = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": "reviews", "namespace": "shop"},
            "spec": {"hosts": ["reviews"], "http": [{"route": [to("v1", 90), to("v2", 10)]}]}});
        for (kind, json) in [
            (Kind::Namespace, json!({"metadata": {"name": "shop"}})),
            (Kind::VirtualService, route),
        ] {
            store.load(kind, json, "helm").unwrap();
        }
        let served = serve(store, ALICE, takes).await;
        Self { served, name }
    }

    pub(super) fn route() -> Key {
        Key::new(Kind::VirtualService, "shop", "reviews")
    }

    pub(super) fn live(&self) -> Object {
        self.served.store.object(&Self::route()).unwrap()
    }

    pub(super) fn v1(&self) -> u64 {
        let routes = self.live();
        routes.list("/spec/http/0/route")[0]["weight"].as_u64().unwrap()
    }

    pub(super) fn entries(&self) -> Vec<Record> {
        let store = &self.served.store;
        let keys = store.keys(Kind::Change).into_iter();
        keys.map(|key| Record::read(&store.object(&key).unwrap()).unwrap())
            .collect()
    }

    /// Writes that have landed.
    pub(super) fn writes(&self) -> usize {
        self.served.store.audit().len()
    }

    /// v1 gets so many of a hundred through the console, under this name in the journal.
    pub(super) async fn change(&self, name: &str, v1: u64) {
        let (store, person) = (&self.served.store, Actor::loopback());
        let live = self.live();
        let was = self.v1();
        let set = |from: [u64; 2], to: [u64; 2]| {
            let each = |i: usize| {
                let path = format!("/spec/http/0/route/{i}");
                let there = live.get(&format!("{path}/destination")).unwrap();
                [
                    json!({"op": "test", "path": format!("{path}/destination"), "value": there}),
                    json!({"op": "test", "path": format!("{path}/weight"), "value": from[i]}),
                    json!({"op": "replace", "path": format!("{path}/weight"), "value": to[i]}),
                ]
            };
            let all: Vec<Value> = [0, 1].into_iter().flat_map(each).collect();
            serde_json::from_value::<json_patch::Patch>(all.into()).unwrap()
        };
        let (before, after) = ([was, 100 - was], [v1, 100 - v1]);
        let mut json = live.json().clone();
        json_patch::patch(&mut json, &set(before, after)).unwrap();
        let route = RouteRef {
            namespace: "shop".into(),
            name: "reviews".into(),
            list: RuleList::Http,
            rule: 0,
        };
        let record = Record {
            key: Key::new(Kind::Change, "shop", name),
            entry_rv: "".into(),
            intent: Intent::SetWeights(SetWeights {
                route,
                weights: vec![],
            }),
            target: Self::route(),
            uid: live.uid(),
            rv: live.resource_version(),
            ops: set(before, after),
            undo: set(after, before),
            before: live.digest(),
            after: Object::new(Kind::VirtualService, json).unwrap().digest(),
            diff: Vec::new(),
            digest: Digest::of(&Value::Null),
            actor: person.clone(),
            reason: "by day".into(),
            approved_at: SystemClock.now(),
            phase: Phase::Intended,
        };
        let create = Write::Create(record.object().unwrap());
        let submit = async |who, write: &Write, manager: &str| {
            store
                .submit(who, write, false, manager)
                .await
                .unwrap()
                .object
                .unwrap()
        };
        let entry = Record::read(&submit(As::Person(&person), &create, "naru").await).unwrap();
        let landed = submit(As::Person(&person), &entry.write(), &entry.manager()).await;
        let (at, rv) = (SystemClock.now(), landed.resource_version());
        submit(
            As::Controller("desk"),
            &entry.settle(&Phase::Landed { at, rv }),
            "naru",
        )
        .await;
    }

    /// Runs a command on a thread of its own, while the API server answers on this one.
    pub(super) async fn run(&self, arguments: &[&str]) -> Ran {
        let kubeconfig = kubeconfig(&format!("undo-{}", self.name), &self.served.url);
        let mut all: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        all.extend(["--kubeconfig".into(), kubeconfig.to_str().unwrap().into()]);
        let run = move || {
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            ended(&mut naru(&all))
        };
        let (code, keys, output) = tokio::task::spawn_blocking(run).await.unwrap();
        let Output { stdout, stderr, .. } = output;
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran {
            code,
            keys,
            out: text(stdout),
            err: text(stderr),
        }
    }
}
