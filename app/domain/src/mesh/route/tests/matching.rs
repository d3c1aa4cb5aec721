//! What a match block takes.

use super::{Request, ask, rules, to, told, world};
use serde_json::{Value, json};

fn takes(block: Value, change: impl FnOnce(&mut Request)) -> String {
    let objects = world([rules(
        "v",
        json!({"hosts": ["web"], "http": [{"match": [block], "route": to("api")}]}),
    )]);
    let mut request = Request::get("web", 80);
    change(&mut request);
    let told = told(&ask(&objects, &request));
    // Where no rule is configured at this proxy at all, the service has its own route.
    told.replace("api.shop:80 100", "yes")
        .replace("NoRoute", "no")
        .replace("web.shop:80 100", "not here")
}

fn path(path: &'static str) -> impl Fn(&mut Request) {
    move |request| request.path = path.into()
}

#[test]
fn paths() {
    for (uri, at, expected) in [
        (json!({"exact": "/a"}), "/a", "yes"),
        (json!({"exact": "/a"}), "/a?x=/b", "yes"),
        (json!({"exact": "/a"}), "/A", "no"),
        (json!({"exact": "/a"}), "/a/", "no"),
        (json!({"prefix": "/a"}), "/ab", "yes"),
        (json!({"prefix": "/a"}), "/", "no"),
        (json!({"prefix": "/한"}), "/한글", "yes"),
        (json!({"regex": "/a"}), "/ab", "no"),
        (json!({"regex": "/a.*"}), "/ab?c", "yes"),
        (json!({"regex": "a|/b"}), "/b", "yes"),
        (json!({"regex": "/(a"}), "/a", "Unknown"),
        (json!({"regex": "[a&&b]"}), "/a", "Unknown"),
        (json!({"regex": "/[[a]b]"}), "/a", "Unknown"),
        (json!({"regex": "(?x)/ a"}), "/a", "Unknown"),
        (json!({"regex": "/[[:alpha:]]+"}), "/abc", "yes"),
        (json!({"regex": "/\\d+"}), "/12", "yes"),
        (json!({"regex": "/\\d+"}), "/١", "no"),
        (json!({}), "/any", "yes"),
        (json!({"prefix": "/"}), "/a/../b", "Unknown"),
    ] {
        assert_eq!(takes(json!({"uri": uri}), path(at)), expected, "{uri} {at}");
    }
    assert_eq!(
        takes(json!({"uri": {"exact": "/a"}, "ignoreUriCase": true}), path("/A")),
        "yes"
    );
    assert_eq!(
        takes(
            json!({"uri": {"prefix": "/a"}, "ignoreUriCase": true}),
            path("/Ab")
        ),
        "yes"
    );
    assert_eq!(
        takes(
            json!({"uri": {"prefix": "/a"}, "ignoreUriCase": false}),
            path("/Ab")
        ),
        "no"
    );
}

#[test]
fn headers_and_their_absence() {
    for (block, value, expected) in [
        (
            json!({"headers": {"x-user": {"exact": "kim"}}}),
            Some("kim"),
            "yes",
        ),
        (
            json!({"headers": {"X-User": {"exact": "kim"}}}),
            Some("kim"),
            "yes",
        ),
        (
            json!({"headers": {"x-user": {"exact": "kim"}}}),
            Some("lee"),
            "no",
        ),
        (json!({"headers": {"x-user": {"exact": "kim"}}}), None, "no"),
        (
            json!({"headers": {"x-user": {"prefix": "k"}}}),
            Some("kim"),
            "yes",
        ),
        (
            json!({"headers": {"x-user": {"regex": "k.m"}}}),
            Some("kim"),
            "yes",
        ),
        (json!({"headers": {"x-user": {"regex": "k"}}}), Some("kim"), "no"),
        (json!({"headers": {"x-user": {"regex": "*"}}}), Some(""), "yes"),
        (json!({"headers": {"x-user": {}}}), Some("kim"), "yes"),
        (json!({"headers": {"x-user": {}}}), None, "no"),
        (json!({"withoutHeaders": {"x-user": {}}}), None, "yes"),
        (json!({"withoutHeaders": {"x-user": {}}}), Some(""), "no"),
        (
            json!({"withoutHeaders": {"x-user": {"exact": "kim"}}}),
            None,
            "yes",
        ),
        (
            json!({"withoutHeaders": {"x-user": {"exact": "kim"}}}),
            Some("lee"),
            "yes",
        ),
        (
            json!({"withoutHeaders": {"x-user": {"exact": "kim"}}}),
            Some("kim"),
            "no",
        ),
        (json!({"withoutHeaders": {"x-user": {"exact": ""}}}), None, "no"),
        (
            json!({"headers": {"@request.auth.claims.sub": {"exact": "a"}}}),
            None,
            "Unknown",
        ),
        // What certainly fails is not made unknown by the rest.
        (
            json!({"headers": {"@request.auth.claims.sub": {"exact": "a"}}, "method": {"exact": "POST"}}),
            None,
            "no",
        ),
    ] {
        let change = |request: &mut Request| {
            if let Some(value) = value {
                request.headers.insert("x-user".into(), value.into());
            }
        };
        assert_eq!(takes(block.clone(), change), expected, "{block} {value:?}");
    }
}

#[test]
fn method_scheme_authority_query_and_source() {
    for (block, expected) in [
        (json!({"method": {"exact": "GET"}}), "yes"),
        (json!({"method": {"regex": "GET|HEAD"}}), "yes"),
        (json!({"method": {"exact": "get"}}), "no"),
        (json!({"scheme": {"exact": "http"}}), "yes"),
        (json!({"scheme": {"exact": "https"}}), "no"),
        (json!({"authority": {"exact": "web"}}), "yes"),
        (json!({"authority": {"prefix": "web:"}}), "no"),
        (json!({"headers": {":authority": {"exact": "web"}}}), "yes"),
        (json!({"headers": {"host": {"exact": "web"}}}), "yes"),
        (json!({"queryParams": {"a": {"exact": "1"}}}), "yes"),
        (json!({"queryParams": {"a": {"exact": "2"}}}), "no"),
        (json!({"queryParams": {"b": {}}}), "yes"),
        (json!({"queryParams": {"c": {}}}), "no"),
        (json!({"queryParams": {"c": {"exact": ""}}}), "no"),
        (json!({"port": 80}), "yes"),
        (json!({"sourceLabels": {"app": "caller"}}), "yes"),
        (json!({"sourceNamespace": "shop"}), "yes"),
        (json!({"sourceNamespace": ""}), "yes"),
        (json!({"port": 0}), "yes"),
        (json!({"port": 81}), "not here"),
        (json!({"sourceLabels": {"app": "other"}}), "not here"),
        (json!({"sourceNamespace": "bank"}), "not here"),
        (json!({"sourceNamespace": "bank", "gateways": ["mesh"]}), "yes"),
        (json!({"gateways": ["edge"]}), "not here"),
    ] {
        assert_eq!(takes(block.clone(), path("/?a=1&b&a=2")), expected, "{block}");
    }
    let forwarded =
        |request: &mut Request| drop(request.headers.insert("x-forwarded-proto".into(), "https".into()));
    assert_eq!(takes(json!({"scheme": {"exact": "http"}}), forwarded), "Unknown");
}
