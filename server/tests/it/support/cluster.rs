//! The rehearsed API server, spoken to as a real one is: what a command with a kubeconfig alone meets.

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use naru_domain::object::{Key, Kind, Object, Write};
use naru_ports::{As, Cluster, ClusterError, Seen};
use naru_rehearsal::api::ObjectStore;
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::net::TcpListener;

/// One that listens.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) store: ObjectStore,
    pub(crate) url: String,
    /// Patches of anything but Changes are not carried out, and nobody says so.
    pub(crate) lost: Arc<AtomicBool>,
    /// Whom it says that the credentials are.
    says: &'static str,
    /// Whom it takes those who write for.
    takes: &'static str,
}

/// Starts it for one user.
pub(crate) async fn serve(store: ObjectStore, says: &'static str, takes: &'static str) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let served = Served {
        store,
        url: format!("http://{}", listener.local_addr().unwrap()),
        lost: Arc::default(),
        says,
        takes,
    };
    let router = Router::new().fallback(answer).with_state(served.clone());
    tokio::spawn(async { axum::serve(listener, router).await });
    served
}

async fn answer(State(served): State<Served>, method: Method, uri: Uri, body: Bytes) -> Response {
    match uri.path() {
        "/version" => return Json(json!({"gitVersion": "v1.35.4"})).into_response(),
        "/apis/authentication.k8s.io/v1/selfsubjectreviews" => {
            let who = json!({"kind": "SelfSubjectReview", "status": {"userInfo": {"username": served.says}}});
            return (StatusCode::CREATED, Json(who)).into_response();
        }
        _ => {}
    }
    let Some(at) = Place::read(uri.path()) else {
        return refused(&ClusterError::NotFound);
    };
    let answer = match method {
        Method::GET if at.name.is_empty() => list(&served.store, at.kind).await,
        Method::GET => served.store.get(&at.key()).await.map(|it| it.json().clone()),
        _ => written(&served, &at, uri.query().unwrap_or(""), &body).await,
    };
    let status = if method == Method::POST {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    match answer {
        Ok(json) => (status, Json(json)).into_response(),
        Err(error) => refused(&error),
    }
}

async fn list(store: &ObjectStore, kind: Kind) -> Result<Value, ClusterError> {
    match store.watch(kind).next().await {
        Some(Seen::Reset { .. }) => {
            let items: Vec<Value> = store
                .list(kind, None)
                .into_iter()
                .map(|(_, it)| (*it).clone())
                .collect();
            Ok(json!({"metadata": {"resourceVersion": "9"}, "items": items}))
        }
        Some(Seen::Absent) => Err(ClusterError::NotFound),
        other => Err(ClusterError::Forbidden(format!("{other:?}").into())),
    }
}

async fn written(served: &Served, at: &Place, query: &str, body: &[u8]) -> Result<Value, ClusterError> {
    let json: Value = serde_json::from_slice(body).unwrap();
    let dry_run = query.contains("dryRun=All") || json["dryRun"][0] == "All";
    let write = match json {
        Value::Array(mut ops) => {
            // The guard comes first, and is the adapter's.
            let guard = ops.remove(0);
            assert_eq!(guard["path"], "/metadata/resourceVersion");
            let (key, rv) = (at.key(), guard["value"].as_str().unwrap().into());
            let ops = serde_json::from_value(ops.into()).unwrap();
            if at.status {
                Write::PatchStatus { key, rv, ops }
            } else {
                Write::Patch { key, rv, ops }
            }
        }
        options if options["kind"] == "DeleteOptions" => {
            let text = |field: &str| options["preconditions"][field].as_str().unwrap().into();
            Write::Delete {
                key: at.key(),
                uid: text("uid"),
                rv: text("resourceVersion"),
            }
        }
        object => Write::Create(Object::new(at.kind, object).unwrap()),
    };
    if !dry_run && at.kind != Kind::Change && served.lost.load(Ordering::Relaxed) {
        return Err(ClusterError::Unsure("cut".into()));
    }
    let parts = query.split('&').filter_map(|part| part.split_once('='));
    // A deletion has none.
    let manager = parts
        .clone()
        .find(|(name, _)| *name == "fieldManager")
        .map_or("", |it| it.1);
    let submitted = served
        .store
        .submit(As::Oneself(served.takes), &write, dry_run, manager)
        .await?;
    let gone = || json!({"kind": "Status", "apiVersion": "v1", "status": "Success"});
    Ok(submitted.object.map_or_else(gone, |it| it.json().clone()))
}

/// In the API server's own manner.
fn refused(error: &ClusterError) -> Response {
    let (code, reason) = match error {
        ClusterError::Conflict => (409, "Conflict"),
        ClusterError::Exists => (409, "AlreadyExists"),
        ClusterError::NotFound => (404, "NotFound"),
        ClusterError::Forbidden(_) => (403, "Forbidden"),
        ClusterError::Invalid(_) => (422, "Invalid"),
        ClusterError::Throttled(_) => (429, "TooManyRequests"),
        ClusterError::Unsure(_) | ClusterError::Unreachable(_) => (504, "Timeout"),
    };
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
        "message": error.to_string()});
    (StatusCode::from_u16(code).unwrap(), Json(status)).into_response()
}

/// What a path is about.
struct Place {
    kind: Kind,
    namespace: String,
    name: String,
    status: bool,
}

impl Place {
    fn read(path: &str) -> Option<Self> {
        let mut rest = path.trim_matches('/').split('/');
        let group = match rest.next()? {
            "api" => "",
            _ => rest.next()?,
        };
        let _version = rest.next()?;
        let mut next = rest.next()?;
        let mut namespace = "";
        if next == "namespaces" {
            namespace = rest.next()?;
            next = rest.next()?;
        }
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| kind.plural() == next && kind.group() == group)?;
        Some(Self {
            kind,
            namespace: namespace.into(),
            name: rest.next().unwrap_or("").into(),
            status: rest.next() == Some("status"),
        })
    }

    fn key(&self) -> Key {
        Key::new(self.kind, &*self.namespace, &*self.name)
    }
}
