//! Requests to the provider: bounded in time and size, without redirects.

use super::{Settings, Trouble, discovery::Discovery};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Certificate, Client, RequestBuilder, Url, redirect::Policy};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// For a whole answer. A page waits for it at most once in some seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// For a connection.
const CONNECT: Duration = Duration::from_secs(3);

/// Bytes of an answer. Keycloak's keys and its discovery document have about 10 kB.
const LIMIT: usize = 256 << 10;

/// What is wrong with the settings of a provider.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The issuer is no URL, or neither https nor on this machine.
    #[error("the issuer is not an https URL without query, fragment and credentials")]
    Issuer,
    /// The file with authorities cannot be read.
    #[error("{path}: {detail}")]
    CaFile {
        /// Which.
        path: std::path::PathBuf,
        /// The system's words.
        detail: String,
    },
    /// It holds none.
    #[error("{path} holds no certificate")]
    CaContent {
        /// Which.
        path: std::path::PathBuf,
    },
    /// The client could not be made.
    #[error("{0}")]
    Client(#[from] reqwest::Error),
}

/// Asks one provider.
#[derive(Clone)]
pub(super) struct Fetch {
    client: Client,
}

impl Fetch {
    pub(super) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        Url::parse(&settings.issuer)
            .ok()
            .filter(usable)
            .ok_or(SettingsError::Issuer)?;
        let mut builder = Client::builder()
            .timeout(PATIENCE)
            .connect_timeout(CONNECT)
            .gzip(false)
            .redirect(Policy::none())
            .retry(reqwest::retry::never());
        if let Some(path) = &settings.ca {
            let pem = std::fs::read(path).map_err(|error| SettingsError::CaFile {
                path: path.clone(),
                detail: error.to_string(),
            })?;
            let certificates = Certificate::from_pem_bundle(&pem)
                .ok()
                .filter(|all| !all.is_empty())
                .ok_or_else(|| SettingsError::CaContent { path: path.clone() })?;
            builder = builder.tls_certs_only(certificates);
        }
        Ok(Self {
            client: builder.build()?,
        })
    }

    /// Reads a JSON document.
    pub(super) async fn json(&self, url: &Url) -> Result<Value, Trouble> {
        let (status, body) = self.send(self.client.get(url.clone())).await?;
        if status != 200 {
            return Err(Trouble::Away(format!("it answered {status}")));
        }
        serde_json::from_slice(&body).map_err(|_| Trouble::Away("its answer is no JSON".into()))
    }

    /// Exchanges a code for an id_token (RFC 6749, 4.1.3).
    pub(super) async fn exchange(
        &self,
        discovery: &Discovery,
        settings: &Settings,
        code: &str,
        verifier: &str,
    ) -> Result<String, Trouble> {
        #[derive(Deserialize)]
        struct Tokens {
            id_token: Option<String>,
        }
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &settings.redirect_uri),
            ("code_verifier", verifier),
        ];
        let mut request = self.client.post(discovery.token_endpoint.clone());
        match &settings.secret {
            // RFC 6749, 2.3.1: both are encoded as in a form before they are put together.
            Some(secret) if !discovery.secret_in_body => {
                let pair = format!("{}:{}", encoded(&settings.client_id), encoded(secret));
                request = request.header("authorization", format!("Basic {}", STANDARD.encode(pair)));
            }
            Some(secret) => form.extend([
                ("client_id", settings.client_id.as_str()),
                ("client_secret", secret),
            ]),
            None => form.push(("client_id", &settings.client_id)),
        }
        let (status, body) = self.send(request.form(&form)).await?;
        match status {
            200 => {}
            // A code that was used, is too old, or was not given to this client (RFC 6749, 5.2).
            400 | 401 => return Err(Trouble::Refused("it does not accept the code")),
            status => return Err(Trouble::Away(format!("it answered {status}"))),
        }
        let tokens: Tokens =
            serde_json::from_slice(&body).map_err(|_| Trouble::Away("its answer is no JSON".into()))?;
        tokens.id_token.ok_or(Trouble::Unfit("there is no id_token"))
    }

    async fn send(&self, request: RequestBuilder) -> Result<(u16, Vec<u8>), Trouble> {
        // Without the address: it may be internal, and a query may carry what is nobody's business.
        let away = |error: reqwest::Error| {
            let words = if error.is_timeout() {
                "it does not answer in time"
            } else {
                "it cannot be reached"
            };
            Trouble::Away(words.into())
        };
        let mut response = request.send().await.map_err(away)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(away)? {
            if body.len() + chunk.len() > LIMIT {
                return Err(Trouble::Away(format!("its answer is longer than {LIMIT} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    }
}

/// As in `application/x-www-form-urlencoded`.
fn encoded(text: &str) -> String {
    let mut url = match Url::parse("http://x/") {
        Ok(url) => url,
        Err(_) => return text.to_owned(),
    };
    url.query_pairs_mut().append_pair("", text);
    url.query().unwrap_or("").trim_start_matches('=').to_owned()
}

/// Whether tokens may be fetched there: over TLS, or on this machine.
pub(super) fn usable(url: &Url) -> bool {
    let here = || {
        let host = url.host_str().unwrap_or("");
        host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    };
    let safe = url.scheme() == "https" || (url.scheme() == "http" && here());
    safe && url.host_str().is_some()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::{Url, encoded, usable};

    #[test]
    fn tokens_are_fetched_over_tls_or_on_this_machine() {
        for (url, good) in [
            ("https://id.example/realms/a", true),
            ("http://127.0.0.1:8080/realms/a", true),
            ("http://[::1]:8080", true),
            ("http://localhost", true),
            ("http://id.example", false),
            ("http://127.0.0.1.evil.example", false),
            ("ftp://127.0.0.1", false),
            ("https://user@id.example", false),
            ("https://id.example/#x", false),
        ] {
            assert_eq!(Url::parse(url).is_ok_and(|url| usable(&url)), good, "{url}");
        }
    }

    #[test]
    fn secrets_are_encoded_before_they_are_put_together() {
        assert_eq!(encoded("a:b c%=ü"), "a%3Ab+c%25%3D%C3%BC");
        assert_eq!(encoded("=a"), "%3Da");
    }
}
