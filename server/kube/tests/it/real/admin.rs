//! An administrator's hands, past the adapter.

use http::{Method, Request, StatusCode};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::{Value, json};
use std::{path::PathBuf, sync::Once};

/// The kubeconfig of the API server under test.
pub(crate) fn kubeconfig() -> PathBuf {
    static RUSTLS: Once = Once::new();
    RUSTLS.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .unwrap()
    });
    std::env::var_os("NARU_LAB_API_KUBECONFIG")
        .expect("NARU_LAB_API_KUBECONFIG names a kubeconfig with all rights")
        .into()
}

/// The API server's address and certificate, with an administrator's credentials.
pub(crate) async fn config() -> Config {
    let kubeconfig = Kubeconfig::read_from(kubeconfig()).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    config.default_retry = false;
    config
}

pub(crate) struct Admin(Client);

impl Admin {
    pub(crate) async fn new() -> Self {
        Self(Client::try_from(config().await).unwrap())
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        media: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        send(&self.0, method, url, media, body, &[]).await
    }

    /// A request as a user of the cluster.
    pub(crate) async fn send_as(
        &self,
        user: &str,
        method: Method,
        url: &str,
        media: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        send(&self.0, method, url, media, body, &[("Impersonate-User", user)]).await
    }

    /// Applies every object of a manifest, in the namespace given for those that name none.
    pub(crate) async fn apply(&self, yaml: &str, namespace: &str) {
        for mut object in serde_saphyr::from_multiple::<Value>(yaml).unwrap() {
            if matches!(
                object["kind"].as_str().unwrap(),
                "Role" | "RoleBinding" | "ServiceAccount"
            ) {
                let metadata = object["metadata"].as_object_mut().unwrap();
                metadata.entry("namespace").or_insert_with(|| namespace.into());
            }
            self.apply_one(&object).await;
        }
    }

    pub(crate) async fn apply_one(&self, object: &Value) {
        let url = format!("{}?fieldManager=suite&force=true", url(object));
        let (status, answer) = self
            .send(Method::PATCH, &url, "application/apply-patch+yaml", object)
            .await;
        assert!(status.is_success(), "{url}: {answer}");
    }

    pub(crate) async fn get(&self, url: &str) -> (StatusCode, Value) {
        self.send(Method::GET, url, "application/json", &Value::Null)
            .await
    }

    /// Removes an object, and waits until it is gone.
    pub(crate) async fn delete(&self, url: &str) {
        let (status, answer) = self
            .send(Method::DELETE, url, "application/json", &Value::Null)
            .await;
        assert!(
            status.is_success() || status == StatusCode::NOT_FOUND,
            "{url}: {answer}"
        );
        eventually!(self.get(url).await.0 == StatusCode::NOT_FOUND);
    }

    /// A token of a ServiceAccount.
    pub(crate) async fn token(&self, namespace: &str, name: &str) -> String {
        let url = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token");
        let asked = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}});
        let (status, answer) = self.send(Method::POST, &url, "application/json", &asked).await;
        assert!(status.is_success(), "{answer}");
        answer["status"]["token"].as_str().unwrap().to_owned()
    }

    /// Serves a definition, and waits until its objects can be listed.
    pub(crate) async fn define(&self, crd: &Value) {
        self.apply_one(crd).await;
        let (group, names) = (
            crd["spec"]["group"].as_str().unwrap(),
            &crd["spec"]["names"]["plural"],
        );
        let url = format!(
            "/apis/{group}/{}/{}",
            crd["spec"]["versions"][0]["name"].as_str().unwrap(),
            names.as_str().unwrap()
        );
        eventually!(self.get(&url).await.0.is_success());
    }
}

/// A request as somebody.
pub(crate) async fn send(
    client: &Client,
    method: Method,
    url: &str,
    media: &str,
    body: &Value,
    headers: &[(&str, &str)],
) -> (StatusCode, Value) {
    let body = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    let mut request = Request::builder()
        .method(method)
        .uri(url)
        .header("content-type", media);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = client.send(request.body(body.into()).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect_bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// Where an object is.
pub(crate) fn url(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let (version, kind) = (text("/apiVersion").unwrap(), text("/kind").unwrap());
    let root = if version.contains('/') {
        format!("/apis/{version}")
    } else {
        format!("/api/{version}")
    };
    let plural = match kind.to_lowercase() {
        kind if kind.ends_with("ay") => format!("{kind}s"),
        kind if kind.ends_with('y') => format!("{}ies", &kind[..kind.len() - 1]),
        kind if kind.ends_with("ss") => format!("{kind}es"),
        kind => format!("{kind}s"),
    };
    let namespace =
        text("/metadata/namespace").map_or(String::new(), |namespace| format!("/namespaces/{namespace}"));
    format!("{root}{namespace}/{plural}/{}", text("/metadata/name").unwrap())
}

/// Waits until it is so, for half a minute.
macro_rules! eventually {
    ($so:expr) => {{
        let mut left = 600;
        while !$so {
            left -= 1;
            assert!(
                left > 0,
                "it did not come to pass within half a minute: {}",
                stringify!($so)
            );
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }};
}
pub(crate) use eventually;
