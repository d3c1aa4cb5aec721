//! What an id_token must say (OpenID Connect Core 1.0, 3.1.3.7), after its signature was verified.

use super::{Trouble, Unfit};
use crate::sessions::{
    groups::{BadGroups, Mapping},
    seal::same,
    session::{SKEW, shown},
};
use naru_domain::Name;
use naru_view::Millis;
use serde_json::Value;

/// An id_token of a code that was just exchanged is seconds old.
const AGE: Millis = 10 * 60_000;

/// Bytes of a subject, a session or an issuer: `sub` has at most 255 (section 2).
const LENGTH: usize = 255;

/// Audiences that are looked at.
const AUDIENCES: usize = 32;

/// What the token is held to.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: Millis,
}

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    /// The provider's stable subject.
    pub sub: Name,
    /// The provider's session; empty if it has not said.
    pub sid: Name,
    /// For display.
    pub name: Name,
    /// Naru's groups.
    pub groups: Vec<Name>,
}

pub(super) fn check(
    claims: &Value,
    expected: &Expected<'_>,
    mapping: &Mapping,
) -> Result<Identified, Trouble> {
    let now = expected.now;
    let who = || -> Result<(Name, Name), Unfit> {
        issued_for(claims, expected.issuer, expected.client_id)?;
        if moment(claims, "exp")?.ok_or("exp is missing")? <= now - SKEW {
            return Err("it has run out");
        }
        let issued = moment(claims, "iat")?.ok_or("iat is missing")?;
        if issued > now + SKEW || issued < now - AGE {
            return Err("iat is not now");
        }
        if moment(claims, "nbf")?.is_some_and(|begins| begins > now + SKEW) {
            return Err("it is not good yet");
        }
        let nonce = claims
            .get("nonce")
            .and_then(Value::as_str)
            .ok_or("nonce is missing")?;
        if !same(nonce, expected.nonce) {
            return Err("nonce is another sign-in's");
        }
        let sub = named(claims, "sub")?.ok_or("sub is missing")?;
        Ok((sub, named(claims, "sid")?.unwrap_or_default()))
    };
    let (sub, sid) = who().map_err(Trouble::Unfit)?;
    let groups = mapping.of(claims).map_err(|error| {
        Trouble::Groups(match error {
            BadGroups::Reserved => "one of Kubernetes' own",
            BadGroups::TooMany => "too many",
            BadGroups::NoList => "no list of texts",
        })
    })?;
    let text = |name: &str| {
        claims
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.trim().is_empty())
    };
    let name = text("name")
        .or_else(|| text("preferred_username"))
        .or_else(|| text("email"))
        .unwrap_or("");
    Ok(Identified {
        name: shown(name, &sub),
        sub,
        sid,
        groups,
    })
}

/// Whether issuer and audience are these. A token for several audiences must name this client as the one it was made for.
pub(super) fn issued_for(claims: &Value, issuer: &str, client_id: &str) -> Result<(), Unfit> {
    if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
        return Err("iss is another issuer");
    }
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) if many.len() <= AUDIENCES => many
            .iter()
            .map(Value::as_str)
            .collect::<Option<_>>()
            .ok_or("aud is no list of texts")?,
        _ => return Err("aud is missing"),
    };
    if !audiences.contains(&client_id) {
        return Err("aud is another client");
    }
    match claims.get("azp") {
        Some(azp) if azp.as_str() != Some(client_id) => Err("azp is another client"),
        None if audiences.len() > 1 => Err("azp is missing"),
        _ => Ok(()),
    }
}

/// A NumericDate (RFC 7519, section 2) in milliseconds. One of another type is refused, not passed over.
pub(super) fn moment(claims: &Value, name: &str) -> Result<Option<Millis>, Unfit> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let seconds = value.as_f64().ok_or("a time in it is no number")?;
    // Until the year 9999.
    if !(0.0..=253_402_300_799.0).contains(&seconds) {
        return Err("a time in it is out of bounds");
    }
    Ok(Some((seconds * 1_000.0) as Millis))
}

/// A name that can be said in a header as it is: it identifies, so nothing of it may be changed.
pub(super) fn named(claims: &Value, name: &str) -> Result<Option<Name>, Unfit> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let text = value.as_str().ok_or("an identifier in it is no text")?;
    let plain = !text.is_empty()
        && text.len() <= LENGTH
        && text.trim() == text
        && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    plain
        .then(|| Some(text.into()))
        .ok_or("an identifier in it is empty, too long, or has characters that cannot be sent")
}

#[cfg(test)]
mod tests {
    use super::{AGE, Expected, Identified, Mapping, SKEW, Trouble, check};
    use serde_json::{Value, json};

    const NOW: i64 = 1_800_000_000;

    fn claims() -> Value {
        json!({"iss": "https://id.example", "aud": "naru", "sub": "7f3c", "sid": "s-1", "exp": NOW + 60, "iat": NOW, "nonce": "n",
            "name": "김나루", "groups": ["naru:operator"]})
    }

    fn judge(claims: &Value) -> Result<Identified, Trouble> {
        let expected = Expected {
            issuer: "https://id.example",
            client_id: "naru",
            nonce: "n",
            now: NOW * 1_000,
        };
        check(claims, &expected, &Mapping::new("groups", "naru:", &[]).unwrap())
    }

    #[test]
    fn a_good_token_says_who_it_is() {
        let who = judge(&claims()).unwrap();
        assert_eq!((&*who.sub, &*who.sid, &*who.name), ("7f3c", "s-1", "김나루"));
        assert_eq!(who.groups, ["naru:operator".into()]);
        let mut several = claims();
        several["aud"] = json!(["account", "naru"]);
        several["azp"] = json!("naru");
        assert!(judge(&several).is_ok());
        let mut bare = claims();
        for name in ["name", "sid", "groups"] {
            bare.as_object_mut().unwrap().remove(name);
        }
        let who = judge(&bare).unwrap();
        assert_eq!((&*who.name, &*who.sid, who.groups.len()), ("7f3c", "", 0));
    }

    #[test]
    fn each_claim_is_held_to_what_it_must_be() {
        let (skew, age) = (SKEW / 1_000, AGE / 1_000);
        for (name, value) in [
            ("iss", json!("https://evil.example")),
            ("iss", json!("https://id.example/")),
            ("aud", json!("other")),
            ("aud", json!([])),
            ("aud", json!(["naru", 3])),
            ("aud", json!({"naru": true})),
            ("aud", json!(["naru", "other"])),
            ("azp", json!("other")),
            ("azp", json!(["naru"])),
            ("exp", json!(NOW - skew)),
            ("exp", json!("1900000000")),
            ("exp", json!(1e300)),
            ("exp", json!(-1)),
            ("iat", json!(NOW + skew + 1)),
            ("iat", json!(NOW - age - 1)),
            ("iat", json!(null)),
            ("nbf", json!(NOW + skew + 1)),
            ("nbf", json!("0")),
            ("nonce", json!("m")),
            ("nonce", json!("")),
            ("nonce", json!(["n"])),
            ("sub", json!("")),
            ("sub", json!(" 7f3c")),
            ("sub", json!("7f3c\r\nImpersonate-Group: system:masters")),
            ("sub", json!("s".repeat(256))),
            ("sub", json!("김")),
            ("sub", json!(7)),
            ("sid", json!("a\nb")),
        ] {
            let mut odd = claims();
            odd[name] = value.clone();
            assert!(matches!(judge(&odd), Err(Trouble::Unfit(_))), "{name} {value}");
        }
        for name in ["iss", "aud", "exp", "iat", "nonce", "sub"] {
            let mut without = claims();
            without.as_object_mut().unwrap().remove(name);
            assert!(matches!(judge(&without), Err(Trouble::Unfit(_))), "{name}");
        }
        let mut masters = claims();
        masters["groups"] = json!(["system:masters"]);
        assert!(matches!(judge(&masters), Err(Trouble::Groups(_))));
    }

    #[test]
    fn clocks_may_be_a_minute_apart() {
        let skew = SKEW / 1_000;
        for (name, value) in [("exp", NOW - skew + 1), ("iat", NOW + skew), ("nbf", NOW + skew)] {
            let mut apart = claims();
            apart[name] = json!(value);
            assert!(judge(&apart).is_ok(), "{name}");
        }
    }
}
