//! What pods answer to Naru itself, at their own addresses: a handshake, a GET, istiod's own word. Each connection is new and carries no
//! credentials of anybody's, apart from Naru's token for istiod.
//!
//! Whoever runs outside the cluster mostly cannot reach pods: then what is asked is not known, and says so.

mod certificate;
pub(super) mod istiod;
mod presented;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{
    Request,
    client::conn::http1,
    header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use naru_domain::{
    SourceName, Why,
    inquiry::{Address, Chain, Exchange, Response},
};
use std::{fmt::Display, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, pki_types::ServerName},
};

/// For one question, from the first packet to the last.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Who asks: access logs show it.
const AGENT: &str = concat!("naru-probe/", env!("CARGO_PKG_VERSION"));

/// How pods are spoken to.
pub struct Pods {
    tls: TlsConnector,
    /// The token that istiod takes; read again for each question, since projected tokens rotate.
    istiod_token_file: Option<PathBuf>,
    /// Gateways and the old ingress may be spoken to.
    probes: bool,
}

impl Pods {
    /// Prepares; connects to nobody yet. A rustls provider must have been installed before.
    ///
    /// # Errors
    /// The provider offers no usable version of TLS.
    pub fn new(istiod_token_file: Option<PathBuf>, probes: bool) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(presented::Whatever(provider)))
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            istiod_token_file,
            probes,
        })
    }

    /// The certificates that an address presents for a name.
    pub(super) async fn handshake(&self, at: &Address) -> Result<Chain, Why> {
        self.allowed()?;
        within(async {
            let stream = self.secured(at).await?;
            let presented = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let certificates = presented.iter().map(|it| certificate::read(it));
            let certificates = certificates
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| garbled(&error))?;
            if certificates.is_empty() {
                return Err(garbled(&"no certificate"));
            }
            Ok(Chain { certificates })
        })
        .await
    }

    /// What an address answers to a GET for a host and path.
    pub(super) async fn exchange(&self, it: &Exchange) -> Result<Response, Why> {
        self.allowed()?;
        within(async {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, value(&it.to.name)?);
            let (status, headers) = if it.tls {
                let stream = self.secured(&it.to).await?;
                get(stream, &it.path, headers).await?
            } else {
                get(plain(&it.to.ip, it.to.port).await?, &it.path, headers).await?
            };
            let server = headers.get(hyper::header::SERVER).and_then(|it| it.to_str().ok());
            Ok(Response {
                status,
                upstream: headers.contains_key("x-envoy-upstream-service-time"),
                envoy: server.is_some_and(|it| it.contains("envoy")),
            })
        })
        .await
    }

    fn allowed(&self) -> Result<(), Why> {
        let off = || Why::NotObserved {
            what: "--no-probes".into(),
        };
        self.probes.then_some(()).ok_or_else(off)
    }

    /// The body of a GET that istiod takes Naru's token for.
    async fn istiod(&self, ip: &str, port: u16, path: &str, limit: usize) -> Result<(u16, Bytes), Why> {
        within(async {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, value(ip)?);
            if let Some(file) = &self.istiod_token_file {
                let token = std::fs::read_to_string(file).map_err(|error| unreachable_by(&error))?;
                let mut bearer = value(&format!("Bearer {}", token.trim()))?;
                bearer.set_sensitive(true);
                headers.insert(AUTHORIZATION, bearer);
            }
            let mut sender = connected(plain(ip, port).await?).await?;
            let response = sender
                .send_request(request(path, headers)?)
                .await
                .map_err(|error| unreachable_by(&error))?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), limit).collect().await;
            let body = body.map_err(|error| garbled(&error))?.to_bytes();
            Ok((status, body))
        })
        .await
    }

    async fn secured(&self, at: &Address) -> Result<TlsStream<TcpStream>, Why> {
        let name = ServerName::try_from(at.name.to_string()).map_err(|error| garbled(&error))?;
        let stream = plain(&at.ip, at.port).await?;
        let secured = self.tls.connect(name, stream).await;
        secured.map_err(|error| unreachable_by(&error))
    }
}

async fn plain(ip: &str, port: u16) -> Result<TcpStream, Why> {
    let ip: IpAddr = ip.parse().map_err(|error| garbled(&error))?;
    let connected = TcpStream::connect((ip, port)).await;
    connected.map_err(|error| unreachable_by(&error))
}

async fn connected<S>(stream: S) -> Result<http1::SendRequest<Empty<Bytes>>, Why>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| unreachable_by(&error))?;
    // Ends with the sender.
    tokio::spawn(connection);
    Ok(sender)
}

/// A GET whose body nobody reads.
async fn get<S>(stream: S, path: &str, headers: HeaderMap) -> Result<(u16, HeaderMap), Why>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut sender = connected(stream).await?;
    let response = sender
        .send_request(request(path, headers)?)
        .await
        .map_err(|error| unreachable_by(&error))?;
    Ok((response.status().as_u16(), response.headers().clone()))
}

fn request(path: &str, headers: HeaderMap) -> Result<Request<Empty<Bytes>>, Why> {
    let mut request = Request::get(path)
        .body(Empty::new())
        .map_err(|error| garbled(&error))?;
    *request.headers_mut() = headers;
    request
        .headers_mut()
        .insert(USER_AGENT, HeaderValue::from_static(AGENT));
    Ok(request)
}

fn value(text: &str) -> Result<HeaderValue, Why> {
    HeaderValue::from_str(text).map_err(|error| garbled(&error))
}

async fn within<T>(asking: impl Future<Output = Result<T, Why>>) -> Result<T, Why> {
    let timed_out = || Why::TimedOut {
        source: SourceName::Pods,
        after_ms: TIMEOUT.as_millis() as u64,
    };
    tokio::time::timeout(TIMEOUT, asking)
        .await
        .unwrap_or_else(|_| Err(timed_out()))
}

/// No answer. The innermost reason says it shortest, and names no address.
fn unreachable_by(error: &(dyn std::error::Error + 'static)) -> Why {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    Why::Unreachable {
        source: SourceName::Pods,
        detail: innermost.to_string().into(),
    }
}

fn garbled(error: &dyn Display) -> Why {
    Why::Garbled {
        source: SourceName::Pods,
        detail: error.to_string().into(),
    }
}

#[cfg(test)]
mod tests;
