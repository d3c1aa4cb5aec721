//! Who asks, and what they may see. Pages, streams and server functions ask for a [`Viewer`]; [`identify`] puts one beside each request,
//! derived anew each time from a sealed cookie and from rights as of the last minute.
//!
//! ```text
//! cookie ─► seal ─► session (who, until when) ─► revoked? ─► scopes (SubjectAccessReviews) ─► Viewer
//! sign-in: oidc (a provider) or kubernetes (a token of the cluster's) ─► session ─► cookie
//! ```
//!
//! Invariants: a session holds no token; what cannot be opened, is too old or was ended is nobody's; nobody is shown anything but the way in.
//! Without a login everybody who reaches the loopback address is the one fixed operator.

pub mod cookie;
pub mod groups;
pub mod kubernetes;
mod local_path;
pub mod oidc;
pub mod once;
pub mod revoked;
pub mod scopes;
pub mod seal;
pub mod session;

pub use local_path::local;

use crate::rehearse;
use axum::{
    Json,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use kubernetes::Kubernetes;
use naru_app::{AppError, context::Preferences};
use naru_domain::{
    Why,
    actor::{Actor, Scope},
};
use naru_ports::{Clock, Cluster};
use naru_view::session::{NotIn, ReadOnly, SignIn as Way};
use oidc::Oidc;
use once::Once;
use revoked::{Revoked, Standing};
use scopes::Scopes;
use seal::Keys;
use session::{OUTAGE, RENEW, Session};
use std::{sync::Arc, time::Duration};

/// How long a stream is open to a session that is only shown because the provider is away: then it is looked at again.
const OUTAGE_STREAM: Duration = Duration::from_secs(60);

/// Who asks, and what they may see. Derived anew for each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// Who acts when something is written.
    pub actor: Actor,
    /// What may be shown.
    pub scope: Scope,
    /// Why it is not known whether there is more to be shown.
    pub blind: Option<Why>,
    /// Why they may write nothing, if they may not.
    pub read_only: Option<ReadOnly>,
    /// What is left of their session; None where there is none.
    pub left: Option<Duration>,
}

impl Viewer {
    /// Somebody without a session.
    pub fn new(actor: Actor, scope: Scope) -> Self {
        Self {
            actor,
            scope,
            blind: None,
            read_only: None,
            left: None,
        }
    }

    /// The one viewer of a console without login.
    pub fn loopback() -> Self {
        Self::new(Actor::loopback(), Scope::all())
    }
}

/// How people are known.
#[derive(Clone)]
pub enum Identity {
    /// Everybody is the one operator.
    Loopback,
    /// In a rehearsal: whom somebody plays, as their page says. No more than a choice of theirs, since nothing real can be touched.
    Playing,
    /// They sign in.
    SignedIn(Arc<SignIn>),
}

impl Identity {
    /// As pages call it.
    pub fn way(&self) -> Way {
        match self {
            Self::Loopback | Self::Playing => Way::None,
            Self::SignedIn(desk) => match desk.method {
                Means::Oidc(_) => Way::Oidc,
                Means::Kubernetes(_) => Way::Kubernetes,
            },
        }
    }

    /// Where the forms of our pages may lead beside this console.
    pub fn form_target(&self) -> Option<String> {
        match self {
            Self::SignedIn(desk) => desk.oidc().and_then(Oidc::form_target),
            Self::Loopback | Self::Playing => None,
        }
    }
}

/// By what people sign in.
pub enum Means {
    /// A provider.
    Oidc(Box<Oidc>),
    /// A token of the cluster's.
    Kubernetes(Kubernetes),
}

/// What signing in needs.
pub struct SignIn {
    pub(crate) keys: Keys,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) revoked: Revoked,
    pub(crate) once: Once,
    pub(crate) method: Means,
    scopes: Scopes,
}

/// What a request says of its sender.
enum Known {
    Viewer(Box<Viewer>),
    /// The session is to be renewed before this page is shown.
    Renew,
    Nobody {
        why: Option<NotIn>,
    },
}

impl SignIn {
    /// On this cluster, which knows rights and holds the list of ended sessions; needs a runtime.
    pub fn start(keys: Keys, method: Means, cluster: Arc<dyn Cluster>, clock: Arc<dyn Clock>) -> Self {
        Self {
            keys,
            revoked: Revoked::start(cluster.clone(), clock.clone()),
            scopes: Scopes::start(cluster, clock.clone()),
            once: Once::default(),
            method,
            clock,
        }
    }

    pub(crate) fn oidc(&self) -> Option<&Oidc> {
        match &self.method {
            Means::Oidc(oidc) => Some(oidc),
            Means::Kubernetes(_) => None,
        }
    }

    /// The session of a request's cookie, ended or not.
    pub(crate) fn session(&self, headers: &HeaderMap) -> Option<Session> {
        let issuer = self.oidc().map_or(kubernetes::ISSUER, Oidc::issuer);
        let now = self.clock.now().as_millisecond();
        Session::open(&self.keys, cookie::read(headers, cookie::SESSION)?, issuer, now)
    }

    async fn who(&self, parts: &Parts) -> Known {
        if let (Means::Kubernetes(kubernetes), Some(value)) =
            (&self.method, parts.headers.get(header::AUTHORIZATION))
        {
            return self.bearer(kubernetes, value.to_str().unwrap_or("")).await;
        }
        let Some(session) = self.session(&parts.headers) else {
            return Known::Nobody { why: None };
        };
        let mut read_only = None;
        match (self.revoked.standing(&session), self.oidc()) {
            (Standing::Ended, _) => {
                return Known::Nobody {
                    why: Some(NotIn::SignedOut),
                };
            }
            // The way in when much is broken does not depend on the list: its sessions are short, and this replica knows what it ended.
            (Standing::Unknown(_), Some(_)) => read_only = Some(ReadOnly::RevocationsUnknown),
            (Standing::Unknown(_), None) | (Standing::Goes, _) => {}
        }
        let now = self.clock.now().as_millisecond();
        let left = session.expires - now;
        let mut stays = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        match self.oidc() {
            None if left <= 0 => {
                return Known::Nobody {
                    why: Some(NotIn::Lapsed),
                };
            }
            Some(oidc) if left <= 0 => {
                if left < -OUTAGE || oidc.answers().await {
                    return Known::Nobody {
                        why: Some(NotIn::Lapsed),
                    };
                }
                read_only = Some(ReadOnly::ProviderAway);
                stays = OUTAGE_STREAM;
            }
            Some(oidc)
                if left < RENEW && navigates(parts) && !asked(&parts.headers) && oidc.answers().await =>
            {
                return Known::Renew;
            }
            _ => {}
        }
        self.viewer(&session, read_only, stays).await
    }

    async fn bearer(&self, kubernetes: &Kubernetes, value: &str) -> Known {
        let token = value
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some((_, token)) = token else {
            return Known::Nobody {
                why: Some(NotIn::Token),
            };
        };
        let now = self.clock.now().as_millisecond();
        match kubernetes.forwarded(token.trim(), now).await {
            Ok(Some(session)) => {
                let left = u64::try_from(session.expires - now).unwrap_or(0);
                self.viewer(&session, None, Duration::from_millis(left)).await
            }
            Ok(None) => Known::Nobody {
                why: Some(NotIn::Token),
            },
            Err(_) => Known::Nobody {
                why: Some(NotIn::Cluster),
            },
        }
    }

    async fn viewer(&self, session: &Session, read_only: Option<ReadOnly>, left: Duration) -> Known {
        let actor = session.actor();
        let sight = self.scopes.of(&actor).await;
        Known::Viewer(Box::new(Viewer {
            actor,
            scope: sight.scope,
            blind: sight.why,
            read_only,
            left: Some(left),
        }))
    }
}

/// Whether a browser opens a page, rather than a script asking for a part of one: only then can it be sent to the provider and back.
fn navigates(parts: &Parts) -> bool {
    let text = |name: &str| parts.headers.get(name).and_then(|it| it.to_str().ok());
    let mode = text("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
    let html = text("accept").is_some_and(|accept| accept.contains("text/html"));
    parts.method == Method::GET && mode && html && !inside(parts.uri.path())
}

/// Whether the provider was asked for this session already, and would not renew it without its person.
fn asked(headers: &HeaderMap) -> bool {
    cookie::read(headers, cookie::ASKED).is_some()
}

/// What scripts of our pages ask for.
fn inside(path: &str) -> bool {
    ["/api/", "/live", "/rehearsal/"]
        .iter()
        .any(|start| path.starts_with(start))
}

/// What is there for nobody: the ways in and out.
fn open(path: &str) -> bool {
    matches!(path, "/login" | "/logout") || path.starts_with("/login/") || path.starts_with("/logout/")
}

/// Puts the viewer beside the request, where [`Viewer`]'s extractor and the pages' context find it. Nobody is led to the page where one
/// signs in, or told 401.
pub async fn identify(State(identity): State<Identity>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let known = match &identity {
        Identity::Loopback => Known::Viewer(Box::new(Viewer::loopback())),
        Identity::Playing => Known::Viewer(Box::new(rehearse::viewer(Preferences::of(&parts).persona))),
        Identity::SignedIn(_) if open(parts.uri.path()) => Known::Nobody { why: None },
        Identity::SignedIn(desk) => desk.who(&parts).await,
    };
    match known {
        Known::Viewer(viewer) => {
            parts.extensions.insert(*viewer);
        }
        Known::Renew => return led("/login/renew", &parts, None),
        Known::Nobody { why } if !open(parts.uri.path()) => return nobody(&identity, &parts, why),
        Known::Nobody { .. } => {}
    }
    next.run(Request::from_parts(parts, body)).await
}

fn nobody(identity: &Identity, parts: &Parts, why: Option<NotIn>) -> Response {
    let path = parts.uri.path();
    if path.starts_with("/api/") {
        // As Leptos marks errors, so that the page's script reads this one as such.
        let marked = [("serverfnerror", path.to_owned())];
        return (StatusCode::UNAUTHORIZED, marked, Json(AppError::SignedOut)).into_response();
    }
    if inside(path) || !matches!(parts.method, Method::GET | Method::HEAD) {
        return (StatusCode::UNAUTHORIZED, "not signed in\n").into_response();
    }
    let silently = why == Some(NotIn::Lapsed) && identity.way() == Way::Oidc && !asked(&parts.headers);
    if silently && navigates(parts) {
        return led("/login/renew", parts, None);
    }
    led("/login", parts, why)
}

/// To this place, from which the way leads back to what was asked for.
fn led(place: &str, parts: &Parts, why: Option<NotIn>) -> Response {
    let asked_for = parts.uri.path_and_query().map_or("/", |it| it.as_str());
    Redirect::to(&with_way_back(place, local(asked_for), why)).into_response()
}

/// A page of signing in, with where to go afterwards and why one is there.
pub(crate) fn with_way_back(place: &str, to: &str, why: Option<NotIn>) -> String {
    let mut query = String::new();
    for (name, value) in [
        ("to", Some(to).filter(|to| *to != "/")),
        ("why", why.map(NotIn::tag)),
    ] {
        if let Some(value) = value {
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str(name);
            query.push('=');
            for byte in value.bytes() {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
                    query.push(char::from(byte));
                } else {
                    query.push_str(&format!("%{byte:02X}"));
                }
            }
        }
    }
    format!("{place}{query}")
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = StatusCode;

    /// A route that [`identify`] does not stand before knows nobody, and shows nothing: 401.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        parts.extensions.get().cloned().ok_or(StatusCode::UNAUTHORIZED)
    }
}

#[cfg(test)]
mod tests {
    use super::{NotIn, Viewer, with_way_back};
    use axum::{
        extract::FromRequestParts,
        http::{Request, StatusCode},
    };

    #[tokio::test]
    async fn nobody_is_a_viewer_by_default() {
        let (mut parts, ()) = Request::new(()).into_parts();
        assert_eq!(
            Viewer::from_request_parts(&mut parts, &()).await,
            Err(StatusCode::UNAUTHORIZED)
        );
        parts.extensions.insert(Viewer::loopback());
        assert_eq!(
            Viewer::from_request_parts(&mut parts, &()).await,
            Ok(Viewer::loopback())
        );
    }

    #[test]
    fn the_way_back_survives_the_way_out() {
        assert_eq!(with_way_back("/login", "/", None), "/login");
        assert_eq!(
            with_way_back("/login", "/topology?ns=a,b&find=x", Some(NotIn::Lapsed)),
            "/login?to=/topology%3Fns%3Da%2Cb%26find%3Dx&why=lapsed"
        );
    }
}
