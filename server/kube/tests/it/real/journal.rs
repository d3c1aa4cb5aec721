//! The journal cannot be forged: not by other people, not with kubectl, not by an administrator unless they take the policy away.

mod oneself;

use super::{
    admin::{self, Admin, eventually},
    subject::{install, namespace},
};
use http::{Method, StatusCode};
use kube::Client;
use naru_domain::actor::Actor;
use naru_ports::contract::cluster::change;
use serde_json::{Value, json};

const MEDIA: &str = "application/json";
const PATCH: &str = "application/json-patch+json";

type Edit = fn(&mut Value);

struct Journal {
    admin: Admin,
    person: Client,
    namespace: String,
}

impl Journal {
    async fn new() -> Self {
        let admin = Admin::new().await;
        install(&admin).await;
        let namespace = namespace(&admin).await;
        let mut config = admin::config().await;
        config.auth_info = kube::config::AuthInfo {
            token: Some(admin.token("naru", "naru").await.into()),
            ..kube::config::AuthInfo::default()
        };
        let journal = Self {
            admin,
            person: Client::try_from(config).unwrap(),
            namespace,
        };
        // A new policy and a new RoleBinding take effect a moment after they are stored.
        let ready = journal.change("ready", |_| {});
        eventually!(journal.create(&ready, "?dryRun=All", &OPERATOR).await.0 == StatusCode::CREATED);
        let forged = journal.change("ready", |spec| spec["actor"]["sub"] = json!("other"));
        eventually!(journal.create(&forged, "?dryRun=All", &OPERATOR).await.0 != StatusCode::CREATED);
        journal
    }

    /// An entry as the engine writes it, with something changed in its spec.
    fn change(&self, name: &str, edit: impl FnOnce(&mut Value)) -> Value {
        let who = Actor {
            issuer: "https://id.example".into(),
            sub: "abc".into(),
            ..Actor::loopback()
        };
        let mut object = change(&self.namespace, name, &who, "a");
        edit(&mut object["spec"]);
        object
    }

    async fn create(&self, object: &Value, query: &str, headers: &[(&str, &str)]) -> (StatusCode, Value) {
        let url = format!("{}{query}", self.url(""));
        admin::send(&self.person, Method::POST, &url, MEDIA, object, headers).await
    }

    fn url(&self, rest: &str) -> String {
        format!(
            "/apis/naru.dev/v1alpha1/namespaces/{}/changes{rest}",
            self.namespace
        )
    }
}

const OPERATOR: [(&str, &str); 4] = [
    ("Impersonate-User", "naru:person"),
    ("Impersonate-Group", "naru:operator"),
    ("Impersonate-Extra-naru.dev%2Fsub", "abc"),
    ("Impersonate-Extra-naru.dev%2Fissuer", "https://id.example"),
];

fn says(answer: &Value, words: &str) -> bool {
    answer["message"].as_str().unwrap_or("").contains(words)
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_only_who_approved_it_can_be_its_actor() {
    let journal = Journal::new().await;
    let cases: [(&str, Edit, &str); 5] = [
        (
            "sub",
            |spec| spec["actor"]["sub"] = json!("somebody"),
            "spec.actor is not who asks",
        ),
        (
            "issuer",
            |spec| spec["actor"]["issuer"] = json!("https://other.example"),
            "spec.actor is not who asks",
        ),
        (
            "groups",
            |spec| spec["actor"]["groups"] = json!(["naru:operator", "naru:viewer"]),
            "spec.actor.groups",
        ),
        (
            "target",
            |spec| spec["target"]["namespace"] = json!("default"),
            "spec.target.namespace",
        ),
        (
            "kind",
            |spec| spec["target"]["kind"] = json!("AuthorizationPolicy"),
            "spec.target.kind",
        ),
    ];
    for (name, edit, words) in cases {
        let (status, answer) = journal.create(&journal.change(name, edit), "", &OPERATOR).await;
        assert!(
            status == StatusCode::UNPROCESSABLE_ENTITY && says(&answer, words),
            "{name}: {answer}"
        );
    }
    let honest = journal.change("honest", |_| {});
    let nameless = &OPERATOR[..2];
    let (status, answer) = journal.create(&honest, "", nameless).await;
    assert!(
        status == StatusCode::UNPROCESSABLE_ENTITY && says(&answer, "for which person Naru asks"),
        "{answer}"
    );
    let (status, answer) = journal.create(&honest, "", &OPERATOR).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_who_may_not_patch_the_target_cannot_journal_a_change_of_it() {
    let journal = Journal::new().await;
    // May create Changes, but not patch VirtualServices.
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": "journal-only", "namespace": journal.namespace},
        "rules": [{"apiGroups": ["naru.dev"], "resources": ["changes"], "verbs": ["create"]}]});
    let bound = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "journal-only", "namespace": journal.namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "journal-only"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "naru:viewer"}]});
    journal.admin.apply_one(&role).await;
    journal.admin.apply_one(&bound).await;
    let mut viewer = OPERATOR;
    viewer[1].1 = "naru:viewer";
    let object = journal.change("viewer", |spec| spec["actor"]["groups"] = json!(["naru:viewer"]));
    let mut last;
    eventually!({
        last = journal.create(&object, "", &viewer).await.1;
        says(&last, "ValidatingAdmissionPolicy")
    });
    assert!(
        last["code"] == 403
            && says(
                &last,
                "may not patch objects of the target's kind in this namespace"
            ),
        "{last}"
    );
    // The right to one kind is none to another.
    let routes = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": "journal-only", "namespace": journal.namespace},
        "rules": [{"apiGroups": ["naru.dev"], "resources": ["changes"], "verbs": ["create"]},
            {"apiGroups": ["networking.istio.io"], "resources": ["virtualservices"], "verbs": ["patch"]}]});
    journal.admin.apply_one(&routes).await;
    eventually!({
        last = journal.create(&object, "", &viewer).await.1;
        last["code"] != 403
    });
    assert_eq!(last["metadata"]["name"], "viewer", "{last}");
    for (kind, words) in [
        ("DestinationRule", "may not patch objects of the target's kind"),
        ("HTTPRoute", "may not patch objects of the target's kind"),
        (
            "AuthorizationPolicy",
            "none of VirtualService, DestinationRule and HTTPRoute",
        ),
    ] {
        let other = journal.change("viewer-other", |spec| {
            spec["actor"]["groups"] = json!(["naru:viewer"]);
            spec["target"]["kind"] = json!(kind);
        });
        let (_, answer) = journal.create(&other, "", &viewer).await;
        assert!(says(&answer, words), "{kind}: {answer}");
    }
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_what_was_approved_never_changes() {
    let journal = Journal::new().await;
    let (status, answer) = journal
        .create(&journal.change("fixed", |_| {}), "", &OPERATOR)
        .await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    // Fields with a schema, and fields inside of what has none.
    for (path, value) in [
        ("/spec/reason", json!("x")),
        ("/spec/intent/setWeights/v1", json!(1)),
        ("/spec/ops/0/value", json!(99)),
    ] {
        let patch = json!([{"op": "replace", "path": path, "value": value}]);
        let (status, answer) = journal
            .admin
            .send(Method::PATCH, &journal.url("/fixed"), PATCH, &patch)
            .await;
        assert!(
            status == StatusCode::UNPROCESSABLE_ENTITY && says(&answer, "spec never changes"),
            "{path}: {answer}"
        );
    }
    let label = json!([{"op": "add", "path": "/metadata/labels", "value": {"kept": "yes"}}]);
    let (status, answer) = journal
        .admin
        .send(Method::PATCH, &journal.url("/fixed"), PATCH, &label)
        .await;
    assert!(status.is_success(), "{answer}");
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_the_schema_bounds_what_is_written() {
    let journal = Journal::new().await;
    let cases: [(&str, Edit); 9] = [
        ("empty-reason", |spec| spec["reason"] = json!("")),
        ("long-reason", |spec| spec["reason"] = json!("가".repeat(501))),
        ("digest", |spec| spec["digest"] = json!("ABC")),
        ("op", |spec| spec["ops"][0]["op"] = json!("drop")),
        ("many-ops", |spec| {
            spec["ops"] = vec![json!({"op": "test", "path": "/a", "value": 1}); 257].into()
        }),
        ("approved", |spec| spec["approvedAt"] = json!("yesterday")),
        ("no-target", |spec| {
            drop(spec.as_object_mut().unwrap().remove("target"))
        }),
        ("long-path", |spec| {
            spec["ops"][0]["path"] = json!("/a".repeat(600))
        }),
        ("no-sub", |spec| spec["actor"]["sub"] = json!("")),
    ];
    for (name, edit) in cases {
        let (status, answer) = journal.create(&journal.change(name, edit), "", &OPERATOR).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{name}: {answer}");
    }
    // 500 characters, not bytes.
    let longest = journal.change("longest", |spec| spec["reason"] = json!("가".repeat(500)));
    let (status, answer) = journal.create(&longest, "", &OPERATOR).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let misspelt = journal.change("misspelt", |spec| spec["reson"] = json!("x"));
    let (status, answer) = journal
        .create(&misspelt, "?fieldValidation=Strict", &OPERATOR)
        .await;
    assert!(
        status == StatusCode::BAD_REQUEST && says(&answer, "unknown field"),
        "{answer}"
    );
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_what_has_landed_stays_so() {
    let journal = Journal::new().await;
    let (status, answer) = journal
        .create(&journal.change("ended", |_| {}), "", &OPERATOR)
        .await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let to = async |phase: &str| {
        let patch =
            json!([{"op": "add", "path": "/status", "value": {"phase": phase, "resourceVersion": "later"}}]);
        // By Naru itself, whose right to do so is in rbac.yaml.
        admin::send(
            &journal.person,
            Method::PATCH,
            &journal.url("/ended/status"),
            PATCH,
            &patch,
            &[],
        )
        .await
    };
    for phase in ["Intended", "Stopped", "Landed", "Landed"] {
        let (status, answer) = to(phase).await;
        assert!(status.is_success(), "{phase}: {answer}");
    }
    for phase in ["Intended", "NotCarriedOut", "Done"] {
        let (status, answer) = to(phase).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{phase}: {answer}");
    }
}
