//! What the tests share: a console whose view the test sets, assets as trunk leaves them, a way to ask.

pub(crate) mod api_server;
pub(crate) mod cluster;
pub(crate) mod odd_server;
pub(crate) mod process;

use axum::{
    Router,
    body::Body,
    http::{Method, Request, Response, StatusCode},
};
use http_body_util::BodyExt;
use naru::{
    http::{Hosts, router, site::Site},
    live::Doorbell,
    sessions::Identity,
};
use naru_app::context::{Backend, Mode};
use naru_domain::{
    actor::{Actor, Scope},
    change::plan::Intent,
    crossing::Item,
    object::Key,
    snapshot::Snapshot,
    view::explanation,
};
use naru_ports::{Clock, Console, Judged, Sheet, Surveyed};
use naru_view::{
    Name, View,
    canary::{Applied, Canaries, PlanSheet},
    change::Changes,
    explanation::{Ask, Explanation},
    freeze::Standstill,
    in_force::Reached,
    ledger::Deed,
    order::{Begin, Steer},
    overview::Overview,
    source::{Freshness, SourceState},
    topology::Topology,
    version::Version,
    why::{ApplyError, Refused, SourceName, Why},
};
use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tokio::sync::{Notify, watch};
use tower::ServiceExt;

/// Which process a test's console pretends to be.
pub(crate) const EPOCH: u64 = 7;

/// A console that shows what the test says, and refuses every change as forbidden.
pub(crate) struct Shown {
    view: watch::Sender<Arc<View>>,
    /// How many views were asked for.
    pub(crate) asked: Mutex<u64>,
}

impl Shown {
    pub(crate) fn new(seq: u64) -> Arc<Self> {
        Arc::new(Self {
            view: watch::Sender::new(view(seq, &[])),
            asked: Mutex::default(),
        })
    }

    pub(crate) fn show(&self, view: Arc<View>) {
        self.view.send_replace(view);
    }
}

#[async_trait::async_trait]
impl Console for Shown {
    fn view(&self, _: &Scope) -> Arc<View> {
        *self.asked.lock().unwrap() += 1;
        self.view.borrow().clone()
    }

    /// Of a cluster in which nothing is known: what cannot be used is refused as the domain refuses it.
    fn explain(&self, scope: &Scope, ask: &Ask) -> Result<Explanation, Refused> {
        let view = self.view.borrow();
        let nothing = Snapshot {
            version: view.version,
            taken: jiff::Timestamp::UNIX_EPOCH,
            objects: Default::default(),
            traffic: Default::default(),
        };
        explanation(&nothing, scope, &view.topology, ask)
    }

    fn judged(&self, _: &Scope) -> Judged {
        Judged::none(self.view.borrow().version)
    }

    fn surveyed(&self, _: &Scope) -> Option<Surveyed> {
        None
    }

    async fn sheet(&self, _: &Actor, _: &Scope, _: Item) -> Result<Sheet, ApplyError> {
        Err(ApplyError::Forbidden { detail: "no".into() })
    }

    async fn put(&self, _: &Actor, _: &Deed) -> Result<Name, ApplyError> {
        Err(ApplyError::Forbidden { detail: "no".into() })
    }

    async fn changed(&self, seen: Version) -> Version {
        let mut views = self.view.subscribe();
        views.wait_for(|view| view.version != seen).await.unwrap().version
    }

    fn read_only(&self) -> bool {
        false
    }

    async fn plan(&self, _: &Actor, _: &Intent) -> Result<PlanSheet, ApplyError> {
        Err(ApplyError::Forbidden { detail: "no".into() })
    }

    async fn freeze(&self, _: &Actor, _: &str) -> Result<(), ApplyError> {
        Err(ApplyError::Forbidden { detail: "no".into() })
    }

    async fn lift(&self, _: &Actor) -> Result<(), ApplyError> {
        Err(ApplyError::Forbidden { detail: "no".into() })
    }

    async fn apply(&self, _: &Actor, _: &Intent, _: &str, _: &str) -> Result<Applied, ApplyError> {
        Err(ApplyError::Forbidden { detail: "no".into() })
    }

    async fn reached(&self, _: &Scope, _: &Key) -> Result<Reached, ApplyError> {
        Err(ApplyError::Forbidden { detail: "no".into() })
    }

    async fn steer(&self, _: &Actor, _: &Steer) -> Result<(), ApplyError> {
        Err(ApplyError::Forbidden { detail: "no".into() })
    }

    async fn propose(&self, _: &Actor, _: &Intent, _: &str, _: &str) -> Result<Name, ApplyError> {
        Err(ApplyError::Refused {
            refused: Refused::OneIsEnough,
        })
    }

    async fn begin(&self, _: &Actor, _: &Begin) -> Result<Name, ApplyError> {
        Err(ApplyError::Forbidden { detail: "no".into() })
    }
}

/// A view without content, whose sources have these troubles.
pub(crate) fn view(seq: u64, whys: &[Why]) -> Arc<View> {
    let version = Version { epoch: EPOCH, seq };
    let source = |source| SourceState {
        source,
        state: Freshness::Fresh,
        at: Some(1_000),
        whys: whys.to_vec(),
    };
    let sources = vec![source(SourceName::Kubernetes), source(SourceName::Prometheus)];
    // Long enough that compressing it is worth while.
    let namespaces: Vec<Name> = (0..200).map(|n| format!("namespace-{n}").into()).collect();
    Arc::new(View {
        version,
        overview: Arc::new(Overview {
            version,
            window_s: 60,
            sources: sources.clone(),
            services: Vec::new(),
            failing: Vec::new(),
            in_flight: Vec::new(),
            meshed: (1, 2),
            open_changes: 0,
        }),
        topology: Arc::new(Topology {
            version,
            at: Some(1_000),
            window_s: 60,
            sources: sources.clone(),
            namespaces,
            nodes: Vec::new(),
            edges: Vec::new(),
            quiet_left_out: 0,
            width: 0.0,
            height: 0.0,
        }),
        canaries: Arc::new(Canaries {
            version,
            sources: sources.clone(),
            routes: Vec::new(),
            astray: Vec::new(),
        }),
        changes: Arc::new(Changes {
            version,
            sources: sources.clone(),
            changes: Vec::new(),
        }),
        standstill: Arc::new(Standstill {
            version,
            sources,
            frozen: None,
        }),
    })
}

/// Stands still until it is told to go on; then nobody waits any more.
#[derive(Default)]
pub(crate) struct Held {
    go: Notify,
}

impl Held {
    /// Lets one sleeper wake.
    pub(crate) fn wake(&self) {
        self.go.notify_one();
    }
}

#[async_trait::async_trait]
impl Clock for Held {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    async fn sleep_until(&self, _: jiff::Timestamp) {
        self.go.notified().await;
    }
}

/// Assets as trunk leaves them, in a folder of this test's own.
pub(crate) fn assets(test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(folder.join("fonts")).unwrap();
    let index = "<!doctype html><html><head><link rel=\"modulepreload\" href=\"/pkg/naru-0123456789abcdef.js\" nonce=\"{{nonce}}\">\
                 <script type=\"module\" nonce=\"{{nonce}}\">import init from '/pkg/naru-0123456789abcdef.js'; init();</script></head>\
                 <body></body></html>";
    fs::write(folder.join("index.html"), index).unwrap();
    fs::write(
        folder.join("naru-0123456789abcdef.js"),
        "export default () => {};",
    )
    .unwrap();
    fs::write(folder.join("naru-0123456789abcdef.js.br"), [0x0b, 0x02, 0x80]).unwrap();
    fs::write(folder.join("fonts/a.woff2"), "font").unwrap();
    folder
}

/// A router on this console.
pub(crate) fn served(test: &str, console: Arc<Shown>) -> Router {
    signed(test, console, Identity::Loopback)
}

/// A router on this console, for people who are known in this way.
pub(crate) fn signed(test: &str, console: Arc<Shown>, identity: Identity) -> Router {
    known(test, console, Arc::new(Held::default()), identity).0
}

/// The same, with the future that rings the doorbell.
pub(crate) fn ringing(
    test: &str,
    console: Arc<Shown>,
    clock: Arc<Held>,
) -> (Router, impl Future<Output = ()> + Send + use<>) {
    known(test, console, clock, Identity::Loopback)
}

fn known(
    test: &str,
    console: Arc<Shown>,
    clock: Arc<Held>,
    identity: Identity,
) -> (Router, impl Future<Output = ()> + Send + use<>) {
    let first = console.view(&Scope::all()).version;
    let (doorbell, ring) = Doorbell::new(console.clone(), clock.clone(), first);
    let backend = Backend {
        console,
        clock,
        system: "test".into(),
        mode: Mode::Rehearsal,
        rehearsal: None,
        sign_in: identity.way(),
    };
    let site = Site::open(assets(test)).unwrap();
    (router(backend, doorbell, site, Hosts::default(), identity), ring)
}

/// A request to the loopback name, as a browser on one of our own pages would send it.
pub(crate) fn request(method: Method, path: &str) -> axum::http::request::Builder {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:3000");
    request
        .header("origin", "http://localhost:3000")
        .header("sec-fetch-site", "same-origin")
}

/// Asks, and reads the head of the answer.
pub(crate) async fn ask(router: &Router, request: Request<Body>) -> Response<Body> {
    router.clone().oneshot(request).await.unwrap()
}

/// Asks by GET, and reads the whole answer.
pub(crate) async fn get(router: &Router, path: &str) -> (StatusCode, axum::http::HeaderMap, String) {
    let (parts, body) = ask(router, request(Method::GET, path).body(Body::empty()).unwrap())
        .await
        .into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (
        parts.status,
        parts.headers,
        String::from_utf8(bytes.to_vec()).unwrap(),
    )
}
