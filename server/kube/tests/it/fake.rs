//! A server that answers as told, to the byte.

use naru_kube::{KubeCluster, Pace, Settings, Source};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What to do with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// An answer with this status line, content type and body.
    Http(&'static str, &'static str, String),
    /// The same with one more header.
    With(&'static str, &'static str, String),
    /// The head and these bytes, and then the connection breaks in the middle of the body.
    Broken(String),
    /// The head of an answer that goes on, and nothing more.
    Open,
    /// The connection is closed without a word.
    Cut,
    /// Nothing, for ever.
    Silence,
}

impl Reply {
    pub(crate) fn json(body: &serde_json::Value) -> Self {
        Self::Http("200 OK", "application/json", body.to_string())
    }

    pub(crate) fn status(line: &'static str, reason: &str, message: &str) -> Self {
        let code: u16 = line[..3].parse().unwrap();
        let body = serde_json::json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
            "message": message});
        Self::Http(line, "application/json", body.to_string())
    }
}

/// The server; the requests that it got, each as its text.
pub(crate) struct Fake {
    pub(crate) url: String,
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// Answers the n-th request (from 0) by `reply(n, request)`.
    pub(crate) async fn serve(reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, reply) = (requests.clone(), Arc::new(reply));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(one(stream, seen.clone(), reply.clone()));
            }
        });
        Self { url, requests }
    }

    pub(crate) async fn cluster(&self) -> KubeCluster {
        cluster(&self.url).await
    }

    /// The first lines of the requests.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.requests
            .lock()
            .unwrap()
            .iter()
            .map(|text| text.lines().next().unwrap().to_owned())
            .collect()
    }
}

async fn one(
    mut stream: TcpStream,
    seen: Arc<Mutex<Vec<String>>>,
    reply: Arc<impl Fn(usize, &str) -> Reply>,
) {
    let mut bytes = Vec::new();
    let request = loop {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).await.unwrap_or(0);
        if read == 0 {
            return;
        }
        bytes.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |n| n.parse().unwrap());
        if body.len() >= length {
            break text.into_owned();
        }
    };
    let count = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    let answer = match reply(count, &request) {
        Reply::Http(status, media, body) => {
            let length = body.len();
            format!(
                "HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
        }
        Reply::With(status, header, body) => {
            format!(
                "HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            )
        }
        Reply::Broken(body) => {
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{body}"
            )
        }
        Reply::Open => {
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
            let _ = stream.write_all(head.as_bytes()).await;
            std::future::pending().await
        }
        Reply::Cut => String::new(),
        Reply::Silence => std::future::pending().await,
    };
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// A pace that tests can wait for.
pub(crate) fn pace() -> Pace {
    Pace {
        connect: Duration::from_secs(2),
        read: Duration::from_secs(3),
        pulse: Duration::from_secs(1),
        watch: Duration::from_secs(20),
        backoff: Duration::from_millis(300),
        absent: Duration::from_millis(50),
        page: 2,
    }
}

/// The adapter, on this URL without credentials.
pub(crate) async fn cluster(url: &str) -> KubeCluster {
    let settings = Settings {
        source: Source::Kubeconfig(kubeconfig(url)),
        context: None,
        pace: pace(),
    };
    KubeCluster::configure(&settings).await.unwrap()
}

/// A kubeconfig in a file of its own.
pub(crate) fn kubeconfig(url: &str) -> PathBuf {
    write(&format!(
        "{{apiVersion: v1, kind: Config, current-context: a, clusters: [{{name: a, cluster: {{server: '{url}'}}}}], \
         contexts: [{{name: a, context: {{cluster: a, user: a}}}}], users: [{{name: a, user: {{}}}}]}}"
    ))
}

/// A file of its own with this text.
pub(crate) fn write(text: &str) -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "naru-kube-{}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).unwrap();
    path
}
