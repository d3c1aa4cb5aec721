//! The contract of `Cluster`, on the object store.

use naru_domain::{
    Name,
    actor::Actor,
    object::{Key, Kind, Object},
};
use naru_ports::{Cluster, SystemClock, contract::cluster::Subject};
use naru_rehearsal::api::{Deeds, ObjectStore, Who};
use serde_json::{Value, json};
use std::sync::Arc;

struct Stored(ObjectStore);

const NAMESPACE: &str = "contract";

impl Stored {
    fn new() -> Self {
        let store = ObjectStore::new(Arc::new(SystemClock), 1024);
        for kind in Kind::ALL {
            if kind.custom() && kind != Kind::PeerAuthentication {
                store.install(kind);
            }
        }
        store
            .load(
                Kind::Namespace,
                json!({"metadata": {"name": NAMESPACE}}),
                "kubectl",
            )
            .unwrap();
        let here = |verb, kind| Deeds {
            verb: Some(verb),
            kind: Some(kind),
            namespace: Some(NAMESPACE.into()),
            name: None,
        };
        store.allow_only(
            "naru:operator",
            [here("patch", Kind::VirtualService), here("create", Kind::Change)],
        );
        Self(store)
    }
}

#[async_trait::async_trait]
impl Subject for Stored {
    fn cluster(&self) -> &dyn Cluster {
        &self.0
    }

    fn namespace(&self) -> Name {
        NAMESPACE.into()
    }

    fn operator(&self) -> Actor {
        Actor::loopback()
    }

    async fn put(&self, kind: Kind, json: Value) -> Object {
        self.0.load(kind, json, "kubectl").unwrap()
    }

    async fn remove(&self, key: &Key) {
        assert!(self.0.delete(key), "{key}");
    }

    async fn install(&self, kind: Kind) {
        self.0.install(kind);
    }

    async fn uninstall(&self, kind: Kind) {
        self.0.remove(kind);
    }

    async fn reachable(&self, yes: bool) {
        self.0.reachable(yes);
    }

    async fn allowed(&self, yes: bool) {
        if yes {
            self.0.pardon(&Who::Naru);
        } else {
            for verb in ["get", "list", "watch"] {
                self.0.forbid(
                    Who::Naru,
                    Deeds {
                        verb: Some(verb),
                        ..Deeds::default()
                    },
                );
            }
        }
    }

    async fn lose_answers(&self, on: bool) {
        self.0.lose_answers(on);
    }

    async fn expire(&self) {
        self.0.expire_watches();
    }
}

naru_ports::cluster_contract!(Stored::new());
