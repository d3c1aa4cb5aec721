//! The ways in and out. Answers are redirects: what went wrong stands in the query of the page that says so, never what was received.

use crate::sessions::{
    Identity, Means, SignIn, cookie, local,
    oidc::{Answer, Oidc, PATIENCE, Pending, Trouble},
    revoked::{Ended, Standing},
    seal::{Purpose, random_text},
    session::{LIFE, OUTAGE, RENEW, Session},
    with_way_back,
};
use axum::{
    Form, Router,
    extract::{FromRequestParts, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use naru_view::{Millis, session::NotIn};
use serde::Deserialize;
use std::{convert::Infallible, sync::Arc};

/// Where the provider sends people back to.
pub const CALLBACK: &str = "/login/callback";

/// Where the provider says that a session has ended. Not a page's doing, so that no Origin comes with it: the token is its proof.
pub const BACK_CHANNEL: &str = "/logout/backchannel";

/// How long the browser keeps the session's cookie: it may still be shown while the provider is away.
const COOKIE: Millis = LIFE + OUTAGE;

/// The routes of this way of signing in; none without one.
pub(super) fn router(identity: &Identity) -> Router {
    let Identity::SignedIn(desk) = identity else {
        return Router::new();
    };
    let both = Router::new().route("/logout", post(out));
    let routes = match &desk.method {
        Means::Oidc(_) => both
            .route("/login/start", get(start))
            .route("/login/renew", get(renew))
            .route(CALLBACK, get(callback))
            .route(BACK_CHANNEL, post(back_channel)),
        Means::Kubernetes(_) => both.route("/login/token", post(token)),
    };
    routes.with_state(desk.clone())
}

#[derive(Default, Deserialize)]
struct To {
    #[serde(default)]
    to: String,
}

/// The query, or its defaults: a query that cannot be read is as good as none.
struct Asked<T>(T);

impl<T: Default + serde::de::DeserializeOwned, S: Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(
            Query::try_from_uri(&parts.uri)
                .map(|Query(it)| it)
                .unwrap_or_default(),
        ))
    }
}

async fn start(State(desk): State<Arc<SignIn>>, Asked(query): Asked<To>, headers: HeaderMap) -> Response {
    begin(&desk, &headers, local(&query.to), false).await
}

async fn renew(State(desk): State<Arc<SignIn>>, Asked(query): Asked<To>, headers: HeaderMap) -> Response {
    begin(&desk, &headers, local(&query.to), true).await
}

async fn begin(desk: &SignIn, headers: &HeaderMap, to: &str, silent: bool) -> Response {
    let Some(oidc) = desk.oidc() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (url, pending) = match oidc.start(to, silent).await {
        Ok(begun) => begun,
        Err(trouble) => return not_in(&trouble, to),
    };
    let sealed = serde_json::to_vec(&pending)
        .ok()
        .and_then(|it| desk.keys.seal(Purpose::Login, &it));
    let cookie = cookie::login(&pending.state)
        .zip(sealed)
        .and_then(|(name, sealed)| cookie::set(&name, &sealed, PATIENCE / 1_000));
    if cookie.is_none() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let others = cookie::logins(headers);
    let given_up = others.iter().filter(|_| others.len() >= cookie::LOGINS);
    given_up.fold(sent(&url, [cookie]), |response, name| forgetting(response, name))
}

async fn callback(
    State(desk): State<Arc<SignIn>>,
    Asked(answer): Asked<Answer>,
    headers: HeaderMap,
) -> Response {
    let Some(oidc) = desk.oidc() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(name) = cookie::login(answer.state()) else {
        return not_in(&Trouble::Stray("state"), "/");
    };
    let pending = cookie::read(&headers, &name)
        .and_then(|sealed| desk.keys.open(Purpose::Login, sealed))
        .and_then(|json| serde_json::from_slice::<Pending>(&json).ok());
    let Some(pending) = pending else {
        return forgetting(not_in(&Trouble::Stray("cookie"), "/"), &name);
    };
    let to = local(&pending.to);
    let now = desk.clock.now().as_millisecond();
    let former = desk
        .session(&headers)
        .filter(|it| desk.revoked.standing(it) != Standing::Ended);
    let entered = enter(&desk, oidc, &pending, &answer, former.as_ref()).await;
    let response = match entered {
        Ok(session) => {
            tracing::info!(sub = %session.sub, groups = ?session.groups, silent = pending.silent, "signed in");
            admit(&desk, &session, to)
        }
        // The session goes on to its end, and the provider is not asked again for it.
        Err(_) if pending.silent && former.is_some_and(|it| it.expires > now) => {
            sent(to, [cookie::set(cookie::ASKED, "1", RENEW / 1_000)])
        }
        Err(trouble) => not_in(&trouble, to),
    };
    forgetting(response, &name)
}

/// Who comes back from the provider.
async fn enter(
    desk: &SignIn,
    oidc: &Oidc,
    pending: &Pending,
    answer: &Answer,
    former: Option<&Session>,
) -> Result<Session, Trouble> {
    let now = desk.clock.now().as_millisecond();
    // Whoever comes without the right state has not used it up for whoever has it.
    let first = !answer.is_for(pending) || desk.once.first(&pending.state, pending.begun + PATIENCE, now);
    if !first {
        return Err(Trouble::Stray("twice"));
    }
    let who = oidc.finish(pending, answer).await?;
    let id = match (pending.silent, former) {
        (false, _) => random_text()
            .ok_or(Trouble::Away("no random bytes".into()))?
            .into(),
        // Nobody becomes somebody else without being asked.
        (true, Some(former)) if former.sub == who.sub => former.id.clone(),
        (true, _) => return Err(Trouble::Interaction),
    };
    Ok(Session {
        iss: oidc.issuer().into(),
        sub: who.sub,
        sid: who.sid,
        id,
        name: who.name,
        groups: who.groups,
        issued: now,
        expires: now + LIFE,
    })
}

#[derive(Deserialize)]
struct Pasted {
    token: String,
    #[serde(default)]
    to: String,
}

async fn token(State(desk): State<Arc<SignIn>>, Form(pasted): Form<Pasted>) -> Response {
    let Means::Kubernetes(kubernetes) = &desk.method else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let to = local(&pasted.to);
    let now = desk.clock.now().as_millisecond();
    let why = match kubernetes.session(pasted.token.trim(), now).await {
        Ok(Some(session)) => {
            tracing::warn!(name = %session.name, sub = %session.sub, groups = ?session.groups, "signed in by a token of the cluster");
            return admit(&desk, &session, to);
        }
        Ok(None) => NotIn::Token,
        Err(error) => {
            tracing::warn!(%error, "a token could not be judged");
            NotIn::Cluster
        }
    };
    sent(&with_way_back("/login", to, Some(why)), [])
}

async fn out(State(desk): State<Arc<SignIn>>, headers: HeaderMap) -> Response {
    let now = desk.clock.now().as_millisecond();
    let told = match desk.session(&headers) {
        Some(session) => desk.revoked.end(&[Ended::Id(&session.id)], now).await,
        None => Ok(()),
    };
    let target = match told {
        Ok(()) => match desk.oidc() {
            Some(oidc) => oidc.end_session().await,
            None => None,
        }
        .unwrap_or_else(|| with_way_back("/login", "/", Some(NotIn::SignedOut))),
        Err(error) => {
            tracing::error!(%error, "the end of a session could not be written down for other replicas");
            with_way_back("/login", "/", Some(NotIn::SignedOutHere))
        }
    };
    let gone = sent(
        &target,
        [cookie::remove(cookie::SESSION), cookie::remove(cookie::ASKED)],
    );
    cookie::logins(&headers)
        .iter()
        .fold(gone, |response, name| forgetting(response, name))
}

#[derive(Deserialize)]
struct BackChannel {
    logout_token: String,
}

/// OpenID Connect Back-Channel Logout 1.0, 2.5 to 2.8.
async fn back_channel(
    State(desk): State<Arc<SignIn>>,
    form: Result<Form<BackChannel>, axum::extract::rejection::FormRejection>,
) -> Response {
    let bad = || {
        (
            StatusCode::BAD_REQUEST,
            axum::Json(serde_json::json!({"error": "invalid_request"})),
        )
            .into_response()
    };
    let (Some(oidc), Ok(Form(form))) = (desk.oidc(), form) else {
        return bad();
    };
    let ended = match oidc.logged_out(&form.logout_token).await {
        Ok(ended) => ended,
        Err(Trouble::Away(detail)) => {
            tracing::warn!(detail, "a logout token could not be judged");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        Err(trouble) => {
            tracing::warn!(%trouble, "a logout token was refused");
            return bad();
        }
    };
    let now = desk.clock.now().as_millisecond();
    if !desk.once.first(&ended.jti, now + PATIENCE, now) {
        tracing::warn!("a logout token came twice");
        return bad();
    }
    let what = if ended.sid.is_empty() {
        Ended::Person(oidc.issuer(), &ended.sub)
    } else {
        Ended::Sid(oidc.issuer(), &ended.sid)
    };
    match desk.revoked.end(&[what], ended.at).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => {
            tracing::error!(%error, "the end of a session could not be written down for other replicas");
            // So that the provider's next attempt is taken.
            desk.once.forget(&ended.jti);
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Lets somebody in.
fn admit(desk: &SignIn, session: &Session, to: &str) -> Response {
    let cookie = session
        .seal(&desk.keys)
        .and_then(|sealed| cookie::set(cookie::SESSION, &sealed, COOKIE / 1_000));
    if cookie.is_none() {
        tracing::error!("a session does not fit into a cookie, or there are no random bytes");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    sent(to, [cookie, cookie::remove(cookie::ASKED)])
}

fn not_in(trouble: &Trouble, to: &str) -> Response {
    let why = match trouble {
        Trouble::Away(_) => NotIn::ProviderAway,
        Trouble::Refused(_) => NotIn::Refused,
        Trouble::Interaction => NotIn::Lapsed,
        Trouble::Stray(_) => NotIn::Stray,
        Trouble::Unfit(_) => NotIn::Token,
        Trouble::Groups(_) => NotIn::Groups,
    };
    if why != NotIn::Lapsed {
        tracing::warn!(%trouble, "nobody was signed in");
    }
    sent(&with_way_back("/login", to, Some(why)), [])
}

/// The sign-in's own cookie has done its work, whatever came of it.
fn forgetting(mut response: Response, name: &str) -> Response {
    if let Some(cookie) = cookie::remove(name) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn sent<const N: usize>(to: &str, cookies: [Option<HeaderValue>; N]) -> Response {
    let mut response = Redirect::to(to).into_response();
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
