//! What a logout token must say (OpenID Connect Back-Channel Logout 1.0, 2.4 and 2.6), after its signature was verified.

use super::{
    Unfit,
    id_token::{issued_for, moment, named},
};
use crate::sessions::session::SKEW;
use naru_domain::Name;
use naru_view::Millis;
use serde_json::Value;

/// The event that it must tell of.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How old it may be. Providers send it at once, and try again for minutes.
const AGE: Millis = 5 * 60_000;

/// What has ended at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedOut {
    /// The session there; empty for all of the subject's.
    pub sid: Name,
    /// Whose; empty if only the session is named.
    pub sub: Name,
    /// The token's own name: it is taken once.
    pub jti: Name,
    /// When the provider said so.
    pub at: Millis,
}

pub(super) fn check(claims: &Value, issuer: &str, client_id: &str, now: Millis) -> Result<LoggedOut, Unfit> {
    issued_for(claims, issuer, client_id)?;
    let at = moment(claims, "iat")?.ok_or("iat is missing")?;
    if at > now + SKEW || at < now - AGE {
        return Err("iat is not now");
    }
    if moment(claims, "exp")?.is_some_and(|ends| ends <= now - SKEW) {
        return Err("it has run out");
    }
    let event = claims.get("events").and_then(|events| events.get(EVENT));
    if !event.is_some_and(Value::is_object) {
        return Err("it tells of no logout");
    }
    // So that an id_token can never be taken for one.
    if claims.get("nonce").is_some() {
        return Err("it has a nonce");
    }
    let (sid, sub) = (
        named(claims, "sid")?.unwrap_or_default(),
        named(claims, "sub")?.unwrap_or_default(),
    );
    if sid.is_empty() && sub.is_empty() {
        return Err("it names neither session nor subject");
    }
    let jti = named(claims, "jti")?.ok_or("jti is missing")?;
    Ok(LoggedOut {
        sid,
        sub,
        jti,
        at: at.min(now),
    })
}

#[cfg(test)]
mod tests {
    use super::{AGE, EVENT, SKEW, check};
    use serde_json::{Value, json};

    const NOW: i64 = 1_800_000_000;

    fn claims() -> Value {
        json!({"iss": "https://id.example", "aud": "naru", "iat": NOW, "exp": NOW + 120, "jti": "j-1", "sid": "s-1", "sub": "7f3c",
            "events": {EVENT: {}}})
    }

    fn good(claims: &Value) -> bool {
        check(claims, "https://id.example", "naru", NOW * 1_000).is_ok()
    }

    #[test]
    fn a_logout_names_a_session_or_a_subject() {
        assert!(good(&claims()));
        for name in ["sid", "sub", "exp"] {
            let mut without = claims();
            without.as_object_mut().unwrap().remove(name);
            assert!(good(&without), "{name}");
        }
        for names in [
            &["sid", "sub"][..],
            &["iss"],
            &["aud"],
            &["iat"],
            &["jti"],
            &["events"],
        ] {
            let mut without = claims();
            for name in names {
                without.as_object_mut().unwrap().remove(*name);
            }
            assert!(!good(&without), "{names:?}");
        }
    }

    #[test]
    fn what_is_no_logout_of_now_for_us_is_refused() {
        for (name, value) in [
            ("iss", json!("https://evil.example")),
            ("aud", json!("other")),
            ("iat", json!(NOW - AGE / 1_000 - 1)),
            ("iat", json!(NOW + SKEW / 1_000 + 1)),
            ("exp", json!(NOW - SKEW / 1_000)),
            ("events", json!({})),
            ("events", json!({EVENT: true})),
            ("events", json!([EVENT])),
            ("events", json!({"http://schemas.openid.net/event/other": {}})),
            ("nonce", json!("n")),
            ("nonce", json!(null)),
            ("jti", json!("")),
            ("sid", json!("a\nb")),
            ("sub", json!(3)),
        ] {
            let mut odd = claims();
            odd[name] = value.clone();
            assert!(!good(&odd), "{name} {value}");
        }
    }
}
