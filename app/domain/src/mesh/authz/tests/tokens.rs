//! `RequestAuthentication`.

use super::{NOT, TAKEN, UNSURE, asked, by_rule, get, object, short, source, tokens, when};
use crate::mesh::authz::{Kind, Request};
use serde_json::{Value, json};

fn with_claims(claims: &Value) -> Request {
    Request {
        claims: claims.clone(),
        ..get("/")
    }
}

#[test]
fn a_token_has_to_be_of_an_issuer_that_some_rule_takes() {
    let ours = json!({"iss": "i", "sub": "s", "aud": "web"});
    let issuer = |name: &str| Kind::TokenIssuer { issuer: name.into() };
    let audience = Kind::TokenAudience { issuer: "i".into() };
    for (rules, claims, verdict, kind) in [
        ("[{issuer: i}]", Value::Null, "allow", Kind::NoPolicies),
        ("[{issuer: i}]", json!({}), "allow", Kind::NoPolicies),
        ("[{issuer: i}]", ours.clone(), "allow", Kind::NoPolicies),
        ("[{issuer: x}]", ours.clone(), "deny", issuer("i")),
        ("[{issuer: x}]", json!({"sub": "s"}), "deny", issuer("")),
        (
            "[{issuer: x}, {issuer: i}]",
            ours.clone(),
            "allow",
            Kind::NoPolicies,
        ),
        ("[]", ours.clone(), "allow", Kind::NoPolicies),
        ("[null]", ours.clone(), "allow", Kind::NoPolicies),
        (
            "[{jwksUri: 'https://x'}]",
            ours.clone(),
            "unknown",
            Kind::NotJudged,
        ),
        (
            "[{jwksUri: 'https://x'}]",
            json!({"sub": "s"}),
            "unknown",
            Kind::NotJudged,
        ),
        (
            "[{jwksUri: 'https://x'}, {issuer: i}]",
            ours.clone(),
            "allow",
            Kind::NoPolicies,
        ),
        (
            "[{issuer: i, audiences: [api]}]",
            ours.clone(),
            "deny",
            audience.clone(),
        ),
        (
            "[{issuer: i, audiences: [api]}, {jwksUri: 'https://x'}]",
            ours.clone(),
            "unknown",
            Kind::NotJudged,
        ),
        (
            "[{issuer: i, audiences: [api, web]}]",
            ours.clone(),
            "allow",
            Kind::NoPolicies,
        ),
        (
            "[{issuer: i, audiences: ['https://web/']}]",
            ours.clone(),
            "allow",
            Kind::NoPolicies,
        ),
        (
            "[{issuer: i, audiences: ['http://web']}]",
            ours.clone(),
            "allow",
            Kind::NoPolicies,
        ),
        (
            "[{issuer: i, audiences: [api]}]",
            json!({"iss": "i", "aud": ["x", "api"]}),
            "allow",
            Kind::NoPolicies,
        ),
        (
            "[{issuer: i, audiences: [api]}]",
            json!({"iss": "i"}),
            "deny",
            audience.clone(),
        ),
        (
            "[{issuer: i, audiences: [api]}, {issuer: i}]",
            ours.clone(),
            "allow",
            Kind::NoPolicies,
        ),
        (
            "[{issuer: x, fromHeaders: [{name: t}]}]",
            ours.clone(),
            "unknown",
            Kind::NotJudged,
        ),
        (
            "[{issuer: x, fromParams: [t]}]",
            ours.clone(),
            "unknown",
            Kind::NotJudged,
        ),
        (
            "[{issuer: x, fromCookies: [t]}]",
            ours.clone(),
            "unknown",
            Kind::NotJudged,
        ),
        (
            "[{issuer: i, fromCookies: [t]}]",
            ours.clone(),
            "allow",
            Kind::NoPolicies,
        ),
        ("3", ours.clone(), "unknown", Kind::NotJudged),
        ("[3]", ours.clone(), "unknown", Kind::NotJudged),
        ("[{issuer: 3}]", ours.clone(), "unknown", Kind::NotJudged),
    ] {
        let decision = asked(&[tokens(rules)], &with_claims(&claims));
        assert_eq!(
            (short(&decision), decision.kind),
            (verdict, kind),
            "{rules} {claims}"
        );
    }
    let decision = asked(&[tokens("[{issuer: x}]")], &with_claims(&ours));
    assert_eq!(decision.decider.unwrap().path, "/spec/jwtRules".into());
    let mut tcp = Request::tcp(1);
    tcp.claims = ours.clone();
    assert_eq!(short(&asked(&[tokens("[{issuer: x}]")], &tcp)), "allow");
    let far = object(
        "RequestAuthentication",
        "other",
        "far",
        &json!({"jwtRules": [{"issuer": "x"}]}),
    );
    let root = object(
        "RequestAuthentication",
        "istio-system",
        "root",
        &json!({"jwtRules": [{"issuer": "x"}]}),
    );
    assert_eq!(short(&asked(&[far], &with_claims(&ours))), "allow");
    assert_eq!(short(&asked(&[root], &with_claims(&ours))), "deny");
}

#[test]
fn a_token_in_the_request_without_claims_is_unknown() {
    let sent = |rules: &str, name: &str, value: &str, path: &str| {
        let request = Request {
            headers: [(name.into(), value.into())].into(),
            ..get(path)
        };
        short(&asked(&[tokens(rules)], &request))
    };
    let plain = "[{issuer: i}]";
    assert_eq!(sent(plain, "authorization", "Bearer x", "/"), "unknown");
    assert_eq!(sent(plain, "authorization", "Basic x", "/"), "allow");
    assert_eq!(sent(plain, "x", "y", "/?access_token=x"), "unknown");
    assert_eq!(sent(plain, "x", "y", "/?token=x&a=access_token"), "allow");
    let own =
        "[{issuer: i, fromHeaders: [{name: X-Token, prefix: 'T '}], fromParams: [t], fromCookies: [c]}]";
    assert_eq!(sent(own, "authorization", "Bearer x", "/"), "allow");
    assert_eq!(sent(own, "x-token", "T x", "/"), "unknown");
    assert_eq!(sent(own, "x-token", "x", "/"), "allow");
    assert_eq!(sent(own, "x", "y", "/?a=b&t=x"), "unknown");
    assert_eq!(sent(own, "cookie", "a=b; c=x", "/"), "unknown");
    assert_eq!(sent(own, "cookie", "a=c", "/"), "allow");
    let anywhere = Request {
        headers: [("authorization".into(), "Bearer x".into())].into(),
        ..get("/")
    };
    assert_eq!(short(&asked(&[], &anywhere)), "allow");
}

#[test]
fn a_preflight_is_let_through_without_its_token() {
    let mut request = Request {
        method: "OPTIONS".into(),
        headers: [
            ("origin".into(), "https://a".into()),
            ("access-control-request-method".into(), "GET".into()),
        ]
        .into(),
        ..with_claims(&json!({"iss": "x"}))
    };
    assert_eq!(short(&asked(&[tokens("[{issuer: i}]")], &request)), "allow");
    request.method = "GET".into();
    assert_eq!(short(&asked(&[tokens("[{issuer: i}]")], &request)), "deny");
    request.method = "OPTIONS".into();
    request.headers.remove("origin");
    assert_eq!(short(&asked(&[tokens("[{issuer: i}]")], &request)), "deny");
}

#[test]
fn rules_see_the_claims_that_the_check_keeps() {
    let claims = json!({"iss": "https://i", "sub": "me", "aud": ["a", "b"], "azp": "app", "scope": "read write", "teams": "x y",
        "group": {"id": "g"}, "roles": ["admin"], "age": 7, "list": [7]});
    let request = with_claims(&claims);
    let checked = [tokens("[{issuer: 'https://i'}]")];
    for (rule, expected) in [
        (source("requestPrincipals: ['https://i/me']"), TAKEN),
        (source("requestPrincipals: ['*']"), TAKEN),
        (source("requestPrincipals: [x, 'https://i/*']"), TAKEN),
        (source("requestPrincipals: ['https://i/you']"), NOT),
        (source("notRequestPrincipals: ['*']"), NOT),
        (when("request.auth.principal", "values: ['*/me']"), TAKEN),
        (when("request.auth.audiences", "values: [b]"), TAKEN),
        (when("request.auth.audiences", "values: [c]"), NOT),
        (when("request.auth.presenter", "values: [app]"), TAKEN),
        (when("request.auth.presenter", "notValues: [app]"), NOT),
        (when("request.auth.claims[scope]", "values: [write]"), TAKEN),
        (when("request.auth.claims[scope]", "values: ['read write']"), NOT),
        (when("request.auth.claims[teams]", "values: ['x y']"), TAKEN),
        (when("request.auth.claims[teams]", "values: [x]"), NOT),
        (when("request.auth.claims[group][id]", "values: [g]"), TAKEN),
        (when("request.auth.claims[group]", "values: ['*']"), NOT),
        (when("request.auth.claims[roles]", "values: ['adm*']"), TAKEN),
        (when("request.auth.claims[roles][x]", "values: ['*']"), NOT),
        (when("request.auth.claims[age]", "values: ['7']"), NOT),
        (when("request.auth.claims[list]", "values: ['*']"), NOT),
        (when("request.auth.claims[none]", "notValues: ['*']"), TAKEN),
    ] {
        assert_eq!(by_rule(&rule, &request, &checked), expected, "{rule}");
        // Where nobody looks at the token there are no claims.
        let (values, nobody) = (
            rule.contains("notV") || rule.contains("notR"),
            by_rule(&rule, &request, &[]),
        );
        assert_eq!(nobody, if values { TAKEN } else { NOT }, "{rule}");
    }
    let words = [tokens("[{issuer: 'https://i', spaceDelimitedClaims: [teams]}]")];
    assert_eq!(
        by_rule(
            &when("request.auth.claims[teams]", "values: [x]"),
            &request,
            &words
        ),
        TAKEN
    );
    assert_eq!(
        by_rule(
            &when("request.auth.claims[teams]", "values: ['']"),
            &request,
            &words
        ),
        NOT
    );
}

#[test]
fn a_request_principal_alone_stands_for_a_token() {
    let checked = [tokens("[{issuer: 'https://i'}]")];
    let of = |principal: &str, claims: Value| Request {
        request_principal: principal.into(),
        claims,
        ..get("/")
    };
    let rule = source("requestPrincipals: ['https://i/me']");
    assert_eq!(by_rule(&rule, &of("https://i/me", Value::Null), &checked), TAKEN);
    assert_eq!(by_rule(&rule, &of("https://i/you", Value::Null), &checked), NOT);
    assert_eq!(
        by_rule(
            &rule,
            &of("https://i/you", json!({"iss": "https://i", "sub": "me"})),
            &checked
        ),
        TAKEN
    );
    assert_eq!(
        by_rule("{}", &of("https://x/me", Value::Null), &checked),
        ("deny", "refused")
    );
    assert_eq!(by_rule(&rule, &of("https://i/me", Value::Null), &[]), NOT);
}

#[test]
fn headers_that_the_tokens_check_touches_are_not_known_behind_it() {
    let rules = "[{issuer: i, fromHeaders: [{name: X-Token}], outputPayloadToHeader: X-Payload, outputClaimToHeaders: [{header: X-Sub, claim: sub}]}]";
    let checked = [tokens(rules)];
    let asks = |name: &str| when(&format!("request.headers[{name}]"), "values: ['*']");
    let with = with_claims(&json!({"iss": "i", "sub": "s"}));
    for (name, with_token, without) in [
        ("x-token", UNSURE, NOT),
        ("authorization", UNSURE, NOT),
        ("x-payload", UNSURE, UNSURE),
        ("x-sub", UNSURE, UNSURE),
        ("x-other", NOT, NOT),
    ] {
        assert_eq!(by_rule(&asks(name), &with, &checked), with_token, "{name}");
        assert_eq!(by_rule(&asks(name), &get("/"), &checked), without, "{name}");
        assert_eq!(by_rule(&asks(name), &with, &[]), NOT, "{name}");
    }
}
