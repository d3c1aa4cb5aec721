//! OpenID Connect (Core 1.0, Discovery 1.0, RP-Initiated and Back-Channel Logout 1.0), as far as this console needs it: the code flow with
//! PKCE, verified id_tokens, and being told when a session at the provider ends.
//!
//! ```text
//! start ─► provider ─► callback: state, iss ─► code for id_token ─► jws (signature) ─► id_token (claims) ─► who
//!                      back-channel: logout_token ─► jws (signature) ─► logout_token (claims) ─► what has ended
//! ```
//!
//! Requests are bounded in time and size and follow no redirects. Signatures are verified by ring; what is signed is read here, so that each
//! demand on it is a line with a test. Access and refresh tokens are neither asked about nor kept.

mod discovery;
mod fetch;
mod id_token;
mod jws;
mod keys;
mod logout_token;

pub use fetch::SettingsError;
pub use id_token::Identified;
pub use logout_token::LoggedOut;

use super::{
    groups::Mapping,
    seal::{random_text, same},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use discovery::Provider;
use fetch::Fetch;
use id_token::Expected;
use keys::KeyRing;
use naru_ports::Clock;
use naru_view::Millis;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{path::PathBuf, sync::Arc};

/// How long somebody may take at the provider: long enough for a second factor and a new password.
pub const PATIENCE: Millis = 10 * 60_000;

/// Characters of what a provider sends back in a query.
const PARAMETER: usize = 4_096;

/// What is known of the provider before it is asked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its issuer URL, as it calls itself.
    pub issuer: String,
    /// As whom it knows this console.
    pub client_id: String,
    /// The client's secret; None for a public client, which PKCE alone protects.
    pub secret: Option<String>,
    /// Certificates (PEM) of the authorities that the provider's may come from; the system's usual ones otherwise.
    pub ca: Option<PathBuf>,
    /// Where the provider sends people back to.
    pub redirect_uri: String,
    /// Where it sends them after signing out.
    pub signed_out_uri: String,
    /// From its groups to ours.
    pub groups: Mapping,
}

/// Why somebody is not let in. Nothing of what was received is repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The provider cannot be reached, or does not speak its protocol.
    #[error("the provider cannot be asked: {0}")]
    Away(String),
    /// The provider has not let them in (`error` of its answer).
    #[error("the provider refused: {0}")]
    Refused(&'static str),
    /// The provider would have to ask them first, and was told not to.
    #[error("the provider would have to ask")]
    Interaction,
    /// The way back does not belong to a way out, or comes too late or twice.
    #[error("the sign-in is not one of ours: {0}")]
    Stray(&'static str),
    /// A token is not what it must be.
    #[error("the token is not good: {0}")]
    Unfit(&'static str),
    /// Their groups cannot be taken.
    #[error("the groups cannot be taken: {0}")]
    Groups(&'static str),
}

/// A token is not what it must be, and in which way.
pub(crate) type Unfit = &'static str;

/// What is remembered of a sign-in while its person is at the provider; sealed into a cookie of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    /// Comes back in the query: the answer belongs to this browser.
    pub state: String,
    /// Comes back in the token: the token was made for this sign-in.
    pub nonce: String,
    /// Goes to the token endpoint: the code was asked for by this browser (RFC 7636).
    pub verifier: String,
    /// Where to go afterwards.
    pub to: String,
    /// Nobody is to be asked anything (`prompt=none`).
    pub silent: bool,
    /// When it began.
    pub begun: Millis,
}

/// What came back in the query.
#[derive(Debug, Default, Deserialize)]
pub struct Answer {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    iss: Option<String>,
    error: Option<String>,
}

impl Answer {
    /// Which sign-in it says that it is for.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Whether this is the answer to that sign-in.
    pub fn is_for(&self, pending: &Pending) -> bool {
        !self.state.is_empty() && same(&self.state, &pending.state)
    }
}

/// One provider.
pub struct Oidc {
    settings: Settings,
    fetch: Fetch,
    provider: Provider,
    keys: KeyRing,
    clock: Arc<dyn Clock>,
}

impl Oidc {
    /// Prepares to speak to it; asks nothing yet, so that the console starts while the provider is down.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, SettingsError> {
        let fetch = Fetch::new(&settings)?;
        let provider = Provider::new(&settings.issuer, fetch.clone(), clock.clone());
        Ok(Self {
            keys: KeyRing::new(fetch.clone(), clock.clone()),
            settings,
            fetch,
            provider,
            clock,
        })
    }

    /// The issuer URL.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Whether the provider answers, as of the last seconds.
    pub async fn answers(&self) -> bool {
        self.provider.discovery().await.is_ok()
    }

    /// Begins a sign-in: where to send the browser, and what to remember meanwhile.
    pub async fn start(&self, to: &str, silent: bool) -> Result<(String, Pending), Trouble> {
        let discovery = self.provider.discovery().await?;
        let random = || random_text().ok_or(Trouble::Away("no random bytes".into()));
        let pending = Pending {
            state: random()?,
            nonce: random()?,
            // 43 to 128 characters (RFC 7636, 4.1).
            verifier: [random()?, random()?].concat(),
            to: to.to_owned(),
            silent,
            begun: self.clock.now().as_millisecond(),
        };
        let challenge = URL_SAFE_NO_PAD.encode(ring::digest::digest(
            &ring::digest::SHA256,
            pending.verifier.as_bytes(),
        ));
        let mut url = discovery.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.settings.redirect_uri)
            .append_pair("scope", "openid profile")
            .append_pair("state", &pending.state)
            .append_pair("nonce", &pending.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if silent {
            url.query_pairs_mut().append_pair("prompt", "none");
        }
        Ok((url.into(), pending))
    }

    /// Ends a sign-in: who it is.
    pub async fn finish(&self, pending: &Pending, answer: &Answer) -> Result<Identified, Trouble> {
        let now = self.clock.now().as_millisecond();
        if !answer.is_for(pending) {
            return Err(Trouble::Stray("state"));
        }
        if now - pending.begun > PATIENCE || pending.begun > now + super::session::SKEW {
            return Err(Trouble::Stray("too late"));
        }
        let discovery = self.provider.discovery().await?;
        // RFC 9207: an answer of another provider must not be taken for this one's. It guards errors too.
        match &answer.iss {
            Some(issuer) if *issuer != self.settings.issuer => return Err(Trouble::Stray("iss")),
            None if discovery.says_iss => return Err(Trouble::Stray("iss is missing")),
            _ => {}
        }
        if let Some(error) = &answer.error {
            return Err(refusal(error));
        }
        if answer.code.is_empty() || answer.code.len() > PARAMETER {
            return Err(Trouble::Stray("code"));
        }
        let token = self
            .fetch
            .exchange(&discovery, &self.settings, &answer.code, &pending.verifier)
            .await?;
        let claims = self.verified(&token, &["", "jwt"]).await?;
        let expected = Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce: &pending.nonce,
            now,
        };
        id_token::check(&claims, &expected, &self.settings.groups)
    }

    /// What a logout token ends.
    pub async fn logged_out(&self, token: &str) -> Result<LoggedOut, Trouble> {
        let claims = self.verified(token, &["logout+jwt"]).await?;
        let now = self.clock.now().as_millisecond();
        logout_token::check(&claims, &self.settings.issuer, &self.settings.client_id, now)
            .map_err(Trouble::Unfit)
    }

    /// Where signing out goes on at the provider, if it has such a place. Without an id_token_hint, since no token is kept: it may ask.
    pub async fn end_session(&self) -> Option<String> {
        let mut url = self
            .provider
            .discovery()
            .await
            .ok()?
            .end_session_endpoint
            .clone()?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("post_logout_redirect_uri", &self.settings.signed_out_uri);
        Some(url.into())
    }

    /// Where a form of ours may lead: the origin of the place where signing out goes on.
    pub fn form_target(&self) -> Option<String> {
        let url = Url::parse(&self.settings.issuer).ok()?;
        Some(url.origin().ascii_serialization())
    }

    /// The claims of a token that this provider signed and whose `typ` is one of these.
    async fn verified(&self, token: &str, types: &[&str]) -> Result<Value, Trouble> {
        let token = jws::Jws::parse(token).map_err(Trouble::Unfit)?;
        if !types.iter().any(|typ| token.is_a(typ)) {
            return Err(Trouble::Unfit("typ"));
        }
        let discovery = self.provider.discovery().await?;
        self.keys.verify(&discovery.jwks_uri, &token).await?;
        Ok(token.claims)
    }
}

/// What an error of the authorization endpoint means (RFC 6749, 4.1.2.1; OpenID Connect Core, 3.1.2.6).
fn refusal(error: &str) -> Trouble {
    match error {
        "login_required" | "interaction_required" | "consent_required" | "account_selection_required" => {
            Trouble::Interaction
        }
        "temporarily_unavailable" | "server_error" => {
            Trouble::Away("it says that it is not available".into())
        }
        "access_denied" => Trouble::Refused("access_denied"),
        "invalid_request" | "unauthorized_client" | "unsupported_response_type" | "invalid_scope" => {
            Trouble::Refused("it does not accept how it was asked")
        }
        _ => Trouble::Refused("another error"),
    }
}
