//! What people have put their names to cannot be forged: not by other people, not with kubectl, not by an administrator unless they take
//! the policies away, which is seen.
//!
//! Nothing here can be deleted, so that the tests share one chain, and each run carries on with what the one before it left.

mod deciding;
mod evidence;
mod importing;
mod passing_over;
mod reporting;
mod signing;
mod whole;

use super::{
    admin::{self, Admin, eventually},
    subject::install,
};
use http::{Method, StatusCode};
use kube::Client;
use naru_domain::{
    Name, Timestamp,
    actor::Actor,
    crossing::{
        Evidence, Item, SignOff,
        chain::verify,
        evidence::{EvidenceSpec, POLICIES},
        guard::Guards,
        signoff::{EvidenceRef, SignOffSpec},
    },
    fact::Fact,
    judge::{self, FactSource, Judgement, Verdict},
    object::{Digest, Kind, Object, Write, guarded},
    snapshot::Objects,
};
use naru_ports::{Clock, SystemClock};
use serde_json::{Value, json};
use tokio::sync::{Mutex, RwLock};

const MEDIA: &str = "application/json";
const PATCH: &str = "application/json-patch+json";

/// What is changed in an object before it is sent.
type Edit = fn(&mut Value);

/// A number that no chain comes to, for what is only tried.
const FAR: u32 = 999_999;

/// Written by the one test that takes a policy away, read by all others.
static POLICED: RwLock<()> = RwLock::const_new(());

/// The next number is one test's at a time.
static NEXT: Mutex<()> = Mutex::const_new(());

/// Who asks.
#[derive(Clone, Copy, Debug)]
enum Who {
    /// With all rights, past Naru: kubectl.
    Admin,
    /// Naru's ServiceAccount.
    Naru,
    /// Somebody, by subject and group.
    Person(&'static str, &'static str),
    /// A user of the cluster, past Naru.
    User(&'static str),
}

/// May sign phase 3 and pass over.
const KIM: Who = Who::Person("kim", "naru:operator");
/// So may she.
const LEE: Who = Who::Person("lee", "naru:operator");
/// May create SignOffs, and sign phase 1 alone.
const PARK: Who = Who::Person("park", "naru:viewer");

struct Ledger {
    admin: Admin,
    naru: Client,
}

impl Ledger {
    async fn new() -> Self {
        let admin = Admin::new().await;
        install(&admin).await;
        let bindings = [
            ("naru-signer", "naru:operator"),
            ("naru-sign-phase-3", "naru:operator"),
            ("naru-pass-over", "naru:operator"),
            ("naru-signer", "naru:viewer"),
            ("naru-sign-phase-1", "naru:viewer"),
        ];
        for (role, group) in bindings {
            let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
                "metadata": {"name": format!("suite-{role}-{}", group.replace(':', "-"))},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": group}]});
            admin.apply_one(&binding).await;
        }
        let mut config = admin::config().await;
        config.auth_info = kube::config::AuthInfo {
            token: Some(admin.token("naru", "naru").await.into()),
            ..kube::config::AuthInfo::default()
        };
        let ledger = Self {
            admin,
            naru: Client::try_from(config).unwrap(),
        };
        ledger.in_force().await;
        ledger
    }

    /// New policies and new bindings take effect a moment after they are stored.
    async fn in_force(&self) {
        let honest = sign_off(KIM, FAR, &reference(), Digest::default());
        eventually!(self.try_create(KIM, "signoffs", &honest).await.0 == StatusCode::CREATED);
        let forged = [
            ("signoffs", honest.clone()),
            ("evidences", judged().object().unwrap().json().clone()),
            ("waivers", waiver("probe")),
            ("reports", reporting::report("nobody")),
        ];
        for (kind, object) in forged {
            eventually!(!self.try_create(Who::Admin, kind, &object).await.0.is_success());
        }
    }

    async fn send(
        &self,
        who: Who,
        method: Method,
        url: &str,
        media: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        let url = format!("/apis/naru.dev/v1alpha1/{url}");
        let headers = match who {
            Who::Admin => return self.admin.send(method, &url, media, body).await,
            Who::Naru => Vec::new(),
            Who::User(user) => return self.admin.send_as(user, method, &url, media, body).await,
            Who::Person(sub, group) => vec![
                ("Impersonate-User", "naru:person"),
                ("Impersonate-Group", group),
                ("Impersonate-Extra-naru.dev%2Fsub", sub),
                ("Impersonate-Extra-naru.dev%2Fissuer", "https://id.example"),
            ],
        };
        admin::send(&self.naru, method, &url, media, body, &headers).await
    }

    async fn create(&self, who: Who, kind: &str, object: &Value) -> (StatusCode, Value) {
        let url = format!("{kind}?fieldValidation=Strict");
        self.send(who, Method::POST, &url, MEDIA, object).await
    }

    /// Whether it would be created.
    async fn try_create(&self, who: Who, kind: &str, object: &Value) -> (StatusCode, Value) {
        let url = format!("{kind}?dryRun=All");
        self.send(who, Method::POST, &url, MEDIA, object).await
    }

    async fn patch(&self, who: Who, url: &str, patch: &Value) -> (StatusCode, Value) {
        self.send(who, Method::PATCH, url, PATCH, patch).await
    }

    async fn get(&self, url: &str) -> (StatusCode, Value) {
        self.send(Who::Admin, Method::GET, url, MEDIA, &Value::Null).await
    }

    /// Sends a status as the domain writes it.
    async fn write(&self, who: Who, write: &Write) -> (StatusCode, Value) {
        let Write::PatchStatus { key, rv, ops } = write else {
            panic!("not a status: {write:?}");
        };
        let ops = serde_json::to_value(guarded(rv, ops)).unwrap();
        self.patch(who, &format!("signoffs/{}/status", key.name), &ops)
            .await
    }

    /// It is refused in these words, and not there.
    async fn no_create(&self, who: Who, kind: &str, object: &Value, code: u16, words: &str) {
        let (status, answer) = self.create(who, kind, object).await;
        assert!(
            status == code && says(&answer, words),
            "{who:?}, {words}: {answer}"
        );
        if let Some(name) = object["metadata"]["name"].as_str() {
            let (status, _) = self.get(&format!("{kind}/{name}")).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{name}");
        }
    }

    /// It is refused in these words, and the object is as before.
    async fn no_patch(&self, who: Who, url: &str, patch: &Value, code: u16, words: &str) {
        let object = url.trim_end_matches("/status");
        let before = self.get(object).await.1;
        let (status, answer) = self.patch(who, url, patch).await;
        assert!(
            status == code && says(&answer, words),
            "{who:?}, {words}: {answer}"
        );
        assert_eq!(self.get(object).await.1, before);
    }

    /// It is refused in these words, and still there.
    async fn no_delete(&self, who: Who, url: &str, code: u16, words: &str) {
        let before = self.get(url).await;
        let (status, answer) = self.send(who, Method::DELETE, url, MEDIA, &Value::Null).await;
        assert!(
            status == code && says(&answer, words),
            "{who:?}, {words}: {answer}"
        );
        assert_eq!(self.get(url).await, before);
    }

    async fn list(&self, kind: Kind) -> Vec<Object> {
        let (status, answer) = self.get(kind.plural()).await;
        assert!(status.is_success(), "{answer}");
        let items = answer["items"].as_array().unwrap().iter();
        items.map(|it| Object::new(kind, it.clone()).unwrap()).collect()
    }

    async fn sign_offs(&self) -> Vec<SignOff> {
        let all = self.list(Kind::SignOff).await;
        all.iter().map(|it| SignOff::read(it).unwrap()).collect()
    }

    async fn all_evidence(&self) -> Vec<Evidence> {
        let all = self.list(Kind::Evidence).await;
        all.iter().map(|it| Evidence::read(it).unwrap()).collect()
    }

    /// Evidence as Naru writes it.
    async fn evidence(&self) -> Evidence {
        let object = judged().object().unwrap();
        let (status, answer) = self.create(Who::Naru, "evidences", object.json()).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        Evidence::read(&Object::new(Kind::Evidence, answer).unwrap()).unwrap()
    }

    /// Signs 3.1 as the next of the chain.
    async fn signed(&self, who: Who) -> SignOff {
        let _mine = NEXT.lock().await;
        let evidence = self.evidence().await;
        let head = verify(&self.sign_offs().await, &self.all_evidence().await, None).unwrap();
        let object = sign_off(who, head.count + 1, &named(&evidence), head.digest);
        let (status, answer) = self.create(who, "signoffs", &object).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        SignOff::read(&Object::new(Kind::SignOff, answer).unwrap()).unwrap()
    }

    /// As it is now.
    async fn again(&self, sign_off: &SignOff) -> SignOff {
        let (_, answer) = self.get(&format!("signoffs/{}", sign_off.name)).await;
        SignOff::read(&Object::new(Kind::SignOff, answer).unwrap()).unwrap()
    }

    /// How Naru's policies stand, as the API server has them.
    async fn guards(&self) -> Guards {
        let mut objects = Objects::all_known();
        for name in POLICIES {
            for kind in [
                Kind::ValidatingAdmissionPolicy,
                Kind::ValidatingAdmissionPolicyBinding,
            ] {
                let url = format!("/apis/{}/{}/{name}", kind.api_version(), kind.plural());
                let (status, json) = self.admin.get(&url).await;
                if status.is_success() {
                    objects.put(Fact::read(kind, json).unwrap());
                }
            }
        }
        Guards::of(&objects)
    }
}

fn says(answer: &Value, words: &str) -> bool {
    answer["message"].as_str().unwrap_or("").contains(words)
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn actor(who: Who) -> Actor {
    let (sub, group) = match who {
        Who::Person(sub, group) => (sub, group),
        Who::Admin | Who::Naru | Who::User(_) => ("nobody", "naru:operator"),
    };
    Actor {
        issuer: "https://id.example".into(),
        sub: sub.into(),
        name: "김운영".into(),
        groups: [Name::from(group)].into(),
    }
}

/// Each is another, since it says when.
fn judged() -> EvidenceSpec {
    let judgement = Judgement {
        item: Item::Secured,
        verdict: Verdict::Met,
        findings: Vec::new(),
        facts: vec![judge::Fact {
            name: "injection",
            source: FactSource::Object,
            key: None,
            path: "/metadata/labels/istio-injection".into(),
            value: "enabled".into(),
            at: Some(now()),
            resource_version: "7".into(),
        }],
        unknown: Vec::new(),
    };
    EvidenceSpec::of(&judgement, None, Vec::new(), now())
}

fn named(evidence: &Evidence) -> EvidenceRef {
    EvidenceRef {
        name: evidence.name.clone(),
        uid: evidence.uid.clone(),
        digest: evidence.digest.clone(),
    }
}

fn reference() -> EvidenceRef {
    EvidenceRef {
        name: "3.1-none".into(),
        uid: "none".into(),
        digest: Digest::of(&Value::Null),
    }
}

fn sign_off(who: Who, number: u32, evidence: &EvidenceRef, previous: Digest) -> Value {
    let spec = SignOffSpec {
        item: "3.1".into(),
        evidence: evidence.clone(),
        previous,
        actor: actor(who),
        statement: "All callers are known.".into(),
        signed_at: now(),
    };
    spec.object(number).unwrap().json().clone()
}

fn waiver(name: &str) -> Value {
    let until = now() + std::time::Duration::from_secs(86_400);
    json!({"apiVersion": "naru.dev/v1alpha1", "kind": "Waiver", "metadata": {"name": name}, "spec": {
        "item": "3.1", "reason": "Batch callers move next week.", "owner": "team-batch", "until": until, "actor": actor(KIM), "at": now()}})
}
