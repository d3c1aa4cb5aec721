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
fn what_is_not_turned_is_said_with_its_service() {
    for rule in [
        json!({"filters": [{"type": "URLRewrite"}]}),
        json!({"retry": {}}),
        json!({"backendRefs": [{"name": "a", "kind": "Backend", "port": 1}]}),
    ] {
        let told = turned(&[route("r", 1, Value::Null, json!([rule]))]);
        assert!(told.virtual_services.is_empty());
        assert_eq!(&*told.unjudged[0].0, "a.shop.svc.cluster.local");
    }
}

#[test]
fn a_route_for_a_gateway_or_an_absent_service_is_none_of_the_mesh() {
    let mut other = route("r", 1, Value::Null, json!([path("Exact", "/")]));
    other["spec"]["parentRefs"] = json!([{"name": "g"}, {"group": "", "kind": "Service", "name": "absent"}]);
    assert_eq!(turned(&[other]), Translation::default());
}
