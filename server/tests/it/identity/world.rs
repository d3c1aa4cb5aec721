//! A console with a login, its provider, its cluster, and browsers.

use super::provider::{CLIENT, Provider};
use crate::support::{Shown, ask, signed};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use naru::sessions::{
    Identity, Means, SignIn,
    groups::Mapping,
    oidc::{Oidc, Settings},
    seal::Keys,
};
use naru_domain::{
    actor::Actor,
    object::{Key, Kind},
};
use naru_ports::{Clock, Cluster, SystemClock};
use naru_rehearsal::api::ObjectStore;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

/// The name of the console's session cookie.
pub(crate) const SESSION: &str = "__Host-naru-session";

/// The machine's clock, moved on by a test.
#[derive(Default)]
pub(crate) struct Moved(AtomicI64);

impl Moved {
    pub(crate) fn on(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

#[async_trait::async_trait]
impl Clock for Moved {
    fn now(&self) -> Timestamp {
        SystemClock.now() + SignedDuration::from_secs(self.0.load(Ordering::Relaxed))
    }

    async fn sleep_until(&self, moment: Timestamp) {
        SystemClock.sleep_until(moment).await;
    }
}

/// A key that opens what another key sealed, if both are there.
pub(crate) const KEYS: [&str; 2] = [
    "vgc//1yUTiEu9/bdtJ/dnaWFEIe0wJ3w/PWyQIjS5Zw=",
    "KATR1UKCL2hkgIWpLnW1hJTzmG3gPDZCAcoBluZ2rLg=",
];

pub(crate) struct World {
    pub(crate) clock: Arc<Moved>,
    pub(crate) provider: Arc<Provider>,
    pub(crate) store: Arc<ObjectStore>,
    pub(crate) router: Router,
    name: String,
}

impl World {
    pub(crate) async fn new(test: &str) -> Self {
        // As main does: rustls wants to be told which provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = Arc::new(Moved::default());
        let provider = Provider::start(clock.clone()).await;
        let store = Arc::new(ObjectStore::new(clock.clone(), 64));
        store.install(Kind::RevokedSessions);
        for name in ["default", "shop"] {
            let json =
                serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            store.load(Kind::Namespace, json, "kubectl").unwrap();
        }
        let mut world = Self {
            clock,
            provider,
            store,
            router: Router::new(),
            name: test.to_owned(),
        };
        world.router = world.replica(KEYS[0]).await;
        world
    }

    /// Another server on the same cluster and provider.
    pub(crate) async fn replica(&self, keys: &str) -> Router {
        let settings = Settings {
            issuer: self.provider.url.clone(),
            client_id: CLIENT.into(),
            secret: None,
            ca: None,
            redirect_uri: "https://naru.example/login/callback".into(),
            signed_out_uri: "https://naru.example/login".into(),
            groups: Mapping::new("groups", "naru:", &[]).unwrap(),
        };
        let oidc = Oidc::new(settings, self.clock.clone()).unwrap();
        self.with(keys, Means::Oidc(Box::new(oidc))).await
    }

    /// Another server on the same cluster, for people who sign in so.
    pub(crate) async fn with(&self, keys: &str, means: Means) -> Router {
        let keys = Keys::parse(keys).unwrap();
        let desk = SignIn::start(keys, means, self.store.clone(), self.clock.clone());
        let router = signed(&self.name, Shown::new(1), Identity::SignedIn(Arc::new(desk)));
        // Until the watches have listed: what was ended is known then.
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        router
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::of(&self.router)
    }

    /// A browser whose person is signed in.
    pub(crate) async fn signed_in(&self) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(&self.provider, "/topology").await;
        assert_eq!((answer.status, answer.location()), (303, "/topology"));
        assert!(browser.jar.contains_key(SESSION));
        browser
    }

    /// Sessions that are written down as ended.
    pub(crate) async fn ended(&self) -> usize {
        let key = Key::new(Kind::RevokedSessions, "", "naru");
        self.store
            .get(&key)
            .await
            .map_or(0, |object| object.list("/spec/sessions").len())
    }

    /// Whether nothing was written into the cluster.
    pub(crate) fn untouched(&self) -> bool {
        self.store.audit().is_empty()
    }

    /// What of the cluster the API server lets this group see.
    pub(crate) fn may_list_pods(&self, group: &str, namespaces: &[&str]) {
        let deed = |name: &&str| naru_rehearsal::api::Deeds {
            verb: Some("list"),
            kind: Some(Kind::Pod),
            namespace: Some((*name).into()),
            name: None,
        };
        self.store
            .allow_only(group, namespaces.iter().map(deed).collect::<Vec<_>>());
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn location(&self) -> &str {
        self.headers.get("location").map_or("", |it| it.to_str().unwrap())
    }

    /// Whether it gives somebody a session.
    pub(crate) fn lets_in(&self) -> bool {
        let cookies = self.headers.get_all("set-cookie").iter();
        let mut texts = cookies.map(|it| it.to_str().unwrap());
        texts.any(|text| text.starts_with(SESSION) && !text.contains("Max-Age=0"))
    }
}

/// Keeps cookies, and goes where it is told.
#[derive(Clone)]
pub(crate) struct Browser {
    router: Router,
    pub(crate) jar: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn of(router: &Router) -> Self {
        Self {
            router: router.clone(),
            jar: BTreeMap::new(),
        }
    }

    /// The same cookies, at another replica.
    pub(crate) fn at(&self, router: &Router) -> Self {
        Self {
            router: router.clone(),
            jar: self.jar.clone(),
        }
    }

    fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let cookies: Vec<String> = self
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost:3000");
        if cookies.is_empty() {
            request
        } else {
            request.header("cookie", cookies.join("; "))
        }
    }

    pub(crate) async fn send(&mut self, request: Request<Body>) -> Answer {
        let (parts, body) = ask(&self.router, request).await.into_parts();
        for line in parts.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let (pair, attributes) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if name.starts_with("__Host-") {
                for needed in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
                    assert!(attributes.contains(needed), "{line}");
                }
            }
            if attributes.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// Opens a page.
    pub(crate) async fn open(&mut self, path: &str) -> Answer {
        let request = self
            .request(Method::GET, path)
            .header("sec-fetch-mode", "navigate")
            .header("accept", "text/html,application/xhtml+xml");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// What a script of a page asks for.
    pub(crate) async fn fetch(&mut self, path: &str) -> Answer {
        let request = self
            .request(Method::GET, path)
            .header("sec-fetch-mode", "cors")
            .header("accept", "*/*");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Sends a form of one of our pages.
    pub(crate) async fn post(&mut self, path: &str, form: &str) -> Answer {
        self.post_from("http://localhost:3000", path, form).await
    }

    /// Sends a form of a page of this origin.
    pub(crate) async fn post_from(&mut self, origin: &str, path: &str, form: &str) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header("origin", origin)
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.to_owned())).unwrap())
            .await
    }

    /// Tries to change something.
    pub(crate) async fn write(&mut self) -> Answer {
        let request = self
            .request(Method::POST, "/api/plan_weights")
            .header("origin", "http://localhost:3000")
            .header("content-type", "application/json")
            .header("accept", "application/json");
        let intent = r#"{"intent": {"route": {"namespace": "shop", "name": "a", "rule": 0}, "weights": []}}"#;
        self.send(request.body(Body::from(intent)).unwrap()).await
    }

    /// Signs in, as far as the console lets it.
    pub(crate) async fn sign_in(&mut self, provider: &Provider, to: &str) -> Answer {
        let begun = self
            .open(&format!("/login/start?to={}", to.replace('&', "%26")))
            .await;
        assert_eq!(begun.status, 303, "{begun:?}");
        let back = provider.authorize(begun.location());
        self.open(&back).await
    }

    /// Whether the console knows who this is.
    pub(crate) async fn known(&mut self) -> bool {
        self.fetch("/live/overview").await.status == StatusCode::OK.as_u16()
    }
}

/// Somebody in this group.
pub(crate) fn somebody(group: &str) -> Actor {
    Actor {
        groups: [group.into()].into(),
        ..Actor::loopback()
    }
}
