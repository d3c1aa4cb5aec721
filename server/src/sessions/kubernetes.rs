//! The way in when the identity provider is down: a bearer token of the cluster's, pasted or forwarded, judged by the API server.
//!
//! The token is asked about and forgotten: it is in no cookie, no log and no cache. What is remembered of a forwarded one, for a few seconds,
//! is a fingerprint.

use super::{
    seal::{fingerprint, random_text},
    session::{GROUP, GROUPS, LIFE, Session, shown},
};
use naru_domain::Name;
use naru_ports::{ClusterError, TokenUser, Tokens};
use naru_view::Millis;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The issuer of such sessions.
pub const ISSUER: &str = naru_domain::actor::CLUSTER;

/// How long the judgement of a forwarded token holds. A page asks for its parts every second, and each would be a question to the API
/// server; a token that is withdrawn is good for this much longer.
const HOLDS: Millis = 10_000;

/// Forwarded tokens whose judgement is kept.
const KEPT: usize = 256;

/// Asks the API server about tokens.
pub struct Kubernetes {
    tokens: Arc<dyn Tokens>,
    judged: Mutex<HashMap<String, (Option<Session>, Millis)>>,
}

impl Kubernetes {
    /// With this judge.
    pub fn new(tokens: Arc<dyn Tokens>) -> Self {
        Self {
            tokens,
            judged: Mutex::default(),
        }
    }

    /// A session for whoever has this token; None if it is not good.
    pub async fn session(&self, token: &str, now: Millis) -> Result<Option<Session>, ClusterError> {
        let user = self.tokens.review(token).await?;
        Ok(user.and_then(|user| session(&user, now)))
    }

    /// The same for a token that comes with each request, as of the last seconds.
    pub async fn forwarded(&self, token: &str, now: Millis) -> Result<Option<Session>, ClusterError> {
        let key = fingerprint(&["bearer", token]);
        if let Some((session, until)) = self
            .judged
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            && now < *until
        {
            return Ok(session.clone());
        }
        let session = self.session(token, now).await?;
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        judged.retain(|_, (_, until)| *until > now);
        if judged.len() < KEPT {
            judged.insert(key, (session.clone(), now + HOLDS));
        }
        Ok(session)
    }
}

/// None if the user cannot be named in a header, or the system gives no random bytes.
fn session(user: &TokenUser, now: Millis) -> Option<Session> {
    let sub = if user.uid.is_empty() {
        &user.name
    } else {
        &user.uid
    };
    let plain = sub.len() <= 255
        && sub.trim() == &**sub
        && sub.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let groups: Vec<Name> = user
        .groups
        .iter()
        .filter(|group| group.len() <= GROUP)
        .take(GROUPS)
        .cloned()
        .collect();
    (plain && !sub.is_empty()).then_some(())?;
    Some(Session {
        iss: ISSUER.into(),
        sub: sub.clone(),
        sid: "".into(),
        id: random_text()?.into(),
        name: shown(&user.name, sub),
        groups,
        issued: now,
        expires: now + LIFE,
    })
}
