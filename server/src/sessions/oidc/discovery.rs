//! What the provider says of itself (OpenID Connect Discovery 1.0, section 3), and whether it says anything at all.

use super::{
    Trouble,
    fetch::{Fetch, usable},
};
use naru_ports::Clock;
use naru_view::Millis;
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::Mutex;

/// How long an answer holds. So often is a provider asked by one replica, however many people come.
const HOLDS: Millis = 10_000;

/// The provider's own description, as far as it is used.
#[derive(Debug)]
pub(super) struct Discovery {
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    pub(super) jwks_uri: Url,
    pub(super) end_session_endpoint: Option<Url>,
    /// Every answer carries `iss` (RFC 9207).
    pub(super) says_iss: bool,
    /// The client's secret goes into the body: the provider does not take it in a header.
    pub(super) secret_in_body: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    end_session_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

type Last = Option<(Millis, Result<Arc<Discovery>, Trouble>)>;

/// Asks for the document when somebody needs it, at most once in [`HOLDS`].
pub(super) struct Provider {
    issuer: String,
    fetch: Fetch,
    clock: Arc<dyn Clock>,
    last: Mutex<Last>,
}

impl Provider {
    pub(super) fn new(issuer: &str, fetch: Fetch, clock: Arc<dyn Clock>) -> Self {
        Self {
            issuer: issuer.to_owned(),
            fetch,
            clock,
            last: Mutex::default(),
        }
    }

    /// The description, no older than [`HOLDS`]. Of many who come at once, one asks.
    pub(super) async fn discovery(&self) -> Result<Arc<Discovery>, Trouble> {
        let mut last = self.last.lock().await;
        let now = self.clock.now().as_millisecond();
        if let Some((at, known)) = &*last
            && (0..HOLDS).contains(&(now - at))
        {
            return known.clone();
        }
        let asked = self.ask().await.map(Arc::new);
        if let Err(error) = &asked
            && !matches!(&*last, Some((_, Err(_))))
        {
            tracing::warn!(%error, "identity provider");
        }
        // Counted from the answer: a provider that takes long to say nothing is not asked without a pause.
        *last = Some((self.clock.now().as_millisecond(), asked.clone()));
        asked
    }

    async fn ask(&self) -> Result<Discovery, Trouble> {
        let url = format!(
            "{}/.well-known/openid-configuration",
            self.issuer.trim_end_matches('/')
        );
        let url = Url::parse(&url).map_err(|_| Trouble::Away("its issuer is no URL".into()))?;
        read(self.fetch.json(&url).await?, &self.issuer).map_err(|odd| Trouble::Away(odd.into()))
    }
}

fn read(document: Value, issuer: &str) -> Result<Discovery, &'static str> {
    let it: Document =
        serde_json::from_value(document).map_err(|_| "its discovery document is incomplete")?;
    // Discovery 4.3: exactly the same, or one provider could speak for another.
    if it.issuer != issuer {
        return Err("its discovery document names another issuer");
    }
    let endpoint = |text: &str| {
        let url = Url::parse(text).ok().filter(usable);
        url.ok_or("an endpoint in its discovery document is neither https nor on this machine")
    };
    let lacks = |methods: &Option<Vec<String>>, wanted: &str| {
        methods
            .as_ref()
            .is_some_and(|all| !all.iter().any(|it| it == wanted))
    };
    if lacks(&it.code_challenge_methods_supported, "S256") {
        return Err("it does not take PKCE with S256");
    }
    Ok(Discovery {
        authorization_endpoint: endpoint(&it.authorization_endpoint)?,
        token_endpoint: endpoint(&it.token_endpoint)?,
        jwks_uri: endpoint(&it.jwks_uri)?,
        end_session_endpoint: it.end_session_endpoint.as_deref().map(endpoint).transpose()?,
        says_iss: it.authorization_response_iss_parameter_supported,
        secret_in_body: lacks(&it.token_endpoint_auth_methods_supported, "client_secret_basic"),
    })
}

#[cfg(test)]
mod tests {
    use super::read;
    use serde_json::{Value, json};

    fn document() -> Value {
        json!({"issuer": "https://id.example/a", "authorization_endpoint": "https://id.example/auth",
            "token_endpoint": "https://id.example/token", "jwks_uri": "https://id.example/keys"})
    }

    #[test]
    fn only_the_issuer_itself_is_believed() {
        assert!(read(document(), "https://id.example/a").is_ok());
        for issuer in [
            "https://id.example/b",
            "https://id.example/a/",
            "https://ID.example/a",
            "https://id.example",
        ] {
            assert!(read(document(), issuer).is_err(), "{issuer}");
        }
    }

    #[test]
    fn a_document_that_would_weaken_the_flow_is_refused() {
        for (field, value) in [
            ("token_endpoint", json!("http://id.example/token")),
            ("jwks_uri", json!("file:///etc/passwd")),
            ("authorization_endpoint", json!("javascript:alert(1)")),
            ("end_session_endpoint", json!("http://evil.example")),
            ("jwks_uri", json!(null)),
            ("code_challenge_methods_supported", json!(["plain"])),
        ] {
            let mut odd = document();
            odd[field] = value;
            assert!(read(odd, "https://id.example/a").is_err(), "{field}");
        }
        let mut full = document();
        full["code_challenge_methods_supported"] = json!(["plain", "S256"]);
        full["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
        let read = read(full, "https://id.example/a").unwrap();
        assert!(read.secret_in_body && !read.says_iss);
    }
}
