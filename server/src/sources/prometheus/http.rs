//! One bounded request to Prometheus's HTTP API: <https://prometheus.io/docs/prometheus/latest/querying/api/>.

use super::{Settings, SettingsError, garbled, short};
use bytes::{Bytes, BytesMut};
use naru_domain::{SourceName, Why};
use reqwest::{
    Certificate, Client, Identity, Response, StatusCode, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
    redirect::Policy,
};
use std::{error::Error, fmt::Display, path::PathBuf, time::Duration};

/// Of an answer with an error status no more than this is read, in bytes.
const ERROR_BODY_LIMIT: usize = 64 << 10;

/// Taken at once for a body that says how long it will be, in bytes: what a server says is no reason to take more.
const FIRST_CAPACITY: usize = 1 << 20;

/// A client for one Prometheus.
pub(super) struct Http {
    client: Client,
    query: Url,
    query_range: Url,
    bearer_token_file: Option<PathBuf>,
    timeout: Duration,
    body_limit: usize,
}

/// At which moments a question is asked, and how much is taken of the answer.
pub(super) struct Moments {
    /// The first, in milliseconds since the epoch.
    pub(super) from_ms: i64,
    /// The last.
    pub(super) until_ms: i64,
    /// Seconds from one to the next.
    pub(super) step_s: u32,
    /// So many series at most.
    pub(super) series: usize,
    /// So many bytes at most, if they are fewer than of any answer.
    pub(super) body_limit: usize,
}

/// A moment as the API reads it.
fn seconds(milliseconds: i64) -> String {
    format!(
        "{}.{:03}",
        milliseconds.div_euclid(1_000),
        milliseconds.rem_euclid(1_000)
    )
}

impl Http {
    /// Prepares the client; no connection is made.
    pub(super) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let mut builder = Client::builder()
            .timeout(settings.timeout)
            .gzip(settings.gzip)
            // A login page instead of an answer is an error, and a token follows nobody elsewhere.
            .redirect(Policy::none())
            .retry(reqwest::retry::never());
        if let Some(path) = &settings.ca {
            let pem = std::fs::read(path).map_err(|source| SettingsError::CaFile {
                path: path.clone(),
                source,
            })?;
            let certificates = Certificate::from_pem_bundle(&pem)
                .ok()
                .filter(|it| !it.is_empty())
                .ok_or_else(|| SettingsError::CaContent { path: path.clone() })?;
            builder = builder.tls_certs_only(certificates);
        }
        if let Some(path) = &settings.client_certificate {
            let pem = std::fs::read(path).map_err(|source| SettingsError::CaFile {
                path: path.clone(),
                source,
            })?;
            let identity =
                Identity::from_pem(&pem).map_err(|_| SettingsError::CaContent { path: path.clone() })?;
            builder = builder.identity(identity);
        }
        if let Some(tenant) = &settings.org_id {
            let value = HeaderValue::from_str(tenant).map_err(|_| SettingsError::OrgId)?;
            builder = builder.default_headers(HeaderMap::from_iter([(
                reqwest::header::HeaderName::from_static("x-scope-orgid"),
                value,
            )]));
        }
        Ok(Self {
            client: builder.build().map_err(SettingsError::Client)?,
            query: api_url(&settings.url, "query")?,
            query_range: api_url(&settings.url, "query_range")?,
            bearer_token_file: settings.bearer_token_file.clone(),
            timeout: settings.timeout,
            body_limit: settings.body_limit,
        })
    }

    /// Asks a question as of Prometheus's own now. The body of a good answer, not looked into.
    pub(super) async fn query(&self, query: &impl Display) -> Result<Bytes, Why> {
        let form = [("query", query.to_string())];
        self.ask(&self.query, "/api/v1/query", &form, self.body_limit)
            .await
    }

    /// Asks a question at each of several moments. The body of a good answer, not looked into.
    pub(super) async fn query_range(&self, query: String, range: &Moments) -> Result<Bytes, Why> {
        let form = [
            ("query", query),
            ("start", seconds(range.from_ms)),
            ("end", seconds(range.until_ms)),
            ("step", range.step_s.to_string()),
            // Older than 3.0 does not know it: the answer's size is bounded all the same.
            ("limit", range.series.to_string()),
        ];
        let limit = self.body_limit.min(range.body_limit);
        self.ask(&self.query_range, "/api/v1/query_range", &form, limit)
            .await
    }

    async fn ask(
        &self,
        url: &Url,
        path: &str,
        form: &[(&str, String)],
        body_limit: usize,
    ) -> Result<Bytes, Why> {
        let limit = format!("{}ms", self.timeout.as_millis());
        let form: Vec<(&str, &str)> = form
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .chain([("timeout", limit.as_str())])
            .collect();
        let mut request = self.client.post(url.clone()).form(&form);
        if let Some(path) = &self.bearer_token_file {
            request = request.header(AUTHORIZATION, bearer(path)?);
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.unanswered(&error.without_url()))?;
        let status = response.status();
        if status.is_success() {
            return self
                .body(response, body_limit)
                .await?
                .ok_or_else(|| Why::TooLarge {
                    kind: "Prometheus".into(),
                    name: path.into(),
                    bytes: body_limit as u64 + 1,
                    limit: body_limit as u64,
                });
        }
        let body = self.body(response, ERROR_BODY_LIMIT).await?.unwrap_or_default();
        Err(self.refused(status, &body))
    }

    /// Reads the body; None if it is larger than the limit, counted after decompression.
    async fn body(&self, mut response: Response, limit: usize) -> Result<Option<Bytes>, Why> {
        let expected = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
        let mut body = BytesMut::with_capacity(expected.min(limit).min(FIRST_CAPACITY));
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.broken_off(&error.without_url()))?
        {
            if body.len() + chunk.len() > limit {
                return Ok(None);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Some(body.freeze()))
    }

    /// What an error status means. Prometheus says why in JSON; a proxy before it says it in HTML, which is of no use.
    fn refused(&self, status: StatusCode, body: &[u8]) -> Why {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Refusal {
            #[serde(default)]
            error_type: String,
            #[serde(default)]
            error: String,
        }
        match serde_json::from_slice::<Refusal>(body) {
            Ok(it) if it.error_type == "timeout" => self.timed_out(),
            Ok(it) => super::failed(status.as_u16(), &it.error_type, &it.error),
            Err(_) => super::failed(status.as_u16(), "", status.canonical_reason().unwrap_or("")),
        }
    }

    /// How long one query may take.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    fn timed_out(&self) -> Why {
        self.timed_out_after(self.timeout)
    }

    /// There was no answer for so long.
    pub(super) fn timed_out_after(&self, limit: Duration) -> Why {
        Why::TimedOut {
            source: SourceName::Prometheus,
            after_ms: limit.as_millis() as u64,
        }
    }

    /// Why there was no answer. Never says the address, which may be internal.
    fn unanswered(&self, error: &reqwest::Error) -> Why {
        if error.is_timeout() {
            return self.timed_out();
        }
        let cause = deepest(error);
        let detail = short(&cause.to_string());
        if cause
            .downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_parse)
        {
            garbled(detail)
        } else {
            Why::Unreachable {
                source: SourceName::Prometheus,
                detail,
            }
        }
    }

    /// Why the answer ended before its end, or could not be decompressed.
    fn broken_off(&self, error: &reqwest::Error) -> Why {
        if error.is_timeout() {
            self.timed_out()
        } else {
            garbled(deepest(error).to_string())
        }
    }
}

/// The first cause: what stands before it only says which request it was, with its address.
fn deepest(error: &reqwest::Error) -> &(dyn Error + 'static) {
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(deeper) = cause.source() {
        // hyper's own errors tell more than the bytes' that they come from.
        if cause.is::<hyper::Error>()
            && cause
                .downcast_ref::<hyper::Error>()
                .is_some_and(hyper::Error::is_parse)
        {
            break;
        }
        cause = deeper;
    }
    cause
}

/// Where queries go: below the path prefix of the base URL.
fn api_url(base: &str, question: &str) -> Result<Url, SettingsError> {
    let mut url = Url::parse(base).map_err(|_| SettingsError::Url("not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(SettingsError::Url("neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(SettingsError::Url("credentials belong in the bearer token file"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(SettingsError::Url("a query or a fragment is in it"));
    }
    // http and https URLs always have a path.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["api", "v1", question]);
    }
    Ok(url)
}

/// The header for the token that the file holds now.
fn bearer(path: &std::path::Path) -> Result<HeaderValue, Why> {
    // Without the path and the content: neither is anybody's business.
    let unreadable = |detail: &str| Why::Unreachable {
        source: SourceName::Prometheus,
        detail: short(detail),
    };
    let token = std::fs::read_to_string(path)
        .map_err(|error| unreadable(&format!("bearer token: {}", error.kind())))?;
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
        .map_err(|_| unreadable("bearer token: not a header value"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::api_url;

    #[test]
    fn the_path_prefix_is_kept() {
        for (base, expected) in [
            ("http://p:9090", "http://p:9090/api/v1/query"),
            ("http://p:9090/", "http://p:9090/api/v1/query"),
            (
                "https://m.example/prometheus",
                "https://m.example/prometheus/api/v1/query",
            ),
            ("https://m.example/a/b/", "https://m.example/a/b/api/v1/query"),
        ] {
            assert_eq!(api_url(base, "query").unwrap().as_str(), expected);
        }
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        for base in [
            "",
            "p:9090",
            "ftp://p",
            "http://u:geheim@p",
            "http://p?x=1",
            "http://p#x",
            "http://",
        ] {
            let error = api_url(base, "query").unwrap_err().to_string();
            assert!(!error.contains("geheim"), "{error}");
        }
    }
}
