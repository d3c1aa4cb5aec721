use super::{Balancing, HashOn, Policy, Tls, endpoint_tls, policy};
use crate::{
    fact::Labels,
    manifests,
    mesh::{Mesh, Proxy, route::ChosenDestination, subset::destination_rule},
    object::Kind,
    snapshot::{KindState, Objects},
};
use serde_json::{Value, json};

const HOST: &str = "web.shop.svc.cluster.local";

fn to(subset: &str, port: u16) -> ChosenDestination {
    ChosenDestination {
        host: HOST.into(),
        subset: subset.into(),
        port,
    }
}

fn client() -> Proxy {
    Proxy::sidecar("client", Labels::new())
}

fn objects(policy: &Value, subset: &Value, mesh: &str) -> Objects {
    manifests::objects([
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"clusterIP": "10.0.0.1", "ports": [{"name": "http", "port": 80}]}}),
        json!({"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"host": "web", "trafficPolicy": policy, "subsets": [{"name": "v1", "trafficPolicy": subset}]}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": mesh}}),
    ])
    .unwrap()
}

fn ask(whole: &Value, subset: &Value, mesh: &str, to: &ChosenDestination) -> Policy {
    let objects = objects(whole, subset, mesh);
    policy(&Mesh::of(&objects), &client(), to).unwrap().unwrap()
}

fn of(whole: &Value) -> Policy {
    ask(whole, &json!(null), "", &to("", 80))
}

fn connections(limit: u32) -> Value {
    json!({"tcp": {"maxConnections": limit}})
}

#[test]
fn without_anything_istios_defaults_hold_and_nobody_decided() {
    for policy in [
        json!(null),
        json!({}),
        json!("x"),
        json!({"connectionPool": 3, "loadBalancer": {"simple": "UNSPECIFIED"}}),
    ] {
        let it = of(&policy);
        assert_eq!(it.pool.max_connections.value, 4_294_967_295);
        assert_eq!(it.pool.max_pending_requests.value, 4_294_967_295);
        assert_eq!(it.pool.max_requests.value, 4_294_967_295);
        assert_eq!(it.pool.max_retries.value, 4_294_967_295);
        assert_eq!(it.pool.max_requests_per_connection.value, 0);
        assert_eq!(it.pool.connect_timeout_ms.value, 10_000);
        assert_eq!(it.pool.connect_timeout_ms.decider, None);
        assert_eq!(it.pool.max_connections.decider, None);
        assert_eq!(it.pool.retry_budget, None);
        assert_eq!(
            (it.balancing.value, it.balancing.decider),
            (Balancing::LeastRequest, None)
        );
        assert_eq!((it.outliers, it.tls), (None, None));
    }
}

#[test]
fn every_limit_is_read_with_its_field() {
    let it = of(&json!({"connectionPool": {
        "tcp": {"maxConnections": 100, "connectTimeout": "250ms"},
        "http": {"http1MaxPendingRequests": 1, "http2MaxRequests": 2, "maxRequestsPerConnection": 3, "maxRetries": 4}},
        "retryBudget": {"percent": 25}}));
    let pool = &it.pool;
    for (setting, value, path) in [
        (&pool.max_connections, 100, "tcp/maxConnections"),
        (&pool.max_pending_requests, 1, "http/http1MaxPendingRequests"),
        (&pool.max_requests, 2, "http/http2MaxRequests"),
        (
            &pool.max_requests_per_connection,
            3,
            "http/maxRequestsPerConnection",
        ),
        (&pool.max_retries, 4, "http/maxRetries"),
    ] {
        assert_eq!(setting.value, value);
        let decider = setting.decider.as_ref().unwrap();
        assert_eq!(
            &*decider.path,
            format!("/spec/trafficPolicy/connectionPool/{path}")
        );
        assert_eq!((&*decider.key.namespace, &*decider.key.name), ("shop", "web"));
    }
    assert_eq!(pool.connect_timeout_ms.value, 250);
    assert_eq!(
        &*pool.connect_timeout_ms.decider.as_ref().unwrap().path,
        "/spec/trafficPolicy/connectionPool/tcp/connectTimeout"
    );
    assert_eq!(
        &*pool.retry_budget.as_ref().unwrap().path,
        "/spec/trafficPolicy/retryBudget"
    );
}

#[test]
fn nought_is_not_told_from_nothing() {
    let it = of(
        &json!({"connectionPool": {"tcp": {"maxConnections": 0}, "http": {"maxRetries": 0, "http2MaxRequests": -1}}}),
    );
    assert_eq!(it.pool.max_connections.value, u32::MAX);
    assert_eq!(it.pool.max_connections.decider, None);
    assert_eq!(it.pool.max_retries.value, u32::MAX);
    assert_eq!(it.pool.max_requests.value, u32::MAX);
}

#[test]
fn settings_of_the_port_take_the_place_of_the_whole_level() {
    let whole = json!({"connectionPool": connections(1), "loadBalancer": {"simple": "RANDOM"}, "outlierDetection": {},
        "tls": {"mode": "ISTIO_MUTUAL"}, "retryBudget": {},
        "portLevelSettings": [{"port": {"number": 81}, "connectionPool": connections(2)},
            {"port": {"number": 81}, "connectionPool": connections(3)}]});
    let here = ask(&whole, &json!(null), "", &to("", 81));
    assert_eq!(here.pool.max_connections.value, 2);
    assert_eq!(
        &*here.pool.max_connections.decider.unwrap().path,
        "/spec/trafficPolicy/portLevelSettings/0/connectionPool/tcp/maxConnections"
    );
    assert_eq!(here.balancing.value, Balancing::LeastRequest);
    assert_eq!(
        (here.outliers, here.tls, here.pool.retry_budget),
        (None, None, None)
    );
    let there = ask(&whole, &json!(null), "", &to("", 80));
    assert_eq!(there.pool.max_connections.value, 1);
    assert_eq!(there.balancing.value, Balancing::Random);
    assert!(there.outliers.is_some() && there.pool.retry_budget.is_some());
    assert_eq!(there.tls.unwrap().value, Tls::IstioMutual);
}

#[test]
fn a_subsets_blocks_replace_the_hosts_block_by_block() {
    let whole = json!({"connectionPool": {"tcp": {"maxConnections": 1}, "http": {"maxRetries": 7}}, "loadBalancer": {"simple": "RANDOM"}});
    let subset = json!({"connectionPool": connections(2)});
    let it = ask(&whole, &subset, "", &to("v1", 80));
    assert_eq!(
        (it.pool.max_connections.value, it.pool.max_retries.value),
        (2, u32::MAX)
    );
    assert_eq!(it.balancing.value, Balancing::Random);
    assert_eq!(
        &*it.pool.max_connections.decider.unwrap().path,
        "/spec/subsets/0/trafficPolicy/connectionPool/tcp/maxConnections"
    );
    let host = ask(&whole, &subset, "", &to("", 80));
    assert_eq!(host.pool.max_connections.value, 1);
}

#[test]
fn a_subsets_settings_of_the_port_drop_the_hosts_blocks_too() {
    let whole =
        json!({"connectionPool": connections(1), "loadBalancer": {"simple": "RANDOM"}, "retryBudget": {}});
    let subset = json!({"outlierDetection": {}, "portLevelSettings": [{"port": {"number": 80}, "tls": {"mode": "SIMPLE"}}]});
    let it = ask(&whole, &subset, "", &to("v1", 80));
    assert_eq!(it.pool.max_connections.value, u32::MAX);
    assert_eq!(it.balancing.value, Balancing::LeastRequest);
    assert_eq!((it.outliers, it.tls.unwrap().value), (None, Tls::Simple));
    assert!(it.pool.retry_budget.is_some());
    let other = ask(&whole, &subset, "", &to("v1", 81));
    assert!(other.outliers.is_some());
    assert_eq!(other.pool.max_connections.value, 1);
}

#[test]
fn the_hosts_settings_of_the_port_reach_its_subsets() {
    let whole = json!({"tls": {"mode": "SIMPLE"}, "portLevelSettings": [{"port": {"number": 80}, "connectionPool": connections(5)}]});
    let it = ask(
        &whole,
        &json!({"loadBalancer": {"simple": "ROUND_ROBIN"}}),
        "",
        &to("v1", 80),
    );
    assert_eq!((it.pool.max_connections.value, it.tls), (5, None));
    assert_eq!(it.balancing.value, Balancing::RoundRobin);
}

#[test]
fn the_meshs_default_policy_stands_in_for_missing_blocks() {
    let mesh = "connectTimeout: 3s\ndefaultTrafficPolicy:\n  connectionPool: {tcp: {maxConnections: 9}}\n  outlierDetection: {consecutive5xxErrors: 8}\n";
    let bare = ask(&json!(null), &json!(null), mesh, &to("", 80));
    assert_eq!(bare.pool.max_connections.value, 9);
    let decider = bare.pool.max_connections.decider.unwrap();
    assert_eq!(
        (decider.key.kind, &*decider.path),
        (Kind::ConfigMap, "/data/mesh")
    );
    assert_eq!(bare.pool.connect_timeout_ms.value, 3_000);
    assert_eq!(&*bare.pool.connect_timeout_ms.decider.unwrap().path, "/data/mesh");
    assert_eq!(bare.outliers.unwrap().consecutive_5xx.value, 8);
    let own = ask(&json!({"connectionPool": {}}), &json!(null), mesh, &to("", 80));
    assert_eq!(own.pool.max_connections.value, u32::MAX);
    assert!(own.outliers.is_some());
    // A subset's settings of the port leave the mesh's out as well.
    let port = json!({"portLevelSettings": [{"port": {"number": 80}}]});
    let subset = ask(&json!(null), &port, mesh, &to("v1", 80));
    assert_eq!(
        (subset.pool.max_connections.value, subset.outliers),
        (u32::MAX, None)
    );
    let port = ask(&port, &json!(null), mesh, &to("", 80));
    assert_eq!(port.pool.max_connections.value, 9);
}

#[test]
fn balancing_is_read() {
    for (lb, expected) in [
        (json!({"simple": "LEAST_REQUEST"}), Balancing::LeastRequest),
        (json!({"simple": "LEAST_CONN"}), Balancing::LeastRequest),
        (json!({"simple": "ROUND_ROBIN"}), Balancing::RoundRobin),
        (json!({"simple": "RANDOM"}), Balancing::Random),
        (json!({"simple": "PASSTHROUGH"}), Balancing::Passthrough),
        (
            json!({"consistentHash": {"httpHeaderName": "x-user"}}),
            Balancing::Hash(HashOn::Header("x-user".into())),
        ),
        (
            json!({"consistentHash": {"httpCookie": {"name": "c", "ttl": "0s"}}}),
            Balancing::Hash(HashOn::Cookie("c".into())),
        ),
        (
            json!({"consistentHash": {"useSourceIp": true}}),
            Balancing::Hash(HashOn::SourceIp),
        ),
        (
            json!({"consistentHash": {"httpQueryParameterName": "q"}}),
            Balancing::Hash(HashOn::Query("q".into())),
        ),
        (
            json!({"consistentHash": {"useSourceIp": false}}),
            Balancing::Hash(HashOn::Nothing),
        ),
    ] {
        let it = of(&json!({"loadBalancer": lb}));
        assert_eq!(it.balancing.value, expected);
        let path = if lb.get("simple").is_some() {
            "simple"
        } else {
            "consistentHash"
        };
        let decider = it.balancing.decider.unwrap();
        assert_eq!(&*decider.path, format!("/spec/trafficPolicy/loadBalancer/{path}"));
    }
}

#[test]
fn a_sidecar_before_a_headless_service_does_not_choose_and_a_gateway_does() {
    let mut objects = objects(&json!({"loadBalancer": {"simple": "RANDOM"}}), &json!(null), "");
    let key = crate::object::Key::new(Kind::Service, "shop", "web");
    let mut service = (*objects.services[&key]).clone();
    service.headless = true;
    objects.services.insert(key, service.into());
    let mesh = Mesh::of(&objects);
    let balancing = |proxy: &Proxy| policy(&mesh, proxy, &to("", 80)).unwrap().unwrap().balancing;
    assert_eq!(balancing(&client()).value, Balancing::Passthrough);
    assert_eq!(balancing(&client()).decider, None);
    assert_eq!(
        balancing(&Proxy::gateway("client", Labels::new())).value,
        Balancing::Random
    );
}

#[test]
fn outlier_detection_is_off_unless_written_and_has_envoys_defaults() {
    let empty = of(&json!({"outlierDetection": {}})).outliers.unwrap();
    assert_eq!(&*empty.decider.path, "/spec/trafficPolicy/outlierDetection");
    assert_eq!(
        (
            empty.consecutive_5xx.value,
            empty.consecutive_gateway_errors.value
        ),
        (5, 0)
    );
    assert_eq!(
        (empty.interval_ms.value, empty.base_ejection_ms.value),
        (10_000, 30_000)
    );
    assert_eq!(
        (empty.max_ejection_percent.value, empty.min_health_percent.value),
        (10, 0)
    );
    assert_eq!(empty.consecutive_5xx.decider, None);
    let set = of(
        &json!({"outlierDetection": {"consecutive5xxErrors": 0, "consecutiveGatewayErrors": 2, "interval": "1m",
        "baseEjectionTime": "1.5s", "maxEjectionPercent": 100, "minHealthPercent": 40}}),
    );
    let set = set.outliers.unwrap();
    assert_eq!(
        (set.consecutive_5xx.value, set.consecutive_gateway_errors.value),
        (0, 2)
    );
    assert!(set.consecutive_5xx.decider.is_some());
    assert_eq!(
        (set.interval_ms.value, set.base_ejection_ms.value),
        (60_000, 1_500)
    );
    assert_eq!(
        (set.max_ejection_percent.value, set.min_health_percent.value),
        (100, 40)
    );
    let nought = of(&json!({"outlierDetection": {"maxEjectionPercent": 0, "interval": "x"}}))
        .outliers
        .unwrap();
    assert_eq!(
        (nought.max_ejection_percent.value, nought.interval_ms.value),
        (10, 10_000)
    );
}

#[test]
fn tls_is_read_and_an_empty_block_is_plaintext() {
    for (tls, mode, path) in [
        (json!({"mode": "DISABLE"}), Tls::Disable, "/mode"),
        (json!({"mode": "SIMPLE"}), Tls::Simple, "/mode"),
        (json!({"mode": "MUTUAL"}), Tls::Mutual, "/mode"),
        (json!({"mode": "ISTIO_MUTUAL"}), Tls::IstioMutual, "/mode"),
        (json!({}), Tls::Disable, ""),
    ] {
        let it = of(&json!({"tls": tls})).tls.unwrap();
        assert_eq!(it.value, mode);
        assert_eq!(
            &*it.decider.unwrap().path,
            format!("/spec/trafficPolicy/tls{path}")
        );
    }
}

#[test]
fn endpoints_are_marked_by_the_level_where_the_port_says_nothing_about_tls() {
    let whole = json!({"tls": {"mode": "ISTIO_MUTUAL"}, "portLevelSettings": [{"port": {"number": 80}}, {"port": {"number": 80}, "tls": {"mode": "SIMPLE"}},
        {"port": {"number": 82}}]});
    let subset = json!({"portLevelSettings": [{"port": {"number": 81}, "tls": {"mode": "DISABLE"}}]});
    let objects = objects(&whole, &subset, "");
    let mesh = Mesh::of(&objects);
    let rule = destination_rule(&mesh, &client(), HOST).unwrap().unwrap();
    let marked = |subset: &str, port| endpoint_tls(&rule, subset, port).map(|tls| tls.value);
    assert_eq!(marked("", 80), Some(Tls::Simple));
    assert_eq!(marked("", 81), Some(Tls::IstioMutual));
    assert_eq!(marked("", 82), Some(Tls::IstioMutual));
    assert_eq!(marked("v1", 80), Some(Tls::Simple));
    assert_eq!(marked("v1", 81), Some(Tls::Disable));
    assert_eq!(marked("v2", 80), None);
}

#[test]
fn a_subset_that_nobody_defines_has_no_policy_and_gaps_are_said() {
    let mut objects = objects(&json!(null), &json!(null), "");
    assert_eq!(policy(&Mesh::of(&objects), &client(), &to("v9", 80)), Ok(None));
    objects.kinds.insert(Kind::Service, KindState::NotYet);
    assert_eq!(
        policy(&Mesh::of(&objects), &client(), &to("", 80))
            .unwrap_err()
            .len(),
        1
    );
    objects.kinds.insert(Kind::DestinationRule, KindState::NotYet);
    assert!(policy(&Mesh::of(&objects), &client(), &to("", 80)).is_err());
    objects.clear(Kind::DestinationRule);
    objects.kinds.insert(Kind::Service, KindState::Known);
    objects.kinds.insert(Kind::DestinationRule, KindState::Known);
    assert!(
        policy(&Mesh::of(&objects), &client(), &to("", 80))
            .unwrap()
            .is_some()
    );
    assert_eq!(policy(&Mesh::of(&objects), &client(), &to("v1", 80)), Ok(None));
}
