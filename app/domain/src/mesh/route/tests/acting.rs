//! What a rule does with a request.

use super::{Choice, Missing, Outcome, Request, Retries, ask, get, istio, rules, to, told, world};
use serde_json::{Value, json};

#[test]
fn weights_ports_and_subsets() {
    let objects = world([
        rules(
            "v",
            json!({"hosts": ["web"], "http": [
            {"match": [{"uri": {"exact": "/split"}}], "route": [
                {"destination": {"host": "web", "subset": "v1"}, "weight": 90}, {"destination": {"host": "web", "subset": "v2"}, "weight": 10},
                {"destination": {"host": "api"}, "weight": 0}, {"destination": {"host": "api"}}]},
            {"match": [{"uri": {"exact": "/alone"}}], "route": [{"destination": {"host": "web"}, "weight": 0}]},
            {"match": [{"uri": {"exact": "/port"}}], "route": [{"destination": {"host": "api", "port": {"number": 8080}}}]},
            {"match": [{"uri": {"exact": "/other"}}], "route": to("db")},
            {"match": [{"uri": {"exact": "/none"}}], "route": to("nobody")},
            {"match": [{"uri": {"exact": "/empty"}}], "route": []},
            {"route": to("pay")}]}),
        ),
        istio(
            "DestinationRule",
            "shop",
            "web",
            json!({"host": "web", "subsets": [{"name": "v1", "labels": {"version": "v1"}}]}),
        ),
    ]);
    for (path, expected) in [
        ("/split", "web.shop:80/v1 90, web.shop:80/v2 10!Subset"),
        ("/alone", "web.shop:80 100"),
        ("/port", "api.shop:8080 100"),
        // The caller's port stands, though the target has one single other.
        ("/other", "db.shop:80 100!Port"),
        ("/none", "nobody.shop:80 100!Host"),
        ("/empty", "Unknown"),
        ("/", "pay.shop:80 100!Host"),
    ] {
        let request = Request {
            path: path.into(),
            ..Request::get("web", 80)
        };
        assert_eq!(told(&ask(&objects, &request)), expected, "{path}");
    }
    let choice = ask(
        &objects,
        &Request {
            path: "/none".into(),
            ..Request::get("web", 80)
        },
    );
    assert!(matches!(&choice.outcome, Outcome::Sent(shares) if shares[0].missing == Some(Missing::Host)));
}

fn with(field: Value) -> Choice {
    let mut rule = json!({"route": to("web")});
    rule.as_object_mut()
        .unwrap()
        .extend(field.as_object().unwrap().clone());
    get(
        &world([rules("v", json!({"hosts": ["web"], "http": [rule]}))]),
        "web",
        80,
    )
}

#[test]
fn redirects_and_answers() {
    for (redirect, code, authority, path) in [
        (json!({"uri": "/new"}), 301, "", "/new"),
        (
            json!({"authority": "new.example", "redirectCode": 308}),
            308,
            "new.example",
            "",
        ),
        (json!({"port": 8443}), 301, "web:8443", ""),
        (json!({"port": 80}), 301, "", ""),
        (
            json!({"port": 443, "scheme": "https", "authority": "a"}),
            301,
            "a",
            "",
        ),
        (
            json!({"derivePort": "FROM_REQUEST_PORT", "scheme": "https", "authority": "a"}),
            301,
            "a:80",
            "",
        ),
    ] {
        let expected = Outcome::Redirect {
            code,
            authority: authority.into(),
            path: path.into(),
        };
        assert_eq!(
            with(json!({"redirect": redirect})).outcome,
            expected,
            "{redirect}"
        );
    }
    for (written, sent) in [
        (0, 301),
        (301, 301),
        (302, 302),
        (303, 303),
        (307, 307),
        (308, 308),
    ] {
        let outcome = with(json!({"redirect": {"uri": "/new", "redirectCode": written}})).outcome;
        assert!(
            matches!(outcome, Outcome::Redirect { code, .. } if code == sent),
            "{written}: {outcome:?}"
        );
    }
    assert_eq!(told(&with(json!({"redirect": {"redirectCode": 305}}))), "Unknown");
    assert_eq!(
        with(json!({"directResponse": {"status": 418}})).outcome,
        Outcome::Direct { status: 418 }
    );
}

#[test]
fn retries_and_timeouts_by_default_and_as_written() {
    let default = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";
    for (retries, attempts, on, per_try) in [
        (json!(null), 2, default, None),
        (json!({"attempts": 0, "retryOn": "5xx"}), 0, "", None),
        (json!({"attempts": 3}), 3, default, None),
        (
            json!({"attempts": 1, "retryOn": "5xx, 503", "perTryTimeout": "2s"}),
            1,
            "5xx,503,retriable-status-codes",
            Some(2000),
        ),
        (
            json!({"attempts": 1, "retryOn": "gateway-error"}),
            1,
            "gateway-error",
            None,
        ),
    ] {
        let expected = Retries {
            attempts,
            on: on.into(),
            per_try_timeout_ms: per_try,
        };
        assert_eq!(
            with(json!({"retries": retries})).effects.retries,
            Some(expected),
            "{retries}"
        );
    }
    for (written, expected) in [
        ("0s", None),
        ("1.5s", Some(1500)),
        ("1m30s", Some(90_000)),
        ("250ms", Some(250)),
        ("x", None),
        ("", None),
    ] {
        assert_eq!(
            with(json!({"timeout": written})).effects.timeout_ms,
            expected,
            "{written}"
        );
    }
    let plain = get(&world([]), "web", 80).effects;
    assert_eq!(
        (plain.retries.map(|it| it.attempts), plain.timeout_ms),
        (Some(2), None)
    );
}

#[test]
fn faults_need_a_percentage() {
    let fault = |it: Value| with(json!({"fault": it})).effects.fault;
    assert_eq!(
        fault(json!({"delay": {"fixedDelay": "2s"}, "abort": {"httpStatus": 503}})),
        None
    );
    let both = fault(
        json!({"delay": {"fixedDelay": "2s", "percentage": {"value": 10}}, "abort": {"httpStatus": 503, "percentage": {"value": 0.5}}}),
    );
    assert_eq!(
        both.map(|it| (it.delay, it.abort)),
        Some((Some((10.0, 2000)), Some((0.5, 503))))
    );
    assert_eq!(
        fault(json!({"delay": {"fixedDelay": "2s", "percent": 5}})).and_then(|it| it.delay),
        Some((5.0, 2000))
    );
    let grpc = json!({"fault": {"abort": {"grpcStatus": "NOT_FOUND", "percentage": {"value": 1}}}});
    assert_eq!(told(&with(grpc)), "Unknown");
}

#[test]
fn mirrors_have_all_unless_said_otherwise() {
    let mirrors = |it: Value| -> Vec<(String, u32)> {
        with(it)
            .effects
            .mirrors
            .into_iter()
            .map(|it| (it.destination.host.to_string(), it.weight))
            .collect()
    };
    let api = "api.shop.svc.cluster.local".to_owned();
    assert_eq!(mirrors(json!({"mirror": {"host": "api"}})), [(api.clone(), 100)]);
    assert_eq!(
        mirrors(json!({"mirror": {"host": "api"}, "mirrorPercentage": {"value": 20}})),
        [(api.clone(), 20)]
    );
    assert_eq!(
        mirrors(json!({"mirror": {"host": "api"}, "mirrorPercentage": {"value": 0}})),
        []
    );
    assert_eq!(
        mirrors(json!({"mirror": {"host": "api"}, "mirrorPercent": 7})),
        [(api.clone(), 7)]
    );
    let several = json!({"mirrors": [{"destination": {"host": "api"}}, {"destination": {"host": "api"}, "percentage": {"value": 0.2}}]});
    assert_eq!(mirrors(several), [(api.clone(), 100), (api, 1)]);
}

#[test]
fn rewrites_replace_what_matched() {
    let rewritten = |uri: Value, rewrite: Value, path: &str| {
        let rule = json!({"match": [{"uri": uri}], "rewrite": rewrite, "route": to("web")});
        let objects = world([rules("v", json!({"hosts": ["web"], "http": [rule]}))]);
        let choice = ask(
            &objects,
            &Request {
                path: path.into(),
                ..Request::get("web", 80)
            },
        );
        choice
            .effects
            .rewrite
            .map(|it| (it.authority.to_string(), it.path.map(|it| it.to_string())))
    };
    let path = |path: &str| Some((String::new(), Some(path.to_owned())));
    assert_eq!(
        rewritten(json!({"prefix": "/old"}), json!({"uri": "/new"}), "/old/a?q=1"),
        path("/new/a?q=1")
    );
    assert_eq!(
        rewritten(json!({"prefix": "/old/"}), json!({"uri": "/"}), "/old/a"),
        path("/a")
    );
    assert_eq!(
        rewritten(json!({"exact": "/old"}), json!({"uri": "/new"}), "/old"),
        path("/new")
    );
    assert_eq!(
        rewritten(json!({"regex": "/old/.*"}), json!({"uri": "/new"}), "/old/a"),
        path("/new")
    );
    let regex = json!({"uriRegexRewrite": {"match": "^/a/([^/]+)/(.*)$", "rewrite": "/\\2/$x/\\1"}});
    assert_eq!(
        rewritten(json!({"prefix": "/"}), regex, "/a/b/c?d"),
        path("/c/$x/b?d")
    );
    assert_eq!(
        rewritten(json!({"prefix": "/"}), json!({"authority": "other"}), "/"),
        Some(("other".into(), None))
    );
    assert_eq!(rewritten(json!({"prefix": "/"}), json!({}), "/"), None);
    let header = with(json!({"headers": {"request": {"set": {"Host": "set"}, "add": {"host": "add"}}}}));
    assert_eq!(
        header.effects.rewrite.map(|it| it.authority.to_string()),
        Some("set".into())
    );
    let alone = with(
        json!({"route": [{"destination": {"host": "web"}, "headers": {"request": {"add": {":authority": "mine"}}}}]}),
    );
    assert_eq!(
        alone.effects.rewrite.map(|it| it.authority.to_string()),
        Some("mine".into())
    );
}

fn http_route(rules: Value) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "r", "namespace": "shop"},
        "spec": {"parentRefs": [{"group": "", "kind": "Service", "name": "web"}], "rules": rules}})
}

/// A rule for `/x` with one filter, and a backend unless it redirects.
fn filtered(filter: Value) -> Value {
    let mut rule = json!({"matches": [{"path": {"type": "PathPrefix", "value": "/x"}}], "filters": [filter]});
    if rule["filters"][0]["type"] != "RequestRedirect" {
        rule["backendRefs"] = json!([{"name": "api", "port": 8080}]);
    }
    http_route(json!([rule]))
}

fn at(objects: &super::Objects, path: &str) -> Choice {
    ask(
        objects,
        &Request {
            path: path.into(),
            ..Request::get("web", 80)
        },
    )
}

#[test]
fn a_http_routes_redirect_is_told_as_a_virtual_services() {
    let redirect = |it: Value| filtered(json!({"type": "RequestRedirect", "requestRedirect": it}));
    let told = |it: Value, path: &str| match at(&super::world([redirect(it)]), path).outcome {
        Outcome::Redirect {
            code,
            authority,
            path,
        } => (code, authority.to_string(), path.to_string()),
        other => panic!("{other:?}"),
    };
    let prefix = |new: &str| json!({"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": new}});
    assert_eq!(
        told(prefix("/n"), "/x/y?q=1"),
        (302, String::new(), "/n/y".into())
    );
    assert_eq!(told(prefix("/n"), "/x"), (302, String::new(), "/n".into()));
    assert_eq!(told(prefix("/"), "/x/y"), (302, String::new(), "//y".into()));
    let whole = json!({"hostname": "b", "scheme": "https", "port": 443, "statusCode": 308,
        "path": {"type": "ReplaceFullPath", "replaceFullPath": "/n"}});
    assert_eq!(told(whole, "/x/y"), (308, "b".into(), "/n".into()));
    assert_eq!(
        told(json!({"port": 8443}), "/x"),
        (302, "web:8443".into(), String::new())
    );
    // Nothing says a port: the listener's, which is its scheme's own here.
    assert_eq!(told(json!({}), "/x"), (302, String::new(), String::new()));
}

#[test]
fn a_http_routes_rewrite_and_host_are_told_as_a_virtual_services() {
    let told = |filter: Value, path: &str| {
        let rewrite = at(&super::world([filtered(filter)]), path)
            .effects
            .rewrite
            .unwrap_or_default();
        (
            rewrite.authority.to_string(),
            rewrite.path.map(|it| it.to_string()),
        )
    };
    let rewrite = |it: Value| json!({"type": "URLRewrite", "urlRewrite": it});
    let prefix =
        |new: &str| rewrite(json!({"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": new}}));
    assert_eq!(
        told(prefix("/"), "/x/y?q=1"),
        (String::new(), Some("/y?q=1".into()))
    );
    assert_eq!(told(prefix("/"), "/x"), (String::new(), Some("/".into())));
    assert_eq!(told(prefix("/n/"), "/x/y"), (String::new(), Some("/n/y".into())));
    assert_eq!(told(prefix("/n"), "/x"), (String::new(), Some("/n".into())));
    let whole =
        rewrite(json!({"hostname": "b", "path": {"type": "ReplaceFullPath", "replaceFullPath": "/n"}}));
    assert_eq!(told(whole, "/x/y?q=1"), ("b".into(), Some("/n?q=1".into())));
    let host = json!({"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "Host", "value": "c"}, {"name": "a", "value": "b"}]}});
    assert_eq!(told(host, "/x"), ("c".into(), None));
    let answer = json!({"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [{"name": "Host", "value": "c"}]}});
    assert_eq!(told(answer, "/x"), (String::new(), None));
}

#[test]
fn a_preflight_request_is_not_judged_where_the_proxy_may_answer_it() {
    let objects = super::world([filtered(json!({"type": "CORS", "cors": {"allowOrigins": ["*"]}}))]);
    let asked = |method: &str, headers: &[&str]| {
        let mut request = Request {
            path: "/x".into(),
            method: method.into(),
            ..Request::get("web", 80)
        };
        request
            .headers
            .extend(headers.iter().map(|&it| (it.into(), "x".into())));
        told(&ask(&objects, &request))
    };
    let both = ["origin", "access-control-request-method"];
    assert_eq!(asked("OPTIONS", &both), "Unknown");
    for (method, headers) in [
        ("GET", &both[..]),
        ("OPTIONS", &both[..1]),
        ("OPTIONS", &both[1..]),
    ] {
        assert_eq!(asked(method, headers), "api.shop:8080 100");
    }
}

#[test]
fn a_backend_that_istiod_refuses_is_missing() {
    let odd = http_route(
        json!([{"backendRefs": [{"name": "api", "port": 8080}, {"group": "example.com", "kind": "Odd", "name": "api", "port": 80}]}]),
    );
    assert_eq!(
        told(&at(&super::world([odd]), "/")),
        "api.shop:8080 1, api.shop:80 1!Host"
    );
}

#[test]
fn a_route_of_a_wildcard_service_entry_takes_nothing() {
    let entry = istio(
        "ServiceEntry",
        "shop",
        "e",
        json!({"hosts": ["*.example"], "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}], "resolution": "NONE"}),
    );
    let route = |host: &str| {
        let mut route = http_route(json!([{"backendRefs": [{"name": "api", "port": 8080}]}]));
        route["spec"]["parentRefs"] =
            json!([{"group": "networking.istio.io", "kind": "ServiceEntry", "name": "e"}]);
        let mut entry = entry.clone();
        entry["spec"]["hosts"] = json!([host]);
        let objects = super::world([entry, route]);
        told(&get(&objects, "a.example", 80))
    };
    assert_eq!(route("a.example"), "api.shop:8080 100");
    assert_eq!(route("*.example"), "*.example:80 100");
}
