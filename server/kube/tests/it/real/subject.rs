//! The real API server as a subject of the contract: each with a namespace and a ServiceAccount of its own.

use super::{
    admin::{self, Admin, eventually},
    definition::{definition, definition_url},
    proxy::Proxy,
};
use crate::fake;
use http::{Method, StatusCode};
use naru_domain::{
    Name,
    actor::Actor,
    object::{Key, Kind, Object},
};
use naru_kube::KubeCluster;
use naru_ports::{Cluster, contract::cluster::Subject};
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::sync::Mutex;

const MEDIA: &str = "application/json";

/// Installs what ships in k8s/, and definitions of Istio's kinds where there are none. Tests run side by side: once is enough.
pub(crate) async fn install(admin: &Admin) {
    static INSTALLED: Mutex<bool> = Mutex::const_new(false);
    let mut installed = INSTALLED.lock().await;
    if *installed {
        return;
    }
    for crd in [
        include_str!("../../../../../k8s/crds/changes.yaml"),
        include_str!("../../../../../k8s/crds/canaries.yaml"),
        include_str!("../../../../../k8s/crds/freezes.yaml"),
        include_str!("../../../../../k8s/crds/migrations.yaml"),
        include_str!("../../../../../k8s/crds/evidences.yaml"),
        include_str!("../../../../../k8s/crds/signoffs.yaml"),
        include_str!("../../../../../k8s/crds/waivers.yaml"),
        include_str!("../../../../../k8s/crds/exceptions.yaml"),
        include_str!("../../../../../k8s/crds/reports.yaml"),
    ] {
        admin.define(&serde_saphyr::from_str(crd).unwrap()).await;
    }
    admin
        .apply(include_str!("../../../../../k8s/base/rbac.yaml"), "naru")
        .await;
    for manifest in [
        include_str!("../../../../../k8s/base/admission.yaml"),
        include_str!("../../../../../k8s/base/canaries.yaml"),
        include_str!("../../../../../k8s/base/ledger.yaml"),
        include_str!("../../../../../k8s/base/signers.yaml"),
        include_str!("../../../../../k8s/base/trials.yaml"),
    ] {
        admin.apply(manifest, "").await;
    }
    // The suite takes PeerAuthentications away: from Istio's own it keeps its hands.
    let (status, there) = admin.get(&definition_url(Kind::PeerAuthentication)).await;
    let ours = status == StatusCode::NOT_FOUND || there["metadata"]["labels"]["naru.dev/suite"] == "yes";
    assert!(ours, "Istio is installed here: the suite wants a bare API server");
    let (status, _) = admin.get(&definition_url(Kind::VirtualService)).await;
    if status == StatusCode::NOT_FOUND {
        admin.define(&definition(Kind::VirtualService)).await;
    }
    admin.delete(&definition_url(Kind::PeerAuthentication)).await;
    *installed = true;
}

/// A namespace of its own, opted in.
pub(crate) async fn namespace(admin: &Admin) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "suite-{}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    admin
        .apply_one(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
        .await;
    admin
        .apply(include_str!("../../../../../k8s/opt-in/operators.yaml"), &name)
        .await;
    name
}

pub(crate) struct Lab {
    admin: Admin,
    proxy: Proxy,
    cluster: KubeCluster,
    namespace: String,
}

impl Lab {
    pub(crate) async fn new() -> Self {
        let admin = Admin::new().await;
        install(&admin).await;
        let namespace = namespace(&admin).await;
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "naru", "namespace": namespace}});
        admin.apply_one(&account).await;
        let mut lab = {
            let mut config = admin::config().await;
            config.auth_info = kube::config::AuthInfo {
                token: Some(admin.token(&namespace, "naru").await.into()),
                ..kube::config::AuthInfo::default()
            };
            let proxy = Proxy::start(config).await;
            let cluster = fake::cluster(&proxy.url()).await;
            Self {
                admin,
                proxy,
                cluster,
                namespace,
            }
        };
        lab.bind().await;
        lab
    }

    /// Binds what k8s/base/rbac.yaml binds, to the ServiceAccount of this namespace.
    async fn bind(&mut self) {
        for role in ["naru-impersonate", "naru-journal"] {
            self.admin.apply_one(&self.binding(role)).await;
        }
        let leases = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "naru-leases", "namespace": self.namespace},
            "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "patch", "delete"]}]});
        let bound = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "naru-leases", "namespace": self.namespace},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "naru-leases"},
            "subjects": [{"kind": "ServiceAccount", "name": "naru", "namespace": self.namespace}]});
        self.admin.apply_one(&leases).await;
        self.admin.apply_one(&bound).await;
        let scales = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "naru-scales", "namespace": self.namespace},
            "rules": [{"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["patch"]}]});
        let mut bound = bound;
        bound["metadata"]["name"] = json!("naru-scales");
        bound["roleRef"]["name"] = json!("naru-scales");
        self.admin.apply_one(&scales).await;
        self.admin.apply_one(&bound).await;
        self.allowed(true).await;
    }

    fn binding(&self, role: &str) -> Value {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": format!("{}-{role}", self.namespace)},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": "naru", "namespace": self.namespace}]})
    }

    async fn may_list(&self) -> bool {
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
            "user": format!("system:serviceaccount:{}:naru", self.namespace),
            "resourceAttributes": {"verb": "list", "group": "networking.istio.io", "resource": "virtualservices"}}});
        let url = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        self.admin.send(Method::POST, url, MEDIA, &review).await.1["status"]["allowed"] == true
    }

    fn collection(&self, kind: Kind) -> String {
        format!(
            "/apis/{}/{}/namespaces/{}/{}",
            kind.group(),
            kind.version(),
            self.namespace,
            kind.plural()
        )
    }
}

#[async_trait::async_trait]
impl Subject for Lab {
    fn cluster(&self) -> &dyn Cluster {
        &self.cluster
    }

    fn namespace(&self) -> Name {
        self.namespace.as_str().into()
    }

    fn operator(&self) -> Actor {
        Actor {
            issuer: "https://id.example".into(),
            sub: "a1b2".into(),
            name: "김운영".into(),
            ..Actor::loopback()
        }
    }

    async fn put(&self, kind: Kind, mut json: Value) -> Object {
        let url = self.collection(kind);
        json["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("resourceVersion");
        let (mut status, mut answer) = self.admin.send(Method::POST, &url, MEDIA, &json).await;
        if status == StatusCode::CONFLICT {
            let url = format!("{url}/{}", json["metadata"]["name"].as_str().unwrap());
            let now = self.admin.get(&url).await.1;
            json["metadata"]["resourceVersion"] = now["metadata"]["resourceVersion"].clone();
            (status, answer) = self.admin.send(Method::PUT, &url, MEDIA, &json).await;
        }
        assert!(status.is_success(), "{answer}");
        Object::new(kind, answer).unwrap()
    }

    async fn remove(&self, key: &Key) {
        self.admin
            .delete(&format!("{}/{}", self.collection(key.kind), key.name))
            .await;
    }

    async fn install(&self, kind: Kind) {
        self.admin.define(&definition(kind)).await;
    }

    async fn uninstall(&self, kind: Kind) {
        self.admin.delete(&definition_url(kind)).await;
    }

    async fn reachable(&self, yes: bool) {
        self.proxy.reachable(yes).await;
    }

    async fn allowed(&self, yes: bool) {
        let binding = self.binding("naru-read");
        if yes {
            self.admin.apply_one(&binding).await;
        } else {
            let name = binding["metadata"]["name"].as_str().unwrap();
            self.admin
                .delete(&format!(
                    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{name}"
                ))
                .await;
        }
        eventually!(self.may_list().await == yes);
    }

    async fn lose_answers(&self, on: bool) {
        self.proxy.lose_answers(on);
    }

    async fn expire(&self) {
        // Another kind's write moves the API server's one counter on.
        let marker = self
            .put(
                Kind::Lease,
                naru_ports::contract::cluster::lease(&self.namespace, "marker", "x"),
            )
            .await;
        self.proxy.expire(marker.resource_version().parse().unwrap());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
