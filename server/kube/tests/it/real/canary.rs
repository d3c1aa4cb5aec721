//! Canaries are begun and steered by who may move the weights, in their own name; Naru says how far they are, and moves them where a namespace
//! lets it; and whoever stops everything is known.

mod bounds;
mod frozen;
mod moving;

use super::{
    admin::{self, Admin, eventually},
    subject::{install, namespace},
};
use http::{Method, StatusCode};
use kube::Client;
use serde_json::{Value, json};

const MEDIA: &str = "application/json";
const PATCH: &str = "application/json-patch+json";

/// What is changed in a `spec` before it is sent.
type Edit = fn(&mut Value);

/// Who asks.
#[derive(Clone, Copy, Debug)]
enum Who {
    /// With all rights, past Naru.
    Admin,
    /// Naru's ServiceAccount.
    Naru,
    /// Somebody for whom Naru asks, by subject and group.
    Person(&'static str, &'static str),
    /// Somebody of whom Naru says nothing but the group.
    Nobody,
    /// A user of the cluster, past Naru.
    User(&'static str),
}

/// May move weights in the suite's namespaces.
const KIM: Who = Who::Person("kim", "naru:operator");
/// May look on.
const PARK: Who = Who::Person("park", "naru:viewer");
/// With a kubeconfig of her own, and an operator's rights.
const ALICE: Who = Who::User("alice");

struct Canaries {
    admin: Admin,
    naru: Client,
    namespace: String,
}

impl Canaries {
    async fn new() -> Self {
        let admin = Admin::new().await;
        install(&admin).await;
        let namespace = namespace(&admin).await;
        let mut config = admin::config().await;
        config.auth_info = kube::config::AuthInfo {
            token: Some(admin.token("naru", "naru").await.into()),
            ..kube::config::AuthInfo::default()
        };
        let this = Self {
            admin,
            naru: Client::try_from(config).unwrap(),
            namespace,
        };
        this.bind(
            "alice",
            "ClusterRole",
            "naru-operator",
            &json!({"kind": "User", "name": "alice", "apiGroup": RBAC}),
        )
        .await;
        // A new policy and a new RoleBinding take effect a moment after they are stored.
        let honest = [
            this.canary("ready", KIM, |_| {}),
            this.canary("ready", ALICE, |_| {}),
        ];
        for (who, canary) in [KIM, ALICE].into_iter().zip(honest) {
            eventually!(this.create(who, "canaries?dryRun=All", &canary).await.0 == StatusCode::CREATED);
        }
        let forged = this.canary("ready", PARK, |_| {});
        eventually!(this.create(KIM, "canaries?dryRun=All", &forged).await.0 != StatusCode::CREATED);
        this
    }

    /// Gives somebody a role in the namespace.
    async fn bind(&self, name: &str, kind: &str, role: &str, subject: &Value) {
        let binding = json!({"apiVersion": format!("{RBAC}/v1"), "kind": "RoleBinding",
            "metadata": {"name": name, "namespace": self.namespace},
            "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role}, "subjects": [subject]});
        self.admin.apply_one(&binding).await;
    }

    /// Gives a group, or Naru, a role of the namespace's own.
    async fn give(&self, name: &str, rules: &Value, subject: &Value) {
        let role = json!({"apiVersion": format!("{RBAC}/v1"), "kind": "Role",
            "metadata": {"name": name, "namespace": self.namespace}, "rules": rules});
        self.admin.apply_one(&role).await;
        self.bind(name, "Role", name, subject).await;
    }

    /// A Canary as `who` would write it, with something changed in its spec.
    fn canary(&self, name: &str, who: Who, edit: impl FnOnce(&mut Value)) -> Value {
        let mut object = json!({
            "apiVersion": "naru.dev/v1alpha1", "kind": "Canary", "metadata": {"name": name, "namespace": self.namespace},
            "spec": {
                "route": {"name": "shop", "rule": 0},
                "stable": {"host": "shop", "subset": "v1"},
                "canary": {"host": "shop", "subset": "v2"},
                "steps": [
                    {"weight": 5, "dwell": "10m", "requests": 1000},
                    {"weight": 50, "dwell": "1h 30m", "requests": 5000},
                ],
                "guardrail": {"errors": 0.01, "latency": {"aboveMs": 500, "difference": 0.05}},
                "warmUp": "3m", "maxBlind": "10m", "keepOld": "24h", "course": "run",
                "approvedBy": approved_by(who),
            },
        });
        edit(&mut object["spec"]);
        object
    }

    async fn send(
        &self,
        who: Who,
        method: Method,
        url: &str,
        media: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        let headers = match who {
            Who::Admin => return self.admin.send(method, url, media, body).await,
            Who::User(user) => return self.admin.send_as(user, method, url, media, body).await,
            Who::Naru => Vec::new(),
            Who::Nobody => vec![
                ("Impersonate-User", "naru:person"),
                ("Impersonate-Group", "naru:operator"),
            ],
            Who::Person(sub, group) => vec![
                ("Impersonate-User", "naru:person"),
                ("Impersonate-Group", group),
                ("Impersonate-Extra-naru.dev%2Fsub", sub),
                ("Impersonate-Extra-naru.dev%2Fissuer", "https://id.example"),
            ],
        };
        admin::send(&self.naru, method, url, media, body, &headers).await
    }

    /// Where something of Naru's is, in the namespace.
    fn url(&self, rest: &str) -> String {
        format!("/apis/naru.dev/v1alpha1/namespaces/{}/{rest}", self.namespace)
    }

    async fn create(&self, who: Who, rest: &str, object: &Value) -> (StatusCode, Value) {
        self.send(who, Method::POST, &self.url(rest), MEDIA, object).await
    }

    async fn patch(&self, who: Who, rest: &str, patch: &Value) -> (StatusCode, Value) {
        self.send(who, Method::PATCH, &self.url(rest), PATCH, patch).await
    }

    /// It is refused in these words, and not there.
    async fn no_create(&self, who: Who, object: &Value, code: u16, words: &str) {
        let (status, answer) = self.create(who, "canaries?fieldValidation=Strict", object).await;
        assert!(
            status == code && says(&answer, words),
            "{who:?}, {words}: {answer}"
        );
        let name = object["metadata"]["name"].as_str().unwrap();
        let (status, _) = self.admin.get(&self.url(&format!("canaries/{name}"))).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{name}");
    }

    /// It is refused in these words, and the object is as before.
    async fn no_patch(&self, who: Who, rest: &str, patch: &Value, code: u16, words: &str) {
        let url = self.url(rest.trim_end_matches("/status"));
        let before = self.admin.get(&url).await.1;
        let (status, answer) = self.patch(who, rest, patch).await;
        assert!(
            status == code && says(&answer, words),
            "{who:?}, {words}: {answer}"
        );
        assert_eq!(self.admin.get(&url).await.1, before);
    }

    /// Begun by Kim.
    async fn begun(&self, name: &str) {
        let canary = self.canary(name, KIM, |_| {});
        let (status, answer) = self.create(KIM, "canaries?fieldValidation=Strict", &canary).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";

fn approved_by(who: Who) -> Value {
    match who {
        Who::Person(sub, _) => json!({"issuer": "https://id.example", "subject": sub, "name": "Somebody"}),
        Who::User(user) => json!({"issuer": "kubernetes", "subject": user, "name": user}),
        Who::Naru => {
            json!({"issuer": "kubernetes", "subject": "system:serviceaccount:naru:naru", "name": ""})
        }
        Who::Admin | Who::Nobody => json!({"issuer": "https://id.example", "subject": "nobody", "name": ""}),
    }
}

fn group(name: &str) -> Value {
    json!({"kind": "Group", "name": name, "apiGroup": RBAC})
}

fn naru() -> Value {
    json!({"kind": "ServiceAccount", "name": "naru", "namespace": "naru"})
}

fn says(answer: &Value, words: &str) -> bool {
    answer["message"].as_str().unwrap_or("").contains(words)
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_a_canary_is_approved_by_who_asks() {
    let canaries = Canaries::new().await;
    for (name, who) in [("a-person", KIM), ("a-user", ALICE)] {
        let honest = canaries.canary(name, who, |_| {});
        let (status, answer) = canaries
            .create(who, "canaries?fieldValidation=Strict", &honest)
            .await;
        assert_eq!(status, StatusCode::CREATED, "{name}: {answer}");
    }
    let forged: [(Who, Edit, &str); 7] = [
        (
            KIM,
            |it| it["approvedBy"]["subject"] = json!("lee"),
            "spec.approvedBy is not who asks",
        ),
        (
            KIM,
            |it| it["approvedBy"]["issuer"] = json!("https://other.example"),
            "spec.approvedBy is not who asks",
        ),
        (
            KIM,
            |it| it["approvedBy"] = approved_by(ALICE),
            "spec.approvedBy is not who asks",
        ),
        (
            ALICE,
            |it| it["approvedBy"] = approved_by(KIM),
            "spec.approvedBy is not who asks",
        ),
        (
            ALICE,
            |it| it["approvedBy"]["subject"] = json!("bob"),
            "spec.approvedBy is not who asks",
        ),
        (
            ALICE,
            |it| it["approvedBy"]["name"] = json!("Bob"),
            "spec.approvedBy.name is not who asks",
        ),
        (Who::Nobody, |_| {}, "for which person Naru asks"),
    ];
    for (who, edit, words) in forged {
        let forged = canaries.canary("forged", who, edit);
        canaries.no_create(who, &forged, 422, words).await;
    }
    // An administrator writes in nobody else's name either.
    canaries
        .no_create(
            Who::Admin,
            &canaries.canary("forged", KIM, |_| {}),
            422,
            "spec.approvedBy is not who asks",
        )
        .await;
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_who_may_not_move_the_weights_neither_begins_nor_steers() {
    let canaries = Canaries::new().await;
    canaries
        .no_create(
            PARK,
            &canaries.canary("viewed", PARK, |_| {}),
            403,
            "cannot create resource",
        )
        .await;
    let naru = canaries.canary("own", Who::Naru, |_| {});
    canaries
        .no_create(Who::Naru, &naru, 403, "cannot create resource")
        .await;

    // With rights to canaries and none to the VirtualService, or to another one.
    canaries.begun("shop").await;
    let few = |routes: &str| {
        json!([{"apiGroups": ["naru.dev"], "resources": ["canaries"], "verbs": ["create", "patch"]},
            {"apiGroups": ["networking.istio.io"], "resources": ["virtualservices"], "resourceNames": [routes], "verbs": ["patch"]}])
    };
    canaries
        .give("canaries-only", &few("other"), &group("naru:viewer"))
        .await;
    let viewed = canaries.canary("viewed", PARK, |_| {});
    eventually!(says(
        &canaries.create(PARK, "canaries", &viewed).await.1,
        "ValidatingAdmissionPolicy"
    ));
    let words = "may not patch the VirtualService that this Canary moves";
    canaries.no_create(PARK, &viewed, 403, words).await;
    for course in ["pause", "promote", "abort"] {
        let patch = json!([{"op": "replace", "path": "/spec/course", "value": course}]);
        canaries.no_patch(PARK, "canaries/shop", &patch, 403, words).await;
    }
    let label = json!([{"op": "add", "path": "/metadata/labels", "value": {"kept": "yes"}}]);
    let (status, answer) = canaries.patch(PARK, "canaries/shop", &label).await;
    assert!(status.is_success(), "{answer}");
    // With the right to that one they are like anybody.
    canaries
        .give("canaries-only", &few("shop"), &group("naru:viewer"))
        .await;
    eventually!(canaries.create(PARK, "canaries", &viewed).await.0 == StatusCode::CREATED);

    // Naru neither, whatever rights somebody gives it.
    canaries
        .give(
            "naru-all",
            &json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]),
            &self::naru(),
        )
        .await;
    eventually!(says(
        &canaries.create(Who::Naru, "canaries", &naru).await.1,
        "ValidatingAdmissionPolicy"
    ));
    canaries
        .no_create(Who::Naru, &naru, 422, "begun and steered by people")
        .await;
    let patch = json!([{"op": "replace", "path": "/spec/course", "value": "promote"}]);
    canaries
        .no_patch(
            Who::Naru,
            "canaries/shop",
            &patch,
            422,
            "begun and steered by people",
        )
        .await;
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_only_the_course_changes_and_deleting_stops_it() {
    let canaries = Canaries::new().await;
    canaries.begun("shop").await;
    for (who, course) in [(KIM, "pause"), (ALICE, "run"), (KIM, "promote"), (ALICE, "abort")] {
        let patch = json!([{"op": "replace", "path": "/spec/course", "value": course}]);
        let (status, answer) = canaries.patch(who, "canaries/shop", &patch).await;
        assert!(
            status.is_success() && answer["spec"]["course"] == course,
            "{answer}"
        );
    }
    for (path, value, words) in [
        ("route", json!({"name": "shop", "rule": 1}), "never change"),
        ("route", json!({"name": "other", "rule": 0}), "never change"),
        ("stable", json!({"host": "shop", "subset": "v3"}), "never change"),
        (
            "canary",
            json!({"host": "shop.other.svc.cluster.local", "subset": "v2"}),
            "never change",
        ),
        ("approvedBy", approved_by(ALICE), "never change"),
        (
            "steps",
            json!([{"weight": 100, "dwell": "0s", "requests": 0}]),
            "steps and guardrail never change",
        ),
        (
            "guardrail",
            json!({"errors": 1}),
            "steps and guardrail never change",
        ),
        ("guardrail", json!({}), "steps and guardrail never change"),
        ("warmUp", json!("0s"), "never change"),
        ("maxBlind", json!("24h"), "never change"),
        ("keepOld", json!("0s"), "never change"),
        ("whenBlind", json!("rollBack"), "never change"),
        ("onFailure", json!("hold"), "never change"),
    ] {
        let patch = json!([{"op": "add", "path": format!("/spec/{path}"), "value": value}]);
        // Whoever asks, with all rights too.
        for who in [ALICE, Who::Admin] {
            canaries.no_patch(who, "canaries/shop", &patch, 422, words).await;
        }
    }
    let gone = json!([{"op": "remove", "path": "/spec/guardrail"}]);
    canaries
        .no_patch(
            KIM,
            "canaries/shop",
            &gone,
            422,
            "steps and guardrail never change",
        )
        .await;

    let url = canaries.url("canaries/shop");
    let (status, _) = canaries
        .send(PARK, Method::DELETE, &url, MEDIA, &Value::Null)
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, answer) = canaries
        .send(KIM, Method::DELETE, &url, MEDIA, &Value::Null)
        .await;
    assert!(status.is_success(), "{answer}");
}
