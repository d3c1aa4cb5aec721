//! Traffic goes where the mesh model sends it, and is counted as proxies count it.

use crate::world::start;
use naru_domain::{
    object::{Key, Kind},
    traffic::{Flow, Reporter, Traffic},
};
use naru_ports::Metrics;
use naru_rehearsal::{
    ManualClock, Rehearsal,
    scenario::{self, Scenario},
    traffic::{Arrivals, Call, Caller, Cause, Demand, Shape, Token, Toll, Work},
    world::guide::guide,
};
use serde_json::{Value, json};
use std::sync::Arc;

const PRODUCT: &str = "product-service";
const GATEWAY: &str = "sangsang-plus-gateway";
const EDGE: &str = "istio-ingressgateway";

/// The guide's objects under another demand.
fn under(demand: fn() -> Demand) -> (Arc<ManualClock>, Rehearsal) {
    let scenario = Scenario {
        name: "test",
        objects: || guide(false),
        demand,
        story: None,
    };
    start(&scenario, 0)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "JSON reads better without references"
)]
fn put(rehearsal: &Rehearsal, kind: Kind, namespace: &str, name: &str, spec: Value) {
    let json = json!({"metadata": {"name": name, "namespace": namespace}, "spec": spec});
    rehearsal.cluster.load(kind, json, "kubectl").unwrap();
}

/// A VirtualService for product-service with one rule.
fn rule(rehearsal: &Rehearsal, more: Value) {
    let mut rule = json!({"route": [{"destination": {"host": PRODUCT}}]});
    let (Value::Object(all), Value::Object(more)) = (&mut rule, more) else {
        panic!()
    };
    all.extend(more);
    let spec = json!({"hosts": [PRODUCT], "http": [rule]});
    put(rehearsal, Kind::VirtualService, PRODUCT, PRODUCT, spec);
}

async fn traffic(rehearsal: &Rehearsal) -> Traffic {
    rehearsal.metrics.traffic(60).await.unwrap().value
}

fn flow(traffic: &Traffic, source: &str, target: &str, reporter: Reporter) -> Option<Flow> {
    let mut flows = traffic.flows.iter();
    let fits = |key: &naru_domain::traffic::FlowKey| {
        &*key.source.workload == source && &*key.target.workload == target && key.reporter == reporter
    };
    flows.find(|(key, _)| fits(key)).map(|(_, flow)| flow.clone())
}

/// Response codes with flags, as `503 UH`.
fn codes(flow: Option<Flow>) -> Vec<String> {
    let codes = flow.unwrap_or_default().codes;
    codes
        .keys()
        .map(|(code, flags)| format!("{code} {flags}"))
        .collect()
}

fn harmed(toll: &Toll, caller: &str, cause: Cause) -> u64 {
    toll.harmed(|it| &*it.caller == caller && it.cause == cause)
}

/// One workload that asks product-service, with a shape.
fn asking(name: &str, rate: f64, shape: Shape) -> Arrivals {
    Arrivals {
        name: name.into(),
        caller: Caller::Workload {
            namespace: "default".into(),
            workload: GATEWAY.into(),
            meshed: true,
        },
        call: Call::http(PRODUCT, PRODUCT),
        rate,
        shapes: vec![shape],
        ..Arrivals::default()
    }
}

fn product(work: Work) -> Demand {
    Demand {
        arrivals: vec![asking("all", 30.0, Shape::default())],
        works: [((PRODUCT.into(), PRODUCT.into()), work)].into(),
        ..Demand::default()
    }
}

#[tokio::test]
async fn no_scenario_has_a_request_that_the_model_does_not_judge() {
    for scenario in scenario::ALL {
        let (clock, rehearsal) = start(&scenario, 0);
        // The large one is asked 500 times a second.
        clock.advance_ms(if scenario.name == "large" { 1_000 } else { 20_000 });
        assert!(rehearsal.metrics.toll().asked() > 100, "{}", scenario.name);
        assert_eq!(rehearsal.metrics.unjudged(), 0, "{}", scenario.name);
    }
}

#[tokio::test]
async fn what_is_not_judged_is_let_through_and_said() {
    let (clock, rehearsal) = under(|| product(Work::default()));
    let patch = json!({"configPatches": [{"applyTo": "HTTP_FILTER", "match": {"context": "ANY"},
        "patch": {"operation": "INSERT_BEFORE", "value": {"name": "lua"}}}]});
    put(&rehearsal, Kind::EnvoyFilter, "default", "lua", patch);
    clock.advance_ms(30_000);
    assert!(rehearsal.metrics.unjudged() > 500);
    assert_eq!(
        codes(flow(
            &traffic(&rehearsal).await,
            GATEWAY,
            PRODUCT,
            Reporter::Source
        )),
        ["200 -"]
    );
}

#[tokio::test]
async fn shares_keep_within_binomial_bounds() {
    let (_, rehearsal) = start(&scenario::GUIDE, 300);
    let flows = rehearsal.metrics.traffic(300).await.unwrap().value;
    let rate = |target: &str| flow(&flows, GATEWAY, target, Reporter::Source).unwrap().rate;
    let (v1, v2) = (rate("user-service-v1"), rate("user-service-v2"));
    let n = (v1 + v2) * 295.0;
    let share = v2 / (v1 + v2);
    let bound = 4.0 * (0.1 * 0.9 / n).sqrt();
    assert!(n > 5_000.0 && (share - 0.1).abs() < bound, "{share} of {n}");
}

#[test]
fn counts_are_more_uneven_than_independent_requests() {
    let (clock, rehearsal) = start(&scenario::GUIDE, 0);
    let mut before = 0;
    let counts: Vec<f64> = (0..150)
        .map(|_| {
            clock.advance_ms(2_000);
            let now = rehearsal.metrics.toll().asked["people"];
            f64::from(u32::try_from(now - std::mem::replace(&mut before, now)).unwrap())
        })
        .collect();
    let mean = counts.iter().sum::<f64>() / 150.0;
    let variance = counts.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / 149.0;
    assert!(
        (70.0..90.0).contains(&mean) && variance > 2.0 * mean,
        "{mean} {variance}"
    );
}

#[tokio::test]
async fn a_pool_of_ten_overflows_where_more_are_under_way() {
    let slow = || {
        let mut demand = (scenario::GUIDE.demand)();
        for version in ["user-service-v1", "user-service-v2"] {
            let who = ("user-service".into(), version.into());
            demand.works.get_mut(&who).unwrap().ms = 1_500.0;
        }
        demand
    };
    for limited in [false, true] {
        let (clock, rehearsal) = under(slow);
        let rule = Key::new(Kind::DestinationRule, "user-service", "user-service");
        rehearsal.cluster.edit(&rule, "kubectl", |json| {
            if limited {
                json["spec"]["trafficPolicy"] = json!({"connectionPool": {"tcp": {"maxConnections": 10},
                    "http": {"http1MaxPendingRequests": 10, "maxRequestsPerConnection": 2}}});
            }
        });
        clock.advance_ms(90_000);
        let nowhere = flow(&traffic(&rehearsal).await, GATEWAY, "", Reporter::Source);
        let lost = harmed(&rehearsal.metrics.toll(), "people", Cause::Overflow);
        if limited {
            assert_eq!(codes(nowhere), ["503 UO"]);
            assert!(lost > 50, "{lost}");
        } else {
            assert_eq!((codes(nowhere), lost), (vec![], 0));
        }
    }
}

#[tokio::test]
async fn who_is_not_let_in_gets_403_and_both_proxies_count_it() {
    let (clock, rehearsal) = under(|| product(Work::default()));
    let batch = json!({"rules": [{"from": [{"source": {"namespaces": ["batch"]}}]}]});
    put(
        &rehearsal,
        Kind::AuthorizationPolicy,
        PRODUCT,
        "batch-only",
        batch,
    );
    clock.advance_ms(90_000);
    let traffic = traffic(&rehearsal).await;
    for reporter in [Reporter::Source, Reporter::Destination] {
        assert_eq!(codes(flow(&traffic, GATEWAY, PRODUCT, reporter)), ["403 -"]);
    }
    let toll = rehearsal.metrics.toll();
    let at = |it: &naru_rehearsal::traffic::Harm| {
        it.cause == Cause::Denied && &*it.place == "product-service/product-service"
    };
    assert!(
        toll.harmed(at) > 2_000 && toll.harmed(|it| !at(it)) == 0,
        "{toll:?}"
    );
}

#[test]
fn without_a_token_one_is_denied_and_with_one_that_is_over_not_known() {
    let demand = || {
        let token = |token| Shape {
            token,
            ..Shape::default()
        };
        let valid = |issuer: &str| Token::Valid {
            issuer: issuer.into(),
            subject: "someone".into(),
            claims: Value::Null,
        };
        let arrivals = [
            ("none", Token::None),
            ("valid", valid("keycloak")),
            ("foreign", valid("elsewhere")),
            ("over", Token::Expired),
        ];
        Demand {
            arrivals: arrivals.map(|(name, it)| asking(name, 5.0, token(it))).into(),
            ..Demand::default()
        }
    };
    let (clock, rehearsal) = under(demand);
    clock.advance_ms(10_000);
    assert_eq!(
        rehearsal.metrics.toll().harmed(|_| true),
        0,
        "nobody looks at tokens"
    );
    put(
        &rehearsal,
        Kind::RequestAuthentication,
        PRODUCT,
        "tokens",
        json!({"jwtRules": [{"issuer": "keycloak"}]}),
    );
    clock.advance_ms(30_000);
    let toll = rehearsal.metrics.toll();
    let told = |toll: &Toll, name: &str| {
        (
            harmed(toll, name, Cause::Unauthenticated) > 50,
            harmed(toll, name, Cause::Denied) > 50,
        )
    };
    let all = ["none", "valid", "foreign", "over"];
    assert_eq!(
        all.map(|it| told(&toll, it)),
        [(false, false), (false, false), (true, false), (true, false)]
    );
    let signed_in = json!({"rules": [{"from": [{"source": {"requestPrincipals": ["*"]}}]}]});
    put(
        &rehearsal,
        Kind::AuthorizationPolicy,
        PRODUCT,
        "signed-in",
        signed_in,
    );
    clock.advance_ms(30_000);
    let toll = rehearsal.metrics.toll();
    assert_eq!(all.map(|it| told(&toll, it).1), [true, false, false, false]);
    assert_eq!(rehearsal.metrics.unjudged(), 0);
}

fn mutual_tls(rehearsal: &Rehearsal, mode: &str) {
    put(
        rehearsal,
        Kind::PeerAuthentication,
        "istio-system",
        "default",
        json!({"mtls": {"mode": mode}}),
    );
}

#[test]
fn strict_refuses_plaintext_after_one_more_request_on_each_open_connection_and_permissive_heals() {
    let (clock, rehearsal) = start(&scenario::GUIDE, 0);
    let asked = || {
        let toll = rehearsal.metrics.toll();
        (
            toll.asked["price-sync"],
            harmed(&toll, "price-sync", Cause::Plaintext),
        )
    };
    // The job asks for half of each minute, and is silent while the mode changes.
    clock.advance_ms(40_000);
    let (before, none) = asked();
    mutual_tls(&rehearsal, "STRICT");
    clock.advance_ms(60_000);
    let (strict, refused) = asked();
    assert!(before > 80 && none == 0 && strict - before > 80);
    assert_eq!(
        strict - before - refused,
        2,
        "one pod has a connection to each of two"
    );
    mutual_tls(&rehearsal, "PERMISSIVE");
    clock.advance_ms(60_000);
    let (healed, still) = asked();
    assert!(healed - strict > 80);
    assert_eq!(still, refused);
}

#[test]
fn a_policy_bites_after_one_more_request_on_each_open_connection() {
    let demand = || Demand {
        arrivals: vec![Arrivals {
            seconds: Some(30),
            ..asking("all", 10.0, Shape::default())
        }],
        ..Demand::default()
    };
    let (clock, rehearsal) = under(demand);
    clock.advance_ms(40_000);
    let before = rehearsal.metrics.toll().asked();
    put(
        &rehearsal,
        Kind::AuthorizationPolicy,
        PRODUCT,
        "nobody",
        json!({}),
    );
    clock.advance_ms(60_000);
    let toll = rehearsal.metrics.toll();
    let let_in = toll.asked() - before - harmed(&toll, "all", Cause::Denied);
    assert_eq!(let_in, 4, "two pods have connections to two");
    rehearsal
        .cluster
        .delete(&Key::new(Kind::AuthorizationPolicy, PRODUCT, "nobody"));
    clock.advance_ms(60_000);
    let after = rehearsal.metrics.toll();
    let denied = |toll: &Toll| harmed(toll, "all", Cause::Denied);
    assert_eq!(denied(&after) - denied(&toll), 4, "and the other way round");
}

#[tokio::test]
async fn a_retried_request_is_one_to_its_caller_and_several_to_the_called() {
    let failing = || {
        product(Work {
            failing: 0.3,
            ..Work::default()
        })
    };
    let (clock, rehearsal) = under(failing);
    rule(&rehearsal, json!({"retries": {"attempts": 3, "retryOn": "5xx"}}));
    clock.advance_ms(90_000);
    let traffic = traffic(&rehearsal).await;
    let seen = |reporter| flow(&traffic, GATEWAY, PRODUCT, reporter).unwrap();
    let (source, destination) = (seen(Reporter::Source), seen(Reporter::Destination));
    // 1 + 0.3 + 0.09 + 0.027
    let times = destination.rate / source.rate;
    assert!((1.35..1.48).contains(&times), "{times}");
    assert!((0.27..0.33).contains(&(destination.failed / destination.rate)));
    assert!(source.failed / source.rate < 0.02, "{source:?}");
    assert_eq!(codes(Some(source)), ["200 -", "500 URX"]);
    assert_eq!(codes(Some(destination)), ["200 -", "500 -"]);
}

#[tokio::test]
async fn without_conditions_for_it_an_answer_is_not_retried() {
    let failing = || {
        product(Work {
            failing: 0.3,
            ..Work::default()
        })
    };
    let (clock, rehearsal) = under(failing);
    clock.advance_ms(90_000);
    let traffic = traffic(&rehearsal).await;
    let seen = |reporter| flow(&traffic, GATEWAY, PRODUCT, reporter).unwrap();
    assert!((seen(Reporter::Source).rate - seen(Reporter::Destination).rate).abs() < 1e-9);
    assert_eq!(codes(Some(seen(Reporter::Source))), ["200 -", "500 -"]);
}

#[tokio::test]
async fn faults_are_put_in_by_the_callers_proxy() {
    let (clock, rehearsal) = under(|| product(Work::default()));
    let abort = json!({"percentage": {"value": 40}, "httpStatus": 418});
    let delay = json!({"percentage": {"value": 100}, "fixedDelay": "0.3s"});
    rule(&rehearsal, json!({"fault": {"abort": abort, "delay": delay}}));
    clock.advance_ms(90_000);
    let traffic = traffic(&rehearsal).await;
    let aborted = flow(&traffic, GATEWAY, "", Reporter::Source).unwrap();
    let passed = flow(&traffic, GATEWAY, PRODUCT, Reporter::Source).unwrap();
    let arrived = flow(&traffic, GATEWAY, PRODUCT, Reporter::Destination).unwrap();
    let part = aborted.rate / (aborted.rate + passed.rate);
    assert!((0.36..0.44).contains(&part), "{part}");
    assert!(passed.average_ms.unwrap() > 300.0 && arrived.average_ms.unwrap() < 20.0);
    assert_eq!(codes(Some(aborted)), ["418 DI,FI"]);
    assert_eq!(codes(Some(passed)), ["200 DI"]);
    assert!(harmed(&rehearsal.metrics.toll(), "all", Cause::Injected) > 500);
}

#[tokio::test]
async fn what_takes_too_long_is_cut_off() {
    let slow = || {
        product(Work {
            ms: 100.0,
            ..Work::default()
        })
    };
    let (clock, rehearsal) = under(slow);
    rule(&rehearsal, json!({"timeout": "0.1s"}));
    clock.advance_ms(90_000);
    let traffic = traffic(&rehearsal).await;
    let source = flow(&traffic, GATEWAY, PRODUCT, Reporter::Source).unwrap();
    let destination = flow(&traffic, GATEWAY, PRODUCT, Reporter::Destination);
    assert!(source.average_ms.unwrap() <= 100.5, "{source:?}");
    assert_eq!(codes(Some(source)), ["200 -", "504 UT"]);
    assert_eq!(codes(destination), ["0 DC", "200 -"]);
    assert!(harmed(&rehearsal.metrics.toll(), "all", Cause::Timeout) > 500);
}

#[tokio::test]
async fn copies_arrive_and_nobody_bears_them() {
    let (clock, rehearsal) = under(|| product(Work::default()));
    let to = json!({"host": "user-service.user-service.svc.cluster.local", "port": {"number": 80}});
    rule(
        &rehearsal,
        json!({"mirror": to, "mirrorPercentage": {"value": 50}}),
    );
    clock.advance_ms(90_000);
    let traffic = traffic(&rehearsal).await;
    let copies = flow(&traffic, GATEWAY, "user-service-v1", Reporter::Destination).unwrap();
    let real = flow(&traffic, GATEWAY, PRODUCT, Reporter::Source).unwrap();
    assert!((0.3..0.55).contains(&(copies.rate / real.rate)), "{copies:?}");
    assert_eq!(flow(&traffic, GATEWAY, "user-service-v1", Reporter::Source), None);
    assert_eq!(rehearsal.metrics.toll().harmed(|_| true), 0);
}

#[tokio::test]
async fn tls_that_the_other_side_does_not_speak_fails_after_retries() {
    let demand = || Demand {
        arrivals: vec![Arrivals {
            call: Call::http("keycloak", "keycloak"),
            ..asking("all", 20.0, Shape::default())
        }],
        ..Demand::default()
    };
    let (clock, rehearsal) = under(demand);
    let forced = json!({"host": "keycloak", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}});
    put(&rehearsal, Kind::DestinationRule, "keycloak", "keycloak", forced);
    clock.advance_ms(90_000);
    let source = flow(&traffic(&rehearsal).await, GATEWAY, "keycloak", Reporter::Source);
    assert_eq!(codes(source), ["503 UF,URX"]);
    assert!(harmed(&rehearsal.metrics.toll(), "all", Cause::Tls) > 1_000);
}

#[tokio::test]
async fn a_proxy_that_is_told_to_send_plaintext_is_reset_by_strict() {
    let (clock, rehearsal) = under(|| product(Work::default()));
    let plain = json!({"host": PRODUCT, "trafficPolicy": {"tls": {"mode": "DISABLE"}}});
    put(&rehearsal, Kind::DestinationRule, PRODUCT, "plain", plain);
    clock.advance_ms(90_000);
    let arrived = |traffic: &Traffic| flow(traffic, GATEWAY, PRODUCT, Reporter::Destination);
    let open = arrived(&traffic(&rehearsal).await).unwrap();
    assert!(open.rate > 10.0 && open.mtls.abs() < 1e-9, "{open:?}");
    mutual_tls(&rehearsal, "STRICT");
    clock.advance_ms(90_000);
    let traffic = traffic(&rehearsal).await;
    assert_eq!(arrived(&traffic), None);
    assert_eq!(
        codes(flow(&traffic, GATEWAY, PRODUCT, Reporter::Source)),
        ["503 UC"]
    );
}

#[tokio::test]
async fn a_gateway_knows_the_hosts_and_paths_that_its_rules_name() {
    let (clock, rehearsal) = start(&scenario::GUIDE, 0);
    let routes = Key::new(Kind::VirtualService, "default", "sangsang-vs");
    rehearsal.cluster.edit(&routes, "kubectl", |json| {
        json["spec"]["http"][0]["match"][0]["uri"]["prefix"] = "/api/".into();
    });
    clock.advance_ms(90_000);
    let now = traffic(&rehearsal).await;
    assert_eq!(codes(flow(&now, EDGE, "", Reporter::Source)), ["404 NR"]);
    let (passed, lost) = (
        flow(&now, EDGE, GATEWAY, Reporter::Source),
        flow(&now, EDGE, "", Reporter::Source),
    );
    let (passed, lost) = (passed.unwrap().rate, lost.unwrap().rate);
    let part = lost / (passed + lost);
    assert!((0.03..0.07).contains(&part), "one in twenty signs in: {part}");
    rehearsal.cluster.edit(&routes, "kubectl", |json| {
        json["spec"]["hosts"] = json!(["elsewhere.example"])
    });
    clock.advance_ms(90_000);
    let now = traffic(&rehearsal).await;
    assert_eq!(codes(flow(&now, EDGE, "", Reporter::Source)), ["404 NR"]);
    assert_eq!(flow(&now, EDGE, GATEWAY, Reporter::Source), None);
    rehearsal
        .cluster
        .delete(&Key::new(Kind::Gateway, "default", "sangsang-gateway"));
    clock.advance_ms(90_000);
    assert!(
        !traffic(&rehearsal)
            .await
            .flows
            .keys()
            .any(|it| &*it.source.workload == EDGE),
        "nothing listens"
    );
}

#[tokio::test]
async fn a_gateways_own_policies_refuse_at_the_door() {
    let (clock, rehearsal) = start(&scenario::GUIDE, 0);
    let spec = json!({"selector": {"matchLabels": {"istio": "ingressgateway"}}, "action": "DENY",
        "rules": [{"to": [{"operation": {"paths": ["/auth/*"]}}]}]});
    put(
        &rehearsal,
        Kind::AuthorizationPolicy,
        "istio-system",
        "no-auth",
        spec,
    );
    clock.advance_ms(90_000);
    let now = traffic(&rehearsal).await;
    assert_eq!(codes(flow(&now, EDGE, "", Reporter::Source)), ["403 -"]);
    assert!(flow(&now, EDGE, GATEWAY, Reporter::Source).is_some());
}

#[tokio::test]
async fn the_unknown_is_let_out_or_not_as_the_mesh_says() {
    let demand = || Demand {
        arrivals: vec![Arrivals {
            call: Call {
                host: Some("api.example.com".into()),
                port: Some(80),
                ..Call::default()
            },
            ..asking("all", 20.0, Shape::default())
        }],
        ..Demand::default()
    };
    let (clock, rehearsal) = under(demand);
    clock.advance_ms(90_000);
    let named = |traffic: &Traffic| {
        let mut all = traffic.flows.iter();
        all.next()
            .map(|(key, flow)| (key.service.name.to_string(), codes(Some(flow.clone()))))
    };
    assert_eq!(
        named(&traffic(&rehearsal).await),
        Some(("PassthroughCluster".into(), vec!["200 -".into()]))
    );
    let map = json!({"metadata": {"name": "istio", "namespace": "istio-system"},
        "data": {"mesh": "outboundTrafficPolicy: {mode: REGISTRY_ONLY}"}});
    rehearsal.cluster.load(Kind::ConfigMap, map, "istioctl").unwrap();
    clock.advance_ms(90_000);
    assert_eq!(
        named(&traffic(&rehearsal).await),
        Some(("BlackHoleCluster".into(), vec!["502 -".into()]))
    );
    assert!(harmed(&rehearsal.metrics.toll(), "all", Cause::BlackHole) > 1_000);
}

#[tokio::test]
async fn a_version_bears_five_per_cent_and_fails_at_ten() {
    let demand = || {
        let mut demand = (scenario::GUIDE.demand)();
        demand.arrivals[0].rate = 200.0;
        let v2 = ("user-service".into(), "user-service-v2".into());
        demand.works.get_mut(&v2).unwrap().capacity = Some(9.0);
        demand
    };
    let failing = async |v2: u32| {
        let (clock, rehearsal) = under(demand);
        let key = Key::new(Kind::VirtualService, "user-service", "user-service-canary");
        rehearsal.cluster.edit(&key, "kubectl", |json| {
            json["spec"]["http"][0]["route"][0]["weight"] = (100 - v2).into();
            json["spec"]["http"][0]["route"][1]["weight"] = v2.into();
        });
        clock.advance_ms(90_000);
        let flow = flow(
            &traffic(&rehearsal).await,
            GATEWAY,
            "user-service-v2",
            Reporter::Destination,
        )
        .unwrap();
        (flow.failed / flow.rate, flow.average_ms.unwrap())
    };
    let (calm, quick) = failing(5).await;
    let (strained, slow) = failing(10).await;
    assert!(calm < 0.03 && strained > 0.12, "{calm} {strained}");
    assert!(slow > 1.5 * quick, "{quick} {slow}");
}

#[tokio::test]
async fn the_called_host_is_what_the_application_writes() {
    // Both forms lead to the service, and so to its rules.
    let demand = || {
        let to = |name: &str, host: &str| Arrivals {
            call: Call {
                host: Some(host.into()),
                port: Some(8082),
                ..Call::http(PRODUCT, PRODUCT)
            },
            ..asking(name, 10.0, Shape::default())
        };
        Demand {
            arrivals: vec![
                to("short", "product-service.product-service"),
                to("full", "product-service.product-service.svc.cluster.local"),
                to("wrong", "product-service"),
            ],
            ..Demand::default()
        }
    };
    let (clock, rehearsal) = under(demand);
    rule(
        &rehearsal,
        json!({"directResponse": {"status": 503}, "route": []}),
    );
    clock.advance_ms(20_000);
    let toll = rehearsal.metrics.toll();
    assert!(
        harmed(&toll, "short", Cause::Injected) > 100 && harmed(&toll, "full", Cause::Injected) > 100,
        "{toll:?}"
    );
    assert_eq!(harmed(&toll, "wrong", Cause::Injected), 0);
}
