//! Each way in which there is no API server has its own name.

use crate::fake::{Fake, Reply, kubeconfig, pace, write};
use naru_kube::{ConnectError, KubeCluster, Server, Settings, Source};
use serde_json::json;
use std::path::PathBuf;

async fn connect(path: PathBuf, context: Option<&str>) -> Result<Server, ConnectError> {
    let settings = Settings {
        source: Source::Kubeconfig(path),
        context: context.map(Into::into),
        pace: pace(),
    };
    KubeCluster::connect(&settings).await?.probe().await
}

#[tokio::test]
async fn a_missing_kubeconfig_is_named() {
    let error = connect("/nowhere/kubeconfig".into(), None).await.unwrap_err();
    assert_eq!(
        error,
        ConnectError::NoKubeconfig {
            path: "/nowhere/kubeconfig".into()
        }
    );
}

#[tokio::test]
async fn a_wrong_kubeconfig_is_named_with_what_is_wrong() {
    let cases = [
        ("a: [", None),
        ("", None),
        ("{apiVersion: v1, kind: Config}", None),
        ("한글이 아니라 설정", None),
        (
            "{current-context: a, clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1', certificate-authority-data: '%'}}], \
             contexts: [{name: a, context: {cluster: a, user: a}}], users: [{name: a, user: {}}]}",
            None,
        ),
        (
            "{current-context: a, clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}], \
             contexts: [{name: a, context: {cluster: a, user: a}}], \
             users: [{name: a, user: {client-certificate-data: QQ==, client-key-data: QQ==}}]}",
            None,
        ),
    ];
    for (text, context) in cases {
        let error = connect(write(text), context).await.unwrap_err();
        assert!(
            matches!(&error, ConnectError::Kubeconfig { detail, .. } if !detail.is_empty()),
            "{text}: {error:?}"
        );
    }
    let error = connect(kubeconfig("http://127.0.0.1:1"), Some("other"))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ConnectError::Kubeconfig { detail, .. } if detail.contains("other")),
        "{error:?}"
    );
    // A folder cannot be read as a file.
    let error = connect(std::env::temp_dir(), None).await.unwrap_err();
    assert!(matches!(error, ConnectError::Kubeconfig { .. }), "{error:?}");
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    // Port 1 is tcpmux: nobody listens.
    let error = connect(kubeconfig("http://127.0.0.1:1"), None).await.unwrap_err();
    let ConnectError::Unreachable { server, detail } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(&**server, "http://127.0.0.1:1");
    assert!(detail.contains("refused"), "{detail}");
    let silent = Fake::serve(|_, _| Reply::Silence).await;
    let error = connect(kubeconfig(&silent.url), None).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn wrong_credentials_are_unauthorised() {
    let cold = Fake::serve(|_, _| Reply::status("401 Unauthorized", "Unauthorized", "Unauthorized")).await;
    let error = connect(kubeconfig(&cold.url), None).await.unwrap_err();
    assert_eq!(
        error,
        ConnectError::Unauthorised {
            server: cold.url.as_str().into()
        }
    );
    // The version is told to anybody: it does not prove the credentials.
    let anonymous = Fake::serve(|_, request| match request {
        _ if request.starts_with("GET /version") => Reply::json(&json!({"gitVersion": "v1.35.4"})),
        _ => Reply::status("403 Forbidden", "Forbidden", "selfsubjectreviews is forbidden"),
    });
    let anonymous = anonymous.await;
    let error = connect(kubeconfig(&anonymous.url), None).await.unwrap_err();
    assert_eq!(
        error,
        ConnectError::Unauthorised {
            server: anonymous.url.as_str().into()
        }
    );
}

#[tokio::test]
async fn something_else_is_no_kubernetes() {
    let replies = [
        Reply::Http("200 OK", "text/html", "<html>login</html>".into()),
        Reply::json(&json!({"status": "ok"})),
        Reply::Http("404 Not Found", "text/plain", "404".into()),
        Reply::Http("302 Found", "text/html", String::new()),
    ];
    for reply in replies {
        let other = Fake::serve(move |_, _| reply.clone()).await;
        let error = connect(kubeconfig(&other.url), None).await.unwrap_err();
        assert!(matches!(error, ConnectError::NotKubernetes { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_api_server_tells_its_version_and_who_we_are() {
    let fake = Fake::serve(|_, request| match request {
        _ if request.starts_with("GET /version") => Reply::json(&json!({"gitVersion": "v1.35.4"})),
        _ => Reply::json(&json!({"status": {"userInfo": {"username": "admin"}}})),
    });
    let fake = fake.await;
    let server = connect(kubeconfig(&fake.url), None).await.unwrap();
    assert_eq!(
        server,
        Server {
            url: fake.url.as_str().into(),
            version: "v1.35.4".into(),
            user: "admin".into()
        }
    );
}
