//! Stands before the real API server, like `kubectl proxy`, and does to the traffic what networks do.

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use http::{Method, StatusCode};
use kube::{Client, Config};
use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Runtime, sync::watch};

/// The proxy. It runs on threads of its own, so that all its connections can be ended at once.
pub(crate) struct Proxy {
    config: Config,
    address: SocketAddr,
    faults: Arc<Faults>,
    running: std::sync::Mutex<Option<Runtime>>,
}

/// What is done to the traffic.
#[derive(Default)]
pub(crate) struct Faults {
    lose_answers: AtomicBool,
    /// Watches from an older resourceVersion are told 410.
    floor: AtomicU64,
    expired: watch::Sender<()>,
}

#[derive(Clone)]
struct Forward(Client, Arc<Faults>);

impl Proxy {
    /// Forwards to the API server that `config` speaks to, with its credentials.
    pub(crate) async fn start(config: Config) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let proxy = Self {
            config,
            address,
            faults: Arc::default(),
            running: std::sync::Mutex::new(None),
        };
        proxy.reachable(true).await;
        proxy
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Listens, or ends all connections and refuses new ones.
    pub(crate) async fn reachable(&self, yes: bool) {
        if yes {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            let (config, faults, address) = (self.config.clone(), self.faults.clone(), self.address);
            let (ready, listening) = tokio::sync::oneshot::channel();
            runtime.spawn(async move {
                let listener = TcpListener::bind(address).await.unwrap();
                let state = Forward(Client::try_from(config).unwrap(), faults);
                ready.send(()).unwrap();
                axum::serve(listener, Router::new().fallback(forward).with_state(state))
                    .await
                    .unwrap();
            });
            listening.await.unwrap();
            *self.running.lock().unwrap() = Some(runtime);
        } else {
            let runtime = self.running.lock().unwrap().take().unwrap();
            tokio::task::spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(5)))
                .await
                .unwrap();
            // The adapter's idle connections notice their end when its own runtime gets to it.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(crate) fn lose_answers(&self, on: bool) {
        self.faults.lose_answers.store(on, SeqCst);
    }

    /// Ends all watches, and tells those that come back from before `floor` that it is too old.
    pub(crate) fn expire(&self, floor: u64) {
        self.faults.floor.store(floor, SeqCst);
        self.faults.expired.send_replace(());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.running.lock().unwrap().take() {
            runtime.shutdown_background();
        }
    }
}

async fn forward(State(Forward(client, faults)): State<Forward>, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 16 << 20).await.unwrap();
    for hop in ["host", "content-length", "authorization"] {
        head.headers.remove(hop);
    }
    let query = head.uri.query().unwrap_or("").to_owned();
    let from = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("resourceVersion=")?.parse().ok());
    let watched = query.contains("watch=true");
    if watched && from.is_some_and(|from: u64| from < faults.floor.load(SeqCst)) {
        let status = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"too old","reason":"Expired","code":410}"#;
        return format!("{{\"type\":\"ERROR\",\"object\":{status}}}\n").into_response();
    }
    let writes = head.method != Method::GET && !head.uri.path().ends_with("reviews");
    let uri = head.uri.path_and_query().unwrap().as_str().parse().unwrap();
    head.uri = uri;
    let mut expired = faults.expired.subscribe();
    let Ok(answer) = client.send(Request::from_parts(head, body.into())).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let (mut head, body) = answer.into_parts();
    if writes && faults.lose_answers.load(SeqCst) {
        assert!(
            head.status.is_success(),
            "the write is carried out: {}",
            head.status
        );
        let cut = futures::stream::once(async { Err::<String, _>(std::io::Error::other("cut")) });
        return Response::new(Body::from_stream(cut));
    }
    head.headers.remove("content-length");
    if watched {
        let ended = async move { expired.changed().await };
        let frames = http_body_util::BodyExt::into_data_stream(body).take_until(Box::pin(ended));
        return Response::from_parts(head, Body::from_stream(frames));
    }
    let bytes = body.collect_bytes().await.unwrap();
    let whole: Result<_, Infallible> = Ok(bytes);
    Response::from_parts(head, Body::from_stream(futures::stream::iter([whole])))
}
