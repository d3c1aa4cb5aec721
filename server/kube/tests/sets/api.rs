//! A set's way into an API server, back out of it, and away again.

use crate::{
    admin::{self, Admin, eventually, url},
    definition::definition,
};
use futures::{StreamExt, future::join_all};
use http::StatusCode;
use naru_domain::{
    fact::Fact,
    judge,
    manifests::objects_of,
    object::{Key, Kind},
    snapshot::{KindState, Objects},
};
use naru_kube::{KubeCluster, Pace, Settings, Source};
use naru_ports::{Cluster, Seen};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs};

/// Of these nobody's own definition is at hand, so that theirs take anything: Istio has not shipped the first since 1.24 (clusters that were
/// installed before keep it), and cert-manager and Argo CD are no part of the lab.
const OPEN: [Kind; 3] = [Kind::IstioOperator, Kind::Certificate, Kind::Application];

/// What is left out of what is read. Controllers make the first three: no node runs here, so that no pod of theirs comes up, and what stands for them
/// in files is made of the workloads read. Reports and Changes are what the contract's suite leaves behind: nothing deletes them.
const LEFT_OUT: [Kind; 5] = [
    Kind::Pod,
    Kind::ReplicaSet,
    Kind::EndpointSlice,
    Kind::Report,
    Kind::Change,
];

/// The definitions that were not there before.
pub(crate) struct Definitions(Vec<Value>);

impl Definitions {
    /// Installs the real ones: Istio's as its installer renders them, the Gateway API's, and what ships in k8s/.
    pub(crate) async fn install(admin: &Admin) -> Self {
        let state = admin::kubeconfig().parent().unwrap().to_owned();
        let crds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/crds");
        let ours = fs::read_dir(crds).unwrap().map(|entry| entry.unwrap().path());
        let files = [state.join("istio.yaml"), state.join("bin/gateway-api.yaml")];
        let mut all: Vec<Value> = OPEN.map(definition).into();
        for file in files.into_iter().chain(ours) {
            let text = fs::read_to_string(&file);
            let text = text.unwrap_or_else(|error| panic!("{}: {error}; `lab api` makes it", file.display()));
            let documents = serde_saphyr::from_multiple::<Value>(&text).unwrap();
            all.extend(
                documents
                    .into_iter()
                    .filter(|it| it["kind"] == "CustomResourceDefinition"),
            );
        }
        let mut new = Vec::new();
        for mut definition in all {
            let url = url(&definition);
            let (status, there) = admin.get(&url).await;
            let suites = there["metadata"]["labels"]["naru.dev/suite"] == "yes";
            let group = definition["spec"]["group"].as_str().unwrap();
            if group != "naru.dev" {
                assert!(
                    status == StatusCode::NOT_FOUND || suites,
                    "{url} is installed: a bare API server is wanted"
                );
                // A definition that takes anything would hide what the real one refuses.
                admin.delete(&url).await;
                definition["metadata"]["labels"]["naru.dev/suite"] = json!("yes");
            }
            admin.define(&definition).await;
            if status == StatusCode::NOT_FOUND || suites {
                new.push(definition);
            }
        }
        Self(new)
    }

    pub(crate) async fn take_away(self, admin: &Admin) {
        let urls: Vec<String> = self.0.iter().map(url).collect();
        join_all(urls.iter().map(|url| admin.delete(url))).await;
    }
}

/// Applies a set with what `kubectl apply` notes in each object, Namespaces first; what the API server refuses ends the test.
pub(crate) async fn apply(admin: &Admin, documents: &[Value]) {
    let (first, rest): (Vec<&Value>, Vec<&Value>) =
        documents.iter().partition(|it| it["kind"] == "Namespace");
    for document in first.into_iter().chain(rest) {
        let mut document = document.clone();
        let last = document.to_string();
        document["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = json!(last);
        admin.apply_one(&document).await;
    }
}

/// All that checks read of the cluster, by the real client, as `naru check` asks for it.
pub(crate) async fn read(documents: &[Value]) -> Objects {
    let settings = Settings {
        source: Source::Kubeconfig(admin::kubeconfig()),
        context: None,
        pace: Pace::default(),
    };
    let cluster = KubeCluster::connect(&settings).await.unwrap();
    let (mut objects, mut keys) = (Objects::default(), BTreeSet::new());
    for kind in judge::kinds() {
        objects.kinds.insert(kind, KindState::Known);
        match cluster.watch(kind).next().await {
            Some(Seen::Reset { .. }) if LEFT_OUT.contains(&kind) => {}
            Some(Seen::Reset { facts, gaps }) => {
                assert_eq!(gaps, [], "{kind:?}");
                for fact in facts {
                    keys.insert(fact.key());
                    objects.put(fact);
                }
            }
            other => panic!("{kind:?}: {other:?}"),
        }
    }
    // Nothing of the set was lost on the way.
    for (kind, json) in documents.iter().flat_map(|it| objects_of(it.clone()).unwrap()) {
        let key = Key::of(kind, &json).unwrap();
        assert_eq!(keys.contains(&key), reads(&key), "{key}");
    }
    objects
}

/// Of some kinds Naru reads one object alone.
fn reads(key: &Key) -> bool {
    let only = key.kind.only();
    only.is_none_or(|it| it == (&*key.namespace, &*key.name))
}

/// The objects of the set that Naru does not read of a cluster, as `kubectl get` hands them over: whoever wants them judged lays them over it.
pub(crate) async fn unread(admin: &Admin, documents: &[Value]) -> Vec<Fact> {
    let mut facts = Vec::new();
    for document in documents {
        for (kind, json) in objects_of(document.clone()).unwrap() {
            if !reads(&Key::of(kind, &json).unwrap()) {
                let (status, there) = admin.get(&url(&json)).await;
                assert!(status.is_success(), "{there}");
                facts.push(Fact::read(kind, there).unwrap());
            }
        }
    }
    facts
}

/// Takes a set away, and waits until it is gone. `default` is the API server's own: it stays, as it was.
pub(crate) async fn clear(admin: &Admin, documents: &[Value]) {
    let spaces: BTreeSet<&str> = documents
        .iter()
        .filter(|it| it["kind"] == "Namespace")
        .map(|it| it["metadata"]["name"].as_str().unwrap())
        .filter(|it| *it != "default")
        .collect();
    let own = documents.iter().filter(|it| it["kind"] != "Namespace");
    let alone: Vec<String> = own
        .filter(|it| {
            !it["metadata"]["namespace"]
                .as_str()
                .is_some_and(|it| spaces.contains(it))
        })
        .map(url)
        .collect();
    join_all(alone.iter().map(|url| admin.delete(url))).await;
    let spaces: Vec<String> = spaces
        .iter()
        .map(|it| format!("/api/v1/namespaces/{it}"))
        .collect();
    join_all(spaces.iter().map(|url| admin.delete(url))).await;
    let bare = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}});
    admin.apply_one(&bare).await;
    eventually!(
        admin.get("/api/v1/namespaces/default").await.1["metadata"]["labels"]["istio-injection"].is_null()
    );
}
