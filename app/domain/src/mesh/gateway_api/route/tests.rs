#![expect(
    clippy::needless_pass_by_value,
    reason = "`json!` is written where it is used"
)]

use super::{Translation, origin, virtual_services};
use crate::manifests;
use serde_json::{Value, json};

fn route(name: &str, age: u32, port: Value, rules: Value) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": name, "namespace": "shop",
        "creationTimestamp": format!("2026-01-0{age}T00:00:00Z")},
        "spec": {"parentRefs": [{"group": "", "kind": "Service", "name": "a", "port": port}], "rules": rules}})
}

fn turned(routes: &[Value]) -> Translation {
    let service =
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "shop"}});
    virtual_services(&manifests::objects(routes.iter().cloned().chain([service])).unwrap())
}

fn http(routes: &[Value]) -> Vec<Value> {
    turned(routes).virtual_services[0].list("/spec/http").to_vec()
}

fn path(kind: &str, value: &str) -> Value {
    json!({"matches": [{"path": {"type": kind, "value": value}}], "backendRefs": [{"name": "a", "port": 80}]})
}

#[test]
fn a_prefix_ends_at_a_segment() {
    let rules = http(&[route("r", 1, Value::Null, json!([path("PathPrefix", "/x/")]))]);
    let uris: Vec<&Value> = rules.iter().map(|it| &it["match"][0]["uri"]).collect();
    assert_eq!(uris, [&json!({"exact": "/x"}), &json!({"prefix": "/x/"})]);
}

#[test]
fn rules_are_in_the_order_that_the_gateway_api_demands_across_routes() {
    let rules = http(&[
        route(
            "old",
            1,
            Value::Null,
            json!([
                path("RegularExpression", "/long-expression"),
                path("PathPrefix", "/"),
                path("Exact", "/x")
            ]),
        ),
        route(
            "young",
            2,
            Value::Null,
            json!([{"backendRefs": []}, path("Exact", "/xyz")]),
        ),
    ]);
    let names: Vec<(String, u32)> = (0..rules.len())
        .map(|index| {
            let made = &turned(&[
                route(
                    "old",
                    1,
                    Value::Null,
                    json!([
                        path("RegularExpression", "/long-expression"),
                        path("PathPrefix", "/"),
                        path("Exact", "/x")
                    ]),
                ),
                route(
                    "young",
                    2,
                    Value::Null,
                    json!([{"backendRefs": []}, path("Exact", "/xyz")]),
                ),
            ])
            .virtual_services[0];
            let (key, rule) = origin(made, index).unwrap();
            (key.name.to_string(), rule)
        })
        .collect();
    let wanted = [("young", 1), ("old", 2), ("old", 1), ("old", 0), ("young", 0)];
    assert_eq!(names, wanted.map(|(name, rule)| (name.to_owned(), rule)));
    assert_eq!(rules[4]["directResponse"]["status"], 500);
}

#[test]
fn weights_are_one_unless_said_and_zero_is_nothing() {
    let rules = http(&[route(
        "r",
        1,
        json!(80),
        json!([{"backendRefs": [{"name": "a", "port": 80}, {"name": "b", "port": 81, "weight": 3}, {"name": "c", "port": 1, "weight": 0}]}]),
    )]);
    let to: Vec<(&str, u64)> = rules[0]["route"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                it["destination"]["host"].as_str().unwrap(),
                it["weight"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        to,
        [("a.shop.svc.cluster.local", 1), ("b.shop.svc.cluster.local", 3)]
    );
    assert_eq!(rules[0]["match"], json!([{"port": 80}]));
}

#[test]
fn a_timeout_of_zero_is_none_and_the_backends_goes_before() {
    let told = |timeouts: Value| {
        http(&[route(
            "r",
            1,
            Value::Null,
            json!([{"timeouts": timeouts, "backendRefs": [{"name": "a", "port": 80}]}]),
        )])[0]
            .get("timeout")
            .cloned()
    };
    assert_eq!(told(json!({"request": "10s"})), Some(json!("10s")));
    assert_eq!(
        told(json!({"request": "10s", "backendRequest": "2s"})),
        Some(json!("2s"))
    );
    assert_eq!(
        told(json!({"request": "10s", "backendRequest": "0s"})),
        Some(json!("10s"))
    );
    assert_eq!(told(json!({"request": "0s"})), None);
}

#[test]
fn matches_keep_their_method_headers_and_query() {
    let entry = json!({"method": "POST", "headers": [{"name": "h", "value": "1"}], "queryParams": [{"name": "q", "value": ".*", "type": "RegularExpression"}]});
    let rules = http(&[route(
        "r",
        1,
        Value::Null,
        json!([{"matches": [entry], "backendRefs": [{"name": "a", "port": 80}]}]),
    )]);
    assert_eq!(
        rules[0]["match"][0],
        json!({"uri": {"prefix": "/"}, "method": {"exact": "POST"}, "headers": {"h": {"exact": "1"}}, "queryParams": {"q": {"regex": ".*"}}})
    );
}

#[test]
fn what_is_not_judged_is_said_with_its_service() {
    for kind in ["InferencePool", "ServiceImport", "XBackend"] {
        let rule = json!({"backendRefs": [{"name": "a", "kind": kind, "group": "example.com", "port": 1}]});
        let told = turned(&[route("r", 1, Value::Null, json!([rule]))]);
        assert!(told.virtual_services.is_empty());
        assert_eq!(&*told.unjudged[0].0, "a.shop.svc.cluster.local");
    }
}

#[test]
fn what_istiod_refuses_takes_the_whole_route_away_and_no_other() {
    let header = |value: &str| json!({"filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"add": [{"name": "h", "value": value}]}}]});
    let of = |filter: Value| json!({"backendRefs": [{"name": "a", "port": 80, "filters": [filter]}]});
    for rule in [
        json!({"filters": [{"type": "ExtensionRef"}]}),
        json!({"filters": [{}]}),
        header("a\u{7f}"),
        header("a\nb"),
        of(json!({"type": "URLRewrite"})),
        json!({"backendRefs": [{"name": "a.shop", "port": 80}]}),
        json!({"backendRefs": [{"name": "a"}]}),
        json!({"backendRefs": [{"group": "networking.istio.io", "kind": "Hostname", "name": "x", "namespace": "shop", "port": 80}]}),
    ] {
        let other = route("other", 2, Value::Null, json!([path("Exact", "/other")]));
        let refused = route("r", 1, Value::Null, json!([path("Exact", "/x"), rule]));
        let told = turned(&[refused, other]);
        assert_eq!(told.unjudged, []);
        let rules = told.virtual_services[0].list("/spec/http");
        assert_eq!(rules.len(), 1, "{rule}");
        assert_eq!(
            origin(&told.virtual_services[0], 0).unwrap().0.name.to_string(),
            "other"
        );
    }
    for kept in [
        header("a\tb c"),
        header(""),
        of(json!({"type": "ResponseHeaderModifier"})),
    ] {
        assert_eq!(http(&[route("r", 1, Value::Null, json!([kept]))]).len(), 1);
    }
}

#[test]
fn a_backend_of_another_kind_is_refused_and_its_part_with_it() {
    let rules = http(&[route(
        "r",
        1,
        Value::Null,
        json!([{"backendRefs": [{"name": "a", "port": 80}, {"kind": "Odd", "name": "b", "port": 81, "weight": 3},
            {"group": "networking.istio.io", "kind": "Hostname", "name": "x.example", "port": 82}]}]),
    )]);
    let to = &rules[0]["route"];
    assert_eq!(to[0]["destination"].get("refused"), None);
    assert_eq!(
        (&to[1]["destination"]["refused"], &to[1]["weight"]),
        (&json!(true), &json!(3))
    );
    assert_eq!(
        to[2]["destination"],
        json!({"host": "x.example", "port": {"number": 82}})
    );
}

fn filtered(filters: Value, kind: &str, value: &str) -> Vec<Value> {
    let mut rule = path(kind, value);
    rule["filters"] = filters;
    http(&[route("r", 1, Value::Null, json!([rule]))])
}

fn redirect(redirect: Value) -> Value {
    json!([{"type": "RequestRedirect", "requestRedirect": redirect}])
}

#[test]
fn a_redirect_has_the_api_servers_status_and_the_ports_that_istiod_gives_it() {
    let told = |it: Value| filtered(redirect(it), "Exact", "/x")[0]["redirect"].clone();
    assert_eq!(
        told(json!({})),
        json!({"redirectCode": 302, "derivePort": "FROM_REQUEST_PORT"})
    );
    assert_eq!(
        told(json!({"scheme": "https", "statusCode": 301})),
        json!({"redirectCode": 301, "scheme": "https"})
    );
    assert_eq!(
        told(
            json!({"scheme": "https", "port": 8443, "hostname": "b", "path": {"type": "ReplaceFullPath", "replaceFullPath": "/n"}})
        ),
        json!({"redirectCode": 302, "scheme": "https", "port": 8443, "authority": "b", "uri": "/n"})
    );
    // It needs no backend, and goes before one.
    let mut bare = path("Exact", "/x");
    bare["filters"] = redirect(json!({}));
    bare["backendRefs"] = json!([]);
    let rules = http(&[route("r", 1, Value::Null, json!([bare]))]);
    assert_eq!(
        (rules[0].get("route"), rules[0].get("directResponse")),
        (None, None)
    );
}

#[test]
fn what_stands_in_a_prefixs_place_stands_there_in_both_rules() {
    let uris = |filters: Value, value: &str, pointer: &str| -> Vec<Value> {
        let rules = filtered(filters, "PathPrefix", value);
        rules
            .iter()
            .map(|it| it.pointer(pointer).unwrap().clone())
            .collect()
    };
    let to = |new: &str| json!({"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": new}});
    let rewrite = |new: &str| json!([{"type": "URLRewrite", "urlRewrite": to(new)}]);
    assert_eq!(uris(rewrite("/n"), "/x", "/rewrite/uri"), ["/n", "/n/"]);
    assert_eq!(uris(rewrite("/n/"), "/x/", "/rewrite/uri"), ["/n", "/n/"]);
    for nothing in ["/", ""] {
        assert_eq!(uris(rewrite(nothing), "/x", "/rewrite/uri"), ["/", "/"]);
    }
    assert_eq!(uris(rewrite("/n"), "/", "/rewrite/uri"), ["/n"]);
    assert_eq!(
        uris(redirect(to("/n")), "/x", "/redirect/prefixRewrite"),
        ["/n", "/n/"]
    );
    assert_eq!(
        uris(redirect(to("/n/")), "/x", "/redirect/prefixRewrite"),
        ["/n/", "/n//"]
    );
    assert_eq!(
        uris(redirect(to("/")), "/x", "/redirect/prefixRewrite"),
        ["/", "//"]
    );
}

#[test]
fn a_rewrite_that_changes_nothing_is_none() {
    let told = |it: Value| {
        filtered(json!([{"type": "URLRewrite", "urlRewrite": it}]), "Exact", "/x")[0]
            .get("rewrite")
            .cloned()
    };
    assert_eq!(told(json!({})), None);
    assert_eq!(told(json!({"hostname": "b"})), Some(json!({"authority": "b"})));
    assert_eq!(
        told(json!({"path": {"type": "ReplaceFullPath", "replaceFullPath": "/n"}})),
        Some(json!({"uriRegexRewrite": {"match": "/.*", "rewrite": "/n"}}))
    );
}

#[test]
fn a_mirror_that_leads_nowhere_is_left_out_and_its_part_is_a_percentage() {
    let mirror = |it: Value| json!({"type": "RequestMirror", "requestMirror": it});
    let to = json!({"name": "a", "port": 80});
    let all = json!([
        mirror(json!({"backendRef": {"name": "gone", "port": 80}})),
        mirror(json!({"backendRef": {"name": "a"}})),
        mirror(json!({"backendRef": {"kind": "Odd", "name": "a", "port": 1}})),
        mirror(json!({"backendRef": to})),
        mirror(json!({"backendRef": to, "percent": 7})),
        mirror(json!({"backendRef": to, "fraction": {"numerator": 1, "denominator": 4}})),
        mirror(json!({"backendRef": to, "fraction": {"numerator": 3}, "percent": 50})),
    ]);
    let rules = filtered(all, "Exact", "/x");
    let mirrors = rules[0]["mirrors"].as_array().unwrap();
    let percents: Vec<Option<f64>> = mirrors
        .iter()
        .map(|it| it.pointer("/percentage/value")?.as_f64())
        .collect();
    assert_eq!(percents, [None, Some(7.0), Some(25.0), Some(3.0)]);
    assert_eq!(mirrors[0]["destination"]["host"], "a.shop.svc.cluster.local");
}

#[test]
fn retries_are_two_unless_said_and_take_a_backends_limit_for_each() {
    let told = |retry: Value, timeouts: Value| {
        let mut rule = path("Exact", "/x");
        rule["retry"] = retry;
        rule["timeouts"] = timeouts;
        let rules = http(&[route("r", 1, Value::Null, json!([rule]))]);
        (rules[0].get("retries").cloned(), rules[0].get("timeout").cloned())
    };
    let on = "connect-failure,refused-stream,unavailable,cancelled";
    assert_eq!(
        told(json!({}), json!({})),
        (Some(json!({"attempts": 2, "retryOn": on})), None)
    );
    assert_eq!(
        told(
            json!({"attempts": 3, "codes": [503, 504]}),
            json!({"request": "9s", "backendRequest": "2s"})
        ),
        (
            Some(json!({"attempts": 3, "retryOn": format!("{on},503,504"), "perTryTimeout": "2s"})),
            Some(json!("9s"))
        )
    );
    assert_eq!(
        told(json!({"attempts": 0}), json!({})).0,
        Some(json!({"attempts": 0}))
    );
    assert_eq!(
        told(Value::Null, json!({"backendRequest": "0h0m2s"})),
        (None, Some(json!("0h0m2s")))
    );
}

#[test]
fn a_service_entry_is_a_parent_by_each_of_its_hosts() {
    let entry = json!({"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": {"name": "e", "namespace": "shop"},
        "spec": {"hosts": ["a.example", "b.example"]}});
    let mut of_entry = route("r", 1, Value::Null, json!([path("Exact", "/x")]));
    let parent = |group: &str| json!([{"group": group, "kind": "ServiceEntry", "name": "e"}]);
    of_entry["spec"]["parentRefs"] = parent("networking.istio.io");
    let told = turned(&[of_entry.clone(), entry.clone()]);
    let hosts: Vec<&str> = told
        .virtual_services
        .iter()
        .map(|it| it.text("/spec/hosts/0"))
        .collect();
    assert_eq!(hosts, ["a.example", "b.example"]);
    of_entry["spec"]["parentRefs"] = parent("");
    assert_eq!(turned(&[of_entry, entry]), Translation::default());
}

#[test]
fn a_route_for_a_gateway_or_an_absent_service_is_none_of_the_mesh() {
    let mut other = route("r", 1, Value::Null, json!([path("Exact", "/")]));
    other["spec"]["parentRefs"] = json!([{"name": "g"}, {"group": "", "kind": "Service", "name": "absent"}]);
    assert_eq!(turned(&[other]), Translation::default());
}
