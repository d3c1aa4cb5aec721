//! Which API server, and with which credentials.

use crate::wire::{Pace, Trouble, Wire, root};
use http::{Request, StatusCode, header};
use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};
use naru_domain::Name;
use serde_json::{Value, json};
use std::{
    env,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// Where the address and the credentials come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// As kubectl does: the files of `$KUBECONFIG`, else `~/.kube/config`, else the pod's own ServiceAccount.
    #[default]
    Default,
    /// This kubeconfig.
    Kubeconfig(PathBuf),
    /// The pod's own ServiceAccount.
    InCluster,
}

/// How to reach the API server.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Where from.
    pub source: Source,
    /// A context of the kubeconfig other than its current one.
    pub context: Option<String>,
    /// How long to wait for what.
    pub pace: Pace,
}

/// The API server that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its URL.
    pub url: Name,
    /// Its version, `v1.35.4`.
    pub version: Name,
    /// As whom it knows us.
    pub user: Name,
}

/// Why there is no API server to speak to. `detail` is the library's own short text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "the fields are the words that a sentence is built from"
)]
pub enum ConnectError {
    /// There is no kubeconfig (`path`: where it was looked for), and this is no pod.
    #[error("there is no kubeconfig at {path}")]
    NoKubeconfig { path: Name },
    /// The kubeconfig (or what it names) cannot be read or used.
    #[error("the kubeconfig {path} cannot be used: {detail}")]
    Kubeconfig { path: Name, detail: Name },
    /// Nothing answers there; or what answers has another certificate.
    #[error("{server} cannot be reached: {detail}")]
    Unreachable { server: Name, detail: Name },
    /// The credentials are not accepted (401), or there are none.
    #[error("{server} does not accept the credentials")]
    Unauthorised { server: Name },
    /// Something answers that is no Kubernetes API.
    #[error("{server} is no Kubernetes API: {detail}")]
    NotKubernetes { server: Name, detail: Name },
}

const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Wires up a client without asking anything of the API server.
pub(crate) async fn configure(settings: &Settings) -> Result<(Wire, Name), ConnectError> {
    // Two providers may be linked into the binary, and rustls refuses to choose. An error means that one was chosen meanwhile.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let (config, path) = config(settings).await?;
    let url = config.cluster_url.to_string().trim_end_matches('/').into();
    let wire = Wire::new(&config, settings.pace).map_err(|error| ConnectError::Kubeconfig {
        path,
        detail: root(&error),
    })?;
    Ok((wire, url))
}

async fn config(settings: &Settings) -> Result<(Config, Name), ConnectError> {
    let home = || env::home_dir().unwrap_or_default().join(".kube/config");
    match &settings.source {
        Source::Kubeconfig(path) => from_file(path, settings).await,
        Source::InCluster => in_cluster(),
        Source::Default => match env::var_os("KUBECONFIG").filter(|paths| !paths.is_empty()) {
            Some(paths) => from(&PathBuf::from(paths), Kubeconfig::read(), settings).await,
            None if home().exists() => from_file(&home(), settings).await,
            None if env::var_os("KUBERNETES_SERVICE_HOST").is_some() => in_cluster(),
            None => Err(ConnectError::NoKubeconfig { path: show(&home()) }),
        },
    }
}

fn in_cluster() -> Result<(Config, Name), ConnectError> {
    let config = Config::incluster();
    let path = Name::from(SERVICE_ACCOUNT);
    let config = config.map_err(|error| ConnectError::Kubeconfig {
        path: path.clone(),
        detail: root(&error),
    })?;
    Ok((config, path))
}

async fn from_file(path: &Path, settings: &Settings) -> Result<(Config, Name), ConnectError> {
    from(path, Kubeconfig::read_from(path), settings).await
}

async fn from(
    path: &Path,
    read: Result<Kubeconfig, KubeconfigError>,
    settings: &Settings,
) -> Result<(Config, Name), ConnectError> {
    let wrong = |error: KubeconfigError| match error {
        KubeconfigError::ReadConfig(error, path) if error.kind() == ErrorKind::NotFound => {
            ConnectError::NoKubeconfig { path: show(&path) }
        }
        KubeconfigError::ReadConfig(error, path) => ConnectError::Kubeconfig {
            path: show(&path),
            detail: error.to_string().into(),
        },
        error => ConnectError::Kubeconfig {
            path: show(path),
            detail: crate::answer::shorten(&error.to_string()),
        },
    };
    let options = KubeConfigOptions {
        context: settings.context.clone(),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(read.map_err(wrong)?, &options)
        .await
        .map_err(wrong)?;
    Ok((config, show(path)))
}

fn show(path: &Path) -> Name {
    path.display().to_string().into()
}

/// Asks the API server for its version, and as whom it knows us.
pub(crate) async fn probe(wire: &Wire, url: &Name) -> Result<Server, ConnectError> {
    let version = ask(wire, url, Request::get("/version").body(Vec::new())).await?;
    let text =
        |json: &Value, pointer: &str| json.pointer(pointer).and_then(Value::as_str).unwrap_or("").into();
    let version: Name = text(&version, "/gitVersion");
    if version.is_empty() {
        return Err(ConnectError::NotKubernetes {
            server: url.clone(),
            detail: "it tells no version".into(),
        });
    }
    // Anybody may ask for the version: only this question shows whether the credentials are worth anything.
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
        .to_string()
        .into_bytes();
    let review = Request::post("/apis/authentication.k8s.io/v1/selfsubjectreviews")
        .header(header::CONTENT_TYPE, "application/json")
        .body(review);
    let review = ask(wire, url, review).await?;
    Ok(Server {
        url: url.clone(),
        version,
        user: text(&review, "/status/userInfo/username"),
    })
}

async fn ask(
    wire: &Wire,
    url: &Name,
    request: Result<Request<Vec<u8>>, http::Error>,
) -> Result<Value, ConnectError> {
    let server = || url.clone();
    let not_kubernetes = |detail: &str| ConnectError::NotKubernetes {
        server: server(),
        detail: detail.into(),
    };
    let request = request.map_err(|error| not_kubernetes(&error.to_string()))?;
    let answer = wire
        .ask(request, 1 << 20)
        .await
        .map_err(|trouble| match trouble {
            Trouble::Unsent(detail) | Trouble::Cut(detail) => ConnectError::Unreachable {
                server: server(),
                detail,
            },
            Trouble::TimedOut(after) => ConnectError::Unreachable {
                server: server(),
                detail: format!("no answer within {after:?}").into(),
            },
            Trouble::TooLarge(_) => not_kubernetes("its answer is far too long"),
        })?;
    match answer.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Err(ConnectError::Unauthorised { server: server() })
        }
        status if status.is_server_error() => Err(ConnectError::Unreachable {
            server: server(),
            detail: answer.said(),
        }),
        status if !status.is_success() => Err(not_kubernetes(&answer.said())),
        _ => serde_json::from_slice(&answer.body).map_err(|error| not_kubernetes(&error.to_string())),
    }
}
