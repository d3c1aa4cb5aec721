//! Naru's ServiceAccount can do what it must, and be nobody but people.

use super::{
    admin::{self, Admin, eventually},
    subject::{install, namespace},
};
use crate::fake::{pace, write};
use futures::StreamExt;
use http::{Method, StatusCode};
use kube::{Client, Config};
use naru_domain::{
    actor::Actor,
    object::{Kind, Object, Write},
};
use naru_kube::{KubeCluster, Settings, Source};
use naru_ports::{As, Cluster, Seen};
use serde_json::{Value, json};

/// As k8s/base/rbac.yaml makes it: ServiceAccount naru in namespace naru.
async fn config(admin: &Admin) -> Config {
    install(admin).await;
    let mut config = admin::config().await;
    config.auth_info = kube::config::AuthInfo {
        token: Some(admin.token("naru", "naru").await.into()),
        ..kube::config::AuthInfo::default()
    };
    config
}

/// The adapter under that ServiceAccount, over TLS.
async fn cluster(admin: &Admin) -> KubeCluster {
    install(admin).await;
    let mut file: Value =
        serde_saphyr::from_str(&std::fs::read_to_string(admin::kubeconfig()).unwrap()).unwrap();
    for user in file["users"].as_array_mut().unwrap() {
        user["user"] = json!({"token": admin.token("naru", "naru").await});
    }
    let settings = Settings {
        source: Source::Kubeconfig(write(&file.to_string())),
        context: None,
        pace: pace(),
    };
    KubeCluster::connect(&settings).await.unwrap()
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_it_connects_and_is_known() {
    let admin = Admin::new().await;
    let server = cluster(&admin).await.probe().await.unwrap();
    assert_eq!(&*server.user, "system:serviceaccount:naru:naru");
    assert!(server.version.starts_with("v1."), "{}", server.version);
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_it_watches_what_the_console_shows_and_nothing_else() {
    let admin = Admin::new().await;
    let cluster = cluster(&admin).await;
    for kind in Kind::ALL {
        let first = cluster.watch(kind).next().await.unwrap();
        match kind {
            // Not read, or of its own namespace.
            Kind::Lease | Kind::Event | Kind::CustomResourceDefinition => {
                assert!(matches!(first, Seen::Lost(_)), "{kind:?}: {first:?}")
            }
            _ => assert!(
                matches!(first, Seen::Reset { .. } | Seen::Absent),
                "{kind:?}: {first:?}"
            ),
        }
    }
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_it_writes_leases_of_its_own_and_nothing_else_by_itself() {
    let admin = Admin::new().await;
    let cluster = cluster(&admin).await;
    let lease = |namespace: &str| naru_ports::contract::cluster::lease(namespace, "suite", "x");
    let own = Object::new(Kind::Lease, lease("naru")).unwrap();
    let done = cluster
        .submit(As::Controller("test"), &Write::Create(own), false, "naru-test")
        .await
        .unwrap()
        .object
        .unwrap();
    let delete = Write::Delete {
        key: done.key().clone(),
        uid: done.uid(),
        rv: done.resource_version(),
    };
    cluster
        .submit(As::Controller("test"), &delete, false, "naru-test")
        .await
        .unwrap();

    let client = Client::try_from(config(&admin).await).unwrap();
    let shop = namespace(&admin).await;
    let who = Actor::loopback();
    let refused = [
        (
            Method::POST,
            format!("/apis/coordination.k8s.io/v1/namespaces/{shop}/leases"),
            lease(&shop),
        ),
        (
            Method::GET,
            format!("/api/v1/namespaces/{shop}/secrets"),
            Value::Null,
        ),
        (Method::GET, "/api/v1/configmaps".into(), Value::Null),
        (
            Method::POST,
            format!("/apis/naru.dev/v1alpha1/namespaces/{shop}/changes"),
            naru_ports::contract::cluster::change(&shop, "own", &who, "a"),
        ),
        (
            Method::POST,
            format!("/apis/networking.istio.io/v1/namespaces/{shop}/virtualservices"),
            naru_ports::contract::cluster::virtual_service(&shop, "own", 0),
        ),
        (
            Method::POST,
            "/api/v1/namespaces/naru/serviceaccounts/naru/token".into(),
            json!({}),
        ),
    ];
    for (method, url, body) in refused {
        let (status, answer) = admin::send(&client, method, &url, "application/json", &body, &[]).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{url}: {answer}");
    }
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_it_can_be_people_and_nobody_else() {
    let admin = Admin::new().await;
    let client = Client::try_from(config(&admin).await).unwrap();
    let who = async |headers: &[(&str, &str)]| {
        let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let url = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        admin::send(&client, Method::POST, url, "application/json", &review, headers).await
    };
    const PERSON: (&str, &str) = ("Impersonate-User", "naru:person");
    let (status, answer) = who(&[
        PERSON,
        ("Impersonate-Group", "naru:operator"),
        ("Impersonate-Extra-naru.dev%2Fsub", "abc"),
        ("Impersonate-Extra-naru.dev%2Fissuer", "https://id.example"),
    ])
    .await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let expected = json!({"username": "naru:person", "groups": ["naru:operator", "system:authenticated"],
        "extra": {"naru.dev/sub": ["abc"], "naru.dev/issuer": ["https://id.example"]}});
    assert_eq!(answer["status"]["userInfo"], expected);

    let others: [&[(&str, &str)]; 8] = [
        &[("Impersonate-User", "admin")],
        &[("Impersonate-User", "system:kube-controller-manager")],
        &[(
            "Impersonate-User",
            "system:serviceaccount:kube-system:generic-garbage-collector",
        )],
        &[PERSON, ("Impersonate-Group", "system:masters")],
        &[
            PERSON,
            ("Impersonate-Group", "naru:operator"),
            ("Impersonate-Group", "system:masters"),
        ],
        &[PERSON, ("Impersonate-Group", "somebody-elses-group")],
        &[PERSON, ("Impersonate-Uid", "7")],
        &[PERSON, ("Impersonate-Extra-scopes", "all")],
    ];
    for headers in others {
        let (status, answer) = who(headers).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{headers:?}: {answer}");
    }
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_a_trial_leaves_nothing_whoever_tries() {
    let admin = Admin::new().await;
    let cluster = cluster(&admin).await;
    // No controller makes it here, and no pod is admitted without.
    admin
        .apply_one(&json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "naru-trials"}}))
        .await;
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "trial", "namespace": "naru-trials"},
        "spec": {"automountServiceAccountToken": false, "containers": [{"name": "app", "image": "none"}]}});
    let rule = json!({"apiVersion": Kind::VirtualService.api_version(), "kind": "VirtualService",
        "metadata": {"name": "trial", "namespace": "naru-trials"}, "spec": {"hosts": ["trial.invalid"]}});
    // A policy is in force some moments after it is stored.
    let mut unnamed = pod.clone();
    unnamed["metadata"] = json!({"generateName": "early-", "namespace": "naru-trials"});
    let pods = "/api/v1/namespaces/naru-trials/pods";
    eventually!(
        admin
            .send(Method::POST, pods, "application/json", &unnamed)
            .await
            .0
            != StatusCode::CREATED
    );
    for (kind, json) in [(Kind::Pod, pod), (Kind::VirtualService, rule)] {
        let write = Write::Create(Object::new(kind, json.clone()).unwrap());
        let submit = async |dry_run| {
            cluster
                .submit(As::Controller("test"), &write, dry_run, "naru-test")
                .await
        };
        let tried = submit(true).await.unwrap().object.unwrap();
        assert_eq!(&*tried.key().name, "trial");
        let meant = submit(false).await;
        assert!(meant.is_err(), "{kind:?}: {meant:?}");
        // With all rights it is refused as well.
        let url = match kind {
            Kind::Pod => pods.to_owned(),
            _ => format!(
                "/apis/{}/namespaces/naru-trials/{}",
                kind.api_version(),
                kind.plural()
            ),
        };
        let (status, said) = admin.send(Method::POST, &url, "application/json", &json).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        assert!(
            said["message"]
                .as_str()
                .is_some_and(|it| it.contains("dry runs alone")),
            "{said}"
        );
    }
}
