//! A server that answers as it is told, correctly or not.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What is sent, byte for byte, and whether the connection is then left hanging instead of closed.
#[derive(Clone)]
pub(super) struct Reply {
    bytes: Vec<u8>,
    hang: bool,
}

impl Reply {
    /// A correct answer.
    pub(super) fn new(status: &str, content_type: &str, body: &str) -> Self {
        Self::raw(format!(
            "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ))
    }

    /// JSON with status 200.
    pub(super) fn json(body: &str) -> Self {
        Self::new("200 OK", "application/json", body)
    }

    /// Whatever.
    pub(super) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
            hang: false,
        }
    }

    /// And then nothing more, without an end.
    pub(super) fn and_hang(self) -> Self {
        Self { hang: true, ..self }
    }
}

/// What was asked, heads and bodies as text.
pub(super) type Asked = Arc<Mutex<Vec<String>>>;

/// Serves until the test's runtime ends. Returns the base URL and what will have been asked.
pub(super) async fn serve(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> (String, Asked) {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, reply) = (Asked::default(), Arc::new(reply));
    let kept = asked.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (reply, kept) = (reply.clone(), kept.clone());
            tokio::spawn(async move {
                let _ = one(stream, &*reply, &kept).await;
            });
        }
    });
    (url, asked)
}

async fn one(
    mut stream: TcpStream,
    reply: &(dyn Fn(&str) -> Reply + Send + Sync),
    asked: &Asked,
) -> std::io::Result<()> {
    let request = request(&mut stream).await?;
    let reply = reply(&request);
    asked.lock().unwrap().push(request);
    stream.write_all(&reply.bytes).await?;
    if reply.hang {
        std::future::pending::<()>().await;
    }
    stream.shutdown().await
}

/// Reads a request with its body, as long as its head says.
async fn request(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = vec![];
    let mut chunk = [0; 4096];
    loop {
        let n = stream.read(&mut chunk).await?;
        bytes.extend_from_slice(&chunk[..n]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if n == 0 {
                return Ok(text);
            }
            continue;
        };
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length:")
                .map(|it| it.trim().to_owned())
        });
        if n == 0 || body.len() >= length.and_then(|it| it.parse().ok()).unwrap_or(0) {
            return Ok(text);
        }
    }
}
