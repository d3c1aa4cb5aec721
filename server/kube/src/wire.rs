//! One HTTP client for one API server. It retries nothing, and tells a request that has not left from one whose answer was lost.

use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper_util::{
    client::legacy::{Client, Error as LegacyError, connect::HttpConnector},
    rt::TokioExecutor,
};
use kube::client::{AuthError, Body, ConfigExt as _};
use naru_domain::Name;
use std::{error::Error, time::Duration};
use tokio::time::timeout;
use tower::{BoxError, ServiceBuilder};

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// For a TCP connection. With [`Self::backoff`] it bounds how long a returned API server stays unnoticed: 20 s.
    pub connect: Duration,
    /// For the head of an answer, and then for each part of it.
    pub read: Duration,
    /// How long a watch may be silent before the API server is asked whether it is still there, and how long that answer may take: one
    /// that is frozen is noticed after twice as long.
    pub pulse: Duration,
    /// How long the API server keeps one watch open. The API server's own choice is 5 to 10 minutes.
    pub watch: Duration,
    /// The longest pause before a broken watch is tried again; the first pause is a thirtieth of it, and each next one double.
    pub backoff: Duration,
    /// How often an absent kind is looked for.
    pub absent: Duration,
    /// Objects in one page of a list. 250 pods are about 9 MB of JSON, which is all that is held at once.
    pub page: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(10),
            pulse: Duration::from_secs(5),
            watch: Duration::from_secs(290),
            backoff: Duration::from_secs(15),
            absent: Duration::from_secs(3),
            page: 250,
        }
    }
}

/// Why there is no whole answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Trouble {
    /// There was no connection, or no credentials: the request has not left.
    Unsent(Name),
    /// It may have arrived; nothing came back for so long.
    TimedOut(Duration),
    /// It may have arrived; the connection broke.
    Cut(Name),
    /// The answer is longer than so many bytes.
    TooLarge(usize),
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Speaks HTTP to one API server.
#[derive(Clone)]
pub(crate) struct Wire {
    client: kube::Client,
    pub(crate) pace: Pace,
}

impl Wire {
    /// Wires up the client. Fails if the configuration's certificates or credentials cannot be used.
    pub(crate) fn new(config: &kube::Config, pace: Pace) -> Result<Self, kube::Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(pace.connect));
        // A watch may be silent for minutes. A peer that vanished without a word is noticed by the kernel, in 15 seconds.
        tcp.set_keepalive(Some(Duration::from_secs(5)));
        tcp.set_keepalive_interval(Some(Duration::from_secs(5)));
        tcp.set_keepalive_retries(Some(2));
        let tls = config.rustls_https_connector_with_connector(tcp)?;
        let http: Client<_, Body> = Client::builder(TokioExecutor::new()).build(tls);
        let service = ServiceBuilder::new()
            .layer(config.base_uri_layer())
            .option_layer(config.auth_layer()?)
            .layer(config.extra_headers_layer()?)
            .map_err(BoxError::from)
            .service(http);
        Ok(Self {
            client: kube::Client::new(service, config.default_namespace.clone()),
            pace,
        })
    }

    /// Asks, and reads the whole answer, up to `limit` bytes.
    pub(crate) async fn ask(&self, request: Request<Vec<u8>>, limit: usize) -> Result<Answer, Trouble> {
        let (status, headers, body) = self.send(request).await?;
        let body = self.collect(body, limit).await?;
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    /// Asks, and gives the lines of a good answer as they come; any other answer is read whole.
    pub(crate) async fn follow(&self, request: Request<Vec<u8>>) -> Result<Result<Lines, Answer>, Trouble> {
        let (status, headers, body) = self.send(request).await?;
        if status == StatusCode::OK {
            let patience = self.pace.pulse;
            return Ok(Ok(Lines {
                body,
                patience,
                buffer: Vec::new(),
                searched: 0,
            }));
        }
        let body = self.collect(body, ERROR_LIMIT).await?;
        Ok(Err(Answer {
            status,
            headers,
            body,
        }))
    }

    /// Whether the API server answers at all, whatever it says.
    pub(crate) async fn alive(&self) -> Result<(), Trouble> {
        let request = Request::get("/version")
            .body(Vec::new())
            .map_err(|error| Trouble::Unsent(root(&error)))?;
        let asked = timeout(self.pace.pulse, self.ask(request, ERROR_LIMIT)).await;
        asked.map_err(|_| Trouble::TimedOut(self.pace.pulse))?.map(drop)
    }

    async fn send(&self, request: Request<Vec<u8>>) -> Result<(StatusCode, HeaderMap, Body), Trouble> {
        let sent = timeout(self.pace.read, self.client.send(request.map(Body::from))).await;
        let response = sent
            .map_err(|_| Trouble::TimedOut(self.pace.read))?
            .map_err(|error| trouble(&error))?;
        let (head, body) = response.into_parts();
        Ok((head.status, head.headers, body))
    }

    async fn collect(&self, mut body: Body, limit: usize) -> Result<Vec<u8>, Trouble> {
        let mut bytes = Vec::new();
        while let Some(data) = next(&mut body, self.pace.read).await? {
            if bytes.len() + data.len() > limit {
                return Err(Trouble::TooLarge(limit));
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    }
}

/// Errors are short.
const ERROR_LIMIT: usize = 1 << 20;

/// An event is an object and a few words. etcd takes objects up to 1.5 MB; beyond this it is no event.
const LINE_LIMIT: usize = 16 << 20;

/// An answer that goes on.
pub(crate) struct Lines {
    body: Body,
    patience: Duration,
    buffer: Vec<u8>,
    searched: usize,
}

impl Lines {
    /// The next whole line; None at the end. A last line without its end is none: it was cut. May be asked again after
    /// [`Trouble::TimedOut`], which only says that nothing came for [`Pace::pulse`].
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, Trouble> {
        loop {
            if let Some(at) = self.buffer[self.searched..]
                .iter()
                .position(|byte| *byte == b'\n')
            {
                let rest = self.buffer.split_off(self.searched + at + 1);
                self.searched = 0;
                return Ok(Some(std::mem::replace(&mut self.buffer, rest)));
            }
            self.searched = self.buffer.len();
            if self.searched > LINE_LIMIT {
                return Err(Trouble::TooLarge(LINE_LIMIT));
            }
            match next(&mut self.body, self.patience).await? {
                Some(data) => self.buffer.extend_from_slice(&data),
                None => return Ok(None),
            }
        }
    }
}

async fn next(
    body: &mut Body,
    patience: Duration,
) -> Result<Option<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]>>, Trouble> {
    loop {
        match timeout(patience, body.frame())
            .await
            .map_err(|_| Trouble::TimedOut(patience))?
        {
            None => return Ok(None),
            Some(Err(error)) => return Err(Trouble::Cut(root(&error))),
            // Trailers are no data.
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// A request has certainly not left if the connection was not made, or there were no credentials to send with it.
fn trouble(error: &kube::Error) -> Trouble {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(here) = cause {
        let unconnected = here
            .downcast_ref::<LegacyError>()
            .is_some_and(LegacyError::is_connect);
        if unconnected || here.is::<AuthError>() {
            return Trouble::Unsent(root(error));
        }
        cause = here.source();
    }
    Trouble::Cut(root(error))
}

/// The deepest cause, in its own words: "Connection refused", "invalid peer certificate: UnknownIssuer".
pub(crate) fn root(error: &(dyn Error + 'static)) -> Name {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    crate::answer::shorten(&cause.to_string())
}

/// `Retry-After` in seconds, at most an hour; one second if it is missing or a date.
pub(crate) fn retry_after(headers: &HeaderMap) -> Duration {
    let seconds = headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(1).clamp(1, 3600))
}
