//! The token's check: `RequestAuthentication` (istio's `pilot/pkg/security/authn/policy_applier.go`, Envoy's `jwt_authn` filter).
//!
//! A request without a token passes and has no request principal. One with a token passes if some rule is for its issuer and takes its
//! audience; else it is refused, also where the policies behind would let it in. Where no rule applies nobody looks at the token, and its
//! claims do not exist. What cannot be known from the request: whether the key of a rule without an issuer has signed the token; where a token
//! of a foreign issuer lies, if the rules look in places of their own; and what stands in a token that is in the headers while no claims are given.

use super::{
    Kind, Protocol, Request,
    decide::Stage,
    policy::attached,
    rule::{Unread, list, names},
    seen::Token,
};
use crate::{
    Name, Why,
    mesh::{Decider, Mesh, Proxy, unjudged},
    object::{self, Object},
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The check's outcome.
pub(super) struct Checked {
    pub(super) stage: Stage,
    /// What the policies behind see.
    pub(super) token: Token,
    /// Headers that it sets or removes.
    pub(super) touched: BTreeSet<Name>,
}

#[derive(Default)]
struct Rule {
    issuer: Name,
    audiences: Vec<Name>,
    from_headers: Vec<(Name, Name)>,
    from_params: Vec<Name>,
    from_cookies: Vec<Name>,
    sets: Vec<Name>,
    space_delimited: Vec<Name>,
}

/// Checks the request's token, if it has one.
pub(super) fn check(mesh: &Mesh<'_>, destination: &Proxy, request: &Request) -> Checked {
    let mut checked = Checked {
        stage: Stage::Pass,
        token: Token::None,
        touched: BTreeSet::new(),
    };
    if request.protocol == Protocol::Tcp {
        return checked;
    }
    let mut rules: Vec<(Rule, &Object)> = Vec::new();
    for object in attached(mesh, destination, object::Kind::RequestAuthentication, false) {
        match read(object) {
            Ok(more) => rules.extend(more.into_iter().map(|rule| (rule, object))),
            Err(Unread) => return unknown(unjudged::named(object), None),
        }
    }
    let Some((_, first)) = rules.first() else {
        return checked;
    };
    let first = Decider::of(first, "/spec/jwtRules");
    if request.is_preflight() {
        return checked;
    }
    let touched: BTreeSet<Name> = rules.iter().flat_map(|(rule, _)| rule.sets.clone()).collect();
    let Some(claims) = request.token() else {
        if rules.iter().any(|(rule, _)| rule.finds(request)) {
            return unknown(not_judged("request.auth"), Some(first));
        }
        return Checked { touched, ..checked };
    };
    checked.touched = touched;
    checked.touched.insert("authorization".into());
    let places = rules.iter().flat_map(|(rule, _)| &rule.from_headers);
    checked.touched.extend(places.map(|(name, _)| name.clone()));
    let issuer: Name = claims.get("iss").and_then(Value::as_str).unwrap_or("").into();
    let ours: Vec<_> = rules
        .iter()
        .filter(|(rule, _)| !issuer.is_empty() && rule.issuer == issuer)
        .collect();
    if let Some((rule, _)) = ours.iter().find(|(rule, _)| rule.takes_audience(&claims)) {
        checked.token = Token::Claims(rule.kept(claims));
        return checked;
    }
    if rules.iter().any(|(rule, _)| rule.issuer.is_empty()) {
        return unknown(not_judged("jwksUri"), Some(first));
    }
    if let Some((_, object)) = ours.first() {
        checked.stage = Stage::Deny(
            Decider::of(object, "/spec/jwtRules"),
            Kind::TokenAudience { issuer },
        );
    } else if rules.iter().any(|(rule, _)| rule.looks_elsewhere()) {
        return unknown(not_judged("fromHeaders"), Some(first));
    } else {
        checked.stage = Stage::Deny(first, Kind::TokenIssuer { issuer });
    }
    checked
}

fn not_judged(what: &str) -> Why {
    Why::NotJudged { what: what.into() }
}

fn unknown(why: Why, decider: Option<Decider>) -> Checked {
    let whys = BTreeSet::from([why]);
    Checked {
        stage: Stage::Unknown(whys.clone(), decider, Kind::NotJudged),
        token: Token::Unknown(whys),
        touched: BTreeSet::from(["authorization".into()]),
    }
}

fn read(object: &Object) -> Result<Vec<Rule>, Unread> {
    let Some(spec) = object.get("/spec") else {
        return Ok(Vec::new());
    };
    list(spec, "jwtRules")?
        .iter()
        .filter(|it| !it.is_null())
        .map(Rule::read)
        .collect()
}

impl Rule {
    fn read(json: &Value) -> Result<Self, Unread> {
        let text = |json: &Value, name: &str| -> Result<Name, Unread> {
            match json.get(name) {
                None | Some(Value::Null) => Ok("".into()),
                Some(value) => value.as_str().map(Name::from).ok_or(Unread),
            }
        };
        let lower = |name: Name| -> Name { name.to_ascii_lowercase().into() };
        let mut from_headers = Vec::new();
        for place in list(json, "fromHeaders")? {
            from_headers.push((lower(text(place, "name")?), text(place, "prefix")?));
        }
        let mut sets = vec![lower(text(json, "outputPayloadToHeader")?)];
        for output in list(json, "outputClaimToHeaders")? {
            sets.push(lower(text(output, "header")?));
        }
        json.as_object().ok_or(Unread)?;
        Ok(Self {
            issuer: text(json, "issuer")?,
            audiences: names(json, "audiences")?,
            from_headers,
            from_params: names(json, "fromParams")?,
            from_cookies: names(json, "fromCookies")?,
            sets,
            space_delimited: names(json, "spaceDelimitedClaims")?,
        })
    }

    /// Whether it has places of its own to look for tokens.
    fn looks_elsewhere(&self) -> bool {
        !(self.from_headers.is_empty() && self.from_params.is_empty() && self.from_cookies.is_empty())
    }

    /// Whether the request has something where this rule looks: by default `Authorization: Bearer` and the parameter `access_token`.
    fn finds(&self, request: &Request) -> bool {
        let bearer = [("authorization".into(), "Bearer ".into())];
        let parameter = ["access_token".into()];
        let (headers, params) = if self.looks_elsewhere() {
            (&*self.from_headers, &*self.from_params)
        } else {
            (&bearer[..], &parameter[..])
        };
        let header = |name: &str| request.headers.get(name).map_or("", |it| &**it);
        let query = request.path.split_once('?').map_or("", |(_, query)| query);
        let has = |text: &str, separator: char, name: &str| {
            let mut pairs = text.split(separator).filter_map(|it| it.trim().split_once('='));
            pairs.any(|(key, _)| key == name)
        };
        headers.iter().any(|(name, prefix)| {
            let value = header(name);
            !value.is_empty() && value.contains(&**prefix)
        }) || params.iter().any(|name| has(query, '&', name))
            || self
                .from_cookies
                .iter()
                .any(|name| has(header("cookie"), ';', name))
    }

    /// No audiences take any; else one of the token's has to be among them, the scheme and a last slash apart.
    fn takes_audience(&self, claims: &Map<String, Value>) -> bool {
        let taken = |text: &str| self.audiences.iter().any(|it| audience(it) == audience(text));
        self.audiences.is_empty()
            || match claims.get("aud") {
                Some(Value::String(text)) => taken(text),
                Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).any(taken),
                _ => false,
            }
    }

    /// The claims as Envoy keeps them: some that are texts become lists of words.
    fn kept(&self, mut claims: Map<String, Value>) -> Map<String, Value> {
        let always = ["scope", "permission"];
        for name in always
            .into_iter()
            .chain(self.space_delimited.iter().map(|it| &**it))
        {
            if let Some(Value::String(text)) = claims.get(name) {
                let words = text.split(' ').filter(|it| !it.is_empty());
                let words: Vec<Value> = words.map(Value::from).collect();
                claims.insert(name.into(), words.into());
            }
        }
        claims
    }
}

fn audience(text: &str) -> &str {
    let rest = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    let rest = rest.unwrap_or(text);
    rest.strip_suffix('/').unwrap_or(rest)
}
