//! Against servers of our own: one that ends TLS, one that answers as Envoy does, one that is istiod's, and several that do none of that.

use super::Pods;
use naru_domain::{
    SourceName, Why,
    inquiry::{Address, Exchange, ProxyStates, Response},
};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// Of tests alone; it is good for `test.invalid` until 2126.
const CERTIFICATE: &[u8] = include_bytes!("tests/certificate.pem");
const KEY: &[u8] = include_bytes!("tests/key.pem");

fn acceptor() -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

type Heard = Arc<Mutex<Vec<String>>>;

/// Answers each connection's first request with these bytes; over TLS if asked to. The port, and what will have been heard.
async fn serve(answer: &'static str, tls: bool) -> (u16, Heard) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, acceptor) = (Heard::default(), acceptor());
    let kept = heard.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut buffer = vec![0; 4_096];
            // Whoever only shakes hands says nothing more.
            if tls {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let read = stream.read(&mut buffer).await.unwrap_or(0);
                kept.lock()
                    .unwrap()
                    .push(String::from_utf8_lossy(&buffer[..read]).into());
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            } else {
                let mut stream = stream;
                let read = stream.read(&mut buffer).await.unwrap_or(0);
                kept.lock()
                    .unwrap()
                    .push(String::from_utf8_lossy(&buffer[..read]).into());
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    (port, heard)
}

fn at(port: u16) -> Address {
    Address {
        ip: "127.0.0.1".into(),
        port,
        name: "a.test.invalid".into(),
    }
}

fn pods() -> Pods {
    Pods::new(None, true).unwrap()
}

const ENVOY: &str = "HTTP/1.1 401 Unauthorized\r\nserver: istio-envoy\r\nx-envoy-upstream-service-time: 3\r\ncontent-length: 0\r\n\r\n";
const OWN: &str = "HTTP/1.1 404 Not Found\r\nserver: istio-envoy\r\ncontent-length: 0\r\n\r\n";

#[tokio::test]
async fn a_handshake_shows_the_certificate_whoever_has_signed_it() {
    let (port, _) = serve(OWN, true).await;
    let chain = pods().handshake(&at(port)).await.unwrap();
    let [one] = &chain.certificates[..] else {
        panic!("{chain:?}")
    };
    assert_eq!(&*one.subject, "CN=test.invalid,O=Naru tests");
    assert_eq!(one.names, ["test.invalid".into(), "*.test.invalid".into()]);
    assert_eq!(one.from.to_string(), "2026-11-29T21:45:33Z");
    assert!(one.serial.starts_with("68b51ef9"), "{}", one.serial);
}

#[tokio::test]
async fn an_answer_tells_whether_a_workload_gave_it() {
    for (tls, answer, upstream, status) in [
        (false, ENVOY, true, 401),
        (true, ENVOY, true, 401),
        (false, OWN, false, 404),
    ] {
        let (port, heard) = serve(answer, tls).await;
        let question = Exchange {
            to: at(port),
            tls,
            path: "/users/?a=b".into(),
        };
        let response = pods().exchange(&question).await.unwrap();
        assert_eq!(
            response,
            Response {
                status,
                upstream,
                envoy: true
            }
        );
        let heard = heard.lock().unwrap().join("");
        assert!(heard.starts_with("GET /users/?a=b HTTP/1.1\r\n"), "{heard}");
        assert!(heard.contains("host: a.test.invalid\r\n"), "{heard}");
        assert!(heard.contains("user-agent: naru-probe/"), "{heard}");
        assert!(!heard.contains("authorization"), "{heard}");
    }
}

#[tokio::test]
async fn who_is_told_not_to_sends_nothing() {
    let (port, heard) = serve(OWN, false).await;
    let pods = Pods::new(None, false).unwrap();
    let question = Exchange {
        to: at(port),
        tls: false,
        path: "/".into(),
    };
    assert!(matches!(
        pods.exchange(&question).await,
        Err(Why::NotObserved { .. })
    ));
    assert!(matches!(
        pods.handshake(&at(port)).await,
        Err(Why::NotObserved { .. })
    ));
    assert!(heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn nobody_and_nonsense_are_told_apart() {
    let free = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let refused = pods().handshake(&at(port)).await;
    assert!(
        matches!(
            &refused,
            Err(Why::Unreachable {
                source: SourceName::Pods,
                ..
            })
        ),
        "{refused:?}"
    );
    // Plain HTTP where TLS is expected.
    let (port, _) = serve(OWN, false).await;
    assert!(pods().handshake(&at(port)).await.is_err());
    let odd = Address {
        ip: "nowhere".into(),
        ..at(1)
    };
    assert!(matches!(pods().handshake(&odd).await, Err(Why::Garbled { .. })));
    let split = Exchange {
        to: at(port),
        tls: false,
        path: "/a b\r\nx: y".into(),
    };
    assert!(matches!(pods().exchange(&split).await, Err(Why::Garbled { .. })));
}

#[tokio::test]
async fn the_token_goes_to_istiod_and_its_refusal_says_what_to_do() {
    let file = std::env::temp_dir().join(format!("naru-istiod-token-{}", std::process::id()));
    std::fs::write(&file, "secret\n").unwrap();
    let pods = Pods::new(Some(file.clone()), true).unwrap();
    let syncz = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]";
    let (port, heard) = serve(syncz, false).await;
    let (status, body) = pods
        .istiod("127.0.0.1", port, "/debug/syncz", 1_000)
        .await
        .unwrap();
    assert_eq!((status, &body[..]), (200, &b"[]"[..]));
    assert!(
        heard
            .lock()
            .unwrap()
            .join("")
            .contains("authorization: Bearer secret\r\n")
    );
    let (port, _) = serve(syncz, false).await;
    assert!(
        pods.istiod("127.0.0.1", port, "/", 1).await.is_err(),
        "a body has a bound"
    );
    std::fs::remove_file(&file).unwrap();
    let gone = pods.istiod("127.0.0.1", port, "/", 1_000).await;
    assert!(matches!(gone, Err(Why::Unreachable { .. })), "{gone:?}");
    let question = ProxyStates {
        istiod: ("istio-system".into(), "istiod-1".into()),
        ip: "127.0.0.1".into(),
    };
    assert!(super::istiod::proxies(&pods, &question).await.is_err());
}
