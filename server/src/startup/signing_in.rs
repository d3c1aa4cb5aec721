//! From settings to how people are known.

use crate::{
    config::{Auth, OpenId, SigningIn},
    failure::Failure,
    http::{Hosts, login::CALLBACK},
    sessions::{
        Identity, Means, SignIn,
        groups::Mapping,
        kubernetes::Kubernetes,
        oidc::{self, Oidc},
        seal::Keys,
    },
};
use naru_kube::KubeCluster;
use naru_ports::Clock;
use std::sync::Arc;

/// How people sign in, as far as it can be made ready before there is a cluster: a wrong setting ends the command at once.
pub(super) struct Desk {
    keys: Option<Keys>,
    oidc: Option<Oidc>,
    auth: Auth,
    /// The name in the URL of this console.
    pub(super) host: Option<String>,
}

impl Desk {
    /// Reads and judges the settings; asks nobody.
    pub(super) fn prepare(
        options: &SigningIn,
        openid: &OpenId,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let public = options.public_url.as_deref().map(public_url).transpose()?;
        let host = public.as_ref().and_then(|url| url.host_str()).map(str::to_owned);
        let needs = |option| Failure::AuthNeeds { auth: "oidc", option };
        let (keys, oidc) = match options.auth {
            Auth::None => (None, None),
            Auth::Kubernetes => (Some(session_keys(options)?), None),
            Auth::Oidc => {
                // Replicas must open each other's cookies, so that a key of this process alone will not do.
                options
                    .session_key_file
                    .as_ref()
                    .ok_or(needs("--session-key-file"))?;
                let public = public.ok_or(needs("--public-url"))?;
                let oidc = self::openid(openid, &public, clock)?;
                (Some(session_keys(options)?), Some(oidc))
            }
        };
        Ok(Self {
            keys,
            oidc,
            auth: options.auth,
            host,
        })
    }

    /// The way in, on this cluster.
    pub(super) fn open(self, cluster: &Arc<KubeCluster>, audience: &str, clock: Arc<dyn Clock>) -> Identity {
        let Some(keys) = self.keys else {
            tracing::warn!("no login (--auth none): whoever reaches this address acts as naru:operator");
            return Identity::Loopback;
        };
        let means = match self.oidc {
            Some(oidc) => Means::Oidc(Box::new(oidc)),
            None => Means::Kubernetes(Kubernetes::new(Arc::new(cluster.tokens(audience.into())))),
        };
        tracing::info!(auth = ?self.auth, "people sign in");
        Identity::SignedIn(Arc::new(SignIn::start(keys, means, cluster.clone(), clock)))
    }
}

fn session_keys(options: &SigningIn) -> Result<Keys, Failure> {
    let Some(path) = &options.session_key_file else {
        return Keys::random().ok_or_else(|| anyhow::anyhow!("the system gives no random bytes").into());
    };
    let read = Keys::read(path).map_err(|error| Failure::File {
        path: path.clone(),
        detail: error.to_string(),
    })?;
    read.map_err(|error| Failure::SessionKey {
        path: path.clone(),
        error,
    })
}

fn openid(options: &OpenId, public: &reqwest::Url, clock: Arc<dyn Clock>) -> Result<Oidc, Failure> {
    let needs = |option| Failure::AuthNeeds { auth: "oidc", option };
    let secret = match &options.client_secret_file {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| Failure::File {
                path: path.clone(),
                detail: error.to_string(),
            })?;
            Some(text.trim().to_owned())
        }
        None => None,
    };
    let groups = Mapping::new(&options.groups_claim, &options.groups_prefix, &options.groups)
        .map_err(|bad| Failure::GroupMapping { pair: bad.0 })?;
    let origin = public.origin().ascii_serialization();
    let settings = oidc::Settings {
        issuer: options.issuer.clone().ok_or(needs("--oidc-issuer"))?,
        client_id: options
            .client_id
            .clone()
            .filter(|id| !id.is_empty())
            .ok_or(needs("--oidc-client-id"))?,
        secret,
        ca: options.ca.clone(),
        redirect_uri: format!("{origin}{CALLBACK}"),
        signed_out_uri: format!("{origin}/login"),
        groups,
    };
    Oidc::new(settings, clock).map_err(|error| match error {
        oidc::SettingsError::Issuer => Failure::OidcIssuer,
        oidc::SettingsError::CaFile { path, detail } => Failure::File { path, detail },
        oidc::SettingsError::CaContent { path } => Failure::NoCertificate { path },
        oidc::SettingsError::Client(error) => Failure::Fault(anyhow::Error::new(error)),
    })
}

/// https, or a loopback name: cookies of a session are sent over nothing else.
fn public_url(text: &str) -> Result<reqwest::Url, Failure> {
    let url = reqwest::Url::parse(text).map_err(|_| Failure::PublicUrl)?;
    let bare =
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let here = url.host_str().is_some_and(|host| Hosts::default().allow(host));
    let safe = url.scheme() == "https" || (url.scheme() == "http" && here);
    (bare && safe && url.password().is_none())
        .then_some(url)
        .ok_or(Failure::PublicUrl)
}
