use super::{injector, namespace, objects, webhooks, workload};
use crate::{
    mesh::{
        Mesh,
        injection::{Admitted, Code, Severity, Topic, admitted},
    },
    object::{Key, Kind},
    snapshot::KindState,
};
use serde_json::{Value, json};

/// What is found about `app` among these, in a namespace with these labels, under these values of the chart.
fn found(labels: &Value, values: &Value, kind: Kind, spec: Value, more: Vec<Value>) -> Admitted {
    let base = [
        webhooks("default", None),
        injector("policy: enabled", values),
        namespace("shop", labels.clone()),
        namespace("istio-system", json!({})),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "istiod", "namespace": "istio-system"}, "spec": {"selector": {"app": "istiod"}}}),
        workload(kind.name(), spec),
    ];
    let objects = objects(base.into_iter().chain(more));
    admitted(&Mesh::of(&objects), &Key::new(kind, "shop", "app"))
}

fn template(spec: Value) -> Value {
    json!({"replicas": 3, "template": {"metadata": {"labels": {"app": "app"}}, "spec": spec}})
}

fn native(on: &str) -> Value {
    json!({"pilot": {"env": {"ENABLE_NATIVE_SIDECARS": on}}})
}

fn has(found: &Admitted, severity: Severity, code: &Code) -> bool {
    found
        .concerns
        .iter()
        .any(|it| it.code == *code && it.severity == severity)
}

fn unknown(found: &Admitted, topic: Topic) -> bool {
    found.unknown.iter().any(|(it, _)| *it == topic)
}

fn in_shop(api: &str, kind: &str, spec: Value) -> Value {
    json!({"apiVersion": api, "kind": kind, "metadata": {"name": "it", "namespace": "shop"}, "spec": spec})
}

#[test]
fn pod_security_refuses_the_init_container_unless_cni_does_its_work() {
    let enforce = |level: &str| json!({"pod-security.kubernetes.io/enforce": level});
    let security = |level: &str| Code::PodSecurity { level: level.into() };
    let none = json!({});
    let cni = json!({"pilot": {"cni": {"enabled": true}}});
    for level in ["baseline", "restricted"] {
        assert!(has(
            &found(
                &enforce(level),
                &none,
                Kind::Deployment,
                template(json!({})),
                vec![]
            ),
            Severity::Stops,
            &security(level)
        ));
        let with = found(
            &enforce(level),
            &cni,
            Kind::Deployment,
            template(json!({})),
            vec![],
        );
        assert!(!has(&with, Severity::Stops, &security(level)));
        assert_eq!(has(&with, Severity::Stops, &Code::Seccomp), level == "restricted");
    }
    assert!(!has(
        &found(
            &enforce("privileged"),
            &none,
            Kind::Deployment,
            template(json!({})),
            vec![]
        ),
        Severity::Stops,
        &security("privileged")
    ));
    let profile = template(json!({"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}));
    assert!(!has(
        &found(&enforce("restricted"), &cni, Kind::Deployment, profile, vec![]),
        Severity::Stops,
        &Code::Seccomp
    ));
}

#[test]
fn users_ports_and_networks_of_the_proxy_are_concerns() {
    let it = |spec: Value| found(&json!({}), &json!({}), Kind::Deployment, template(spec), vec![]);
    let app = |more: Value| {
        let mut app = json!({"name": "app"});
        app.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        it(json!({"containers": [app]}))
    };
    let user = |container: &str| Code::ProxyUser {
        container: container.into(),
    };
    assert!(has(
        &app(json!({"securityContext": {"runAsUser": 1337}})),
        Severity::Hurts,
        &user("app")
    ));
    assert!(!has(
        &app(json!({"securityContext": {"runAsUser": 1338}})),
        Severity::Hurts,
        &user("app")
    ));
    assert!(has(
        &it(json!({"securityContext": {"runAsGroup": 1337}})),
        Severity::Hurts,
        &user("")
    ));
    for (port, clashes) in [
        (15000, true),
        (15001, true),
        (15006, true),
        (15008, true),
        (15020, true),
        (15021, true),
        (15090, true),
        (15010, false),
        (8080, false),
    ] {
        let code = Code::Port {
            container: "app".into(),
            port,
        };
        assert_eq!(
            has(
                &app(json!({"ports": [{"containerPort": port}]})),
                Severity::Stops,
                &code
            ),
            clashes,
            "{port}"
        );
    }
    assert!(has(
        &it(json!({"hostNetwork": true})),
        Severity::Stops,
        &Code::HostNetwork
    ));
    assert!(has(
        &it(json!({"dnsPolicy": "Default"})),
        Severity::Hurts,
        &Code::DnsPolicy {
            policy: "Default".into()
        }
    ));
    assert!(
        it(json!({"dnsPolicy": "ClusterFirst"}))
            .concerns
            .iter()
            .all(|it| !matches!(it.code, Code::DnsPolicy { .. } | Code::HostNetwork))
    );
}

#[test]
fn a_job_ends_with_a_native_sidecar_only_and_automatic_is_unknown() {
    for (set, never, doubt) in [
        ("true", false, false),
        ("false", true, false),
        ("odd", true, false),
        ("auto", false, true),
    ] {
        let it = found(&json!({}), &native(set), Kind::Job, template(json!({})), vec![]);
        assert_eq!(
            (
                has(&it, Severity::Stops, &Code::JobNeverEnds),
                unknown(&it, Topic::JobEnd)
            ),
            (never, doubt),
            "{set}"
        );
        let it = found(
            &json!({}),
            &native(set),
            Kind::Deployment,
            template(json!({})),
            vec![],
        );
        assert_eq!(
            (
                has(&it, Severity::Hurts, &Code::StartsBeforeProxy),
                unknown(&it, Topic::StartOrder)
            ),
            (never, doubt),
            "{set}"
        );
        assert!(!has(&it, Severity::Stops, &Code::JobNeverEnds));
    }
    for (annotation, set, never) in [
        ("true", "false", false),
        ("false", "true", true),
        ("", "true", false),
    ] {
        let mut spec = template(json!({}));
        spec["template"]["metadata"]["annotations"] = json!({"sidecar.istio.io/nativeSidecar": annotation});
        let it = found(&json!({}), &native(set), Kind::Job, spec, vec![]);
        assert_eq!(
            has(&it, Severity::Stops, &Code::JobNeverEnds),
            never,
            "{annotation} before {set}"
        );
    }
    let held = |text: &str| {
        let mut spec = template(json!({}));
        spec["template"]["metadata"]["annotations"] = json!({"proxy.istio.io/config": text});
        found(&json!({}), &native("false"), Kind::Deployment, spec, vec![])
    };
    assert!(!has(
        &held("holdApplicationUntilProxyStarts: true"),
        Severity::Hurts,
        &Code::StartsBeforeProxy
    ));
    assert!(has(
        &held("holdApplicationUntilProxyStarts: false"),
        Severity::Hurts,
        &Code::StartsBeforeProxy
    ));
}

#[test]
fn a_container_that_serves_drains_and_probes_are_rewritten() {
    let it = |app: Value, values: Value| {
        found(
            &json!({}),
            &values,
            Kind::Deployment,
            template(json!({"containers": [app]})),
            vec![],
        )
    };
    let drain = Code::NoDrain {
        container: "app".into(),
    };
    let ports = json!([{"containerPort": 80}]);
    assert!(has(
        &it(json!({"name": "app", "ports": ports}), json!({})),
        Severity::Hurts,
        &drain
    ));
    assert!(!has(
        &it(
            json!({"name": "app", "ports": ports, "lifecycle": {"preStop": {"sleep": {}}}}),
            json!({})
        ),
        Severity::Hurts,
        &drain
    ));
    assert!(!has(
        &it(json!({"name": "app"}), json!({})),
        Severity::Hurts,
        &drain
    ));
    let probed = json!({"name": "app", "livenessProbe": {"httpGet": {}}});
    let off = json!({"sidecarInjectorWebhook": {"rewriteAppHTTPProbe": false}});
    assert!(!has(
        &it(probed.clone(), json!({})),
        Severity::Hurts,
        &Code::ProbesNotRewritten
    ));
    assert!(has(&it(probed, off), Severity::Hurts, &Code::ProbesNotRewritten));
}

#[test]
fn a_rollout_is_judged_by_its_strategy() {
    let it = |replicas: u32, strategy: Value| {
        let mut spec = template(json!({}));
        spec["replicas"] = json!(replicas);
        spec["strategy"] = strategy;
        found(&json!({}), &json!({}), Kind::Deployment, spec, vec![])
    };
    let rolling = |surge: Value, missing: Value| json!({"rollingUpdate": {"maxSurge": surge, "maxUnavailable": missing}});
    let codes = |replicas, strategy| {
        let it = it(replicas, strategy);
        [
            Code::SingleReplica,
            Code::Recreate,
            Code::NoSurge,
            Code::AllUnavailable,
        ]
        .map(|code| has(&it, Severity::Hurts, &code))
    };
    assert_eq!(codes(3, json!({})), [false; 4]);
    assert_eq!(codes(1, json!({})), [true, false, false, false]);
    assert_eq!(codes(3, json!({"type": "Recreate"})), [false, true, false, false]);
    assert_eq!(codes(3, rolling(json!(0), json!(1))), [false, false, true, false]);
    assert_eq!(
        codes(1, rolling(json!(0), json!("25%"))),
        [true, false, true, true]
    );
    assert_eq!(
        codes(3, rolling(json!(1), json!("100%"))),
        [false, false, false, true]
    );
    assert_eq!(codes(3, rolling(json!("1%"), json!("99%"))), [false; 4]);
    let stateful = found(
        &json!({}),
        &json!({}),
        Kind::StatefulSet,
        template(json!({})),
        vec![],
    );
    assert!(
        has(&stateful, Severity::Hurts, &Code::Stateful)
            && !has(&stateful, Severity::Hurts, &Code::SingleReplica)
    );
}

#[test]
fn budgets_and_autoscalers_are_found_by_what_they_name() {
    let it = |more: Value| {
        found(
            &json!({}),
            &json!({}),
            Kind::Deployment,
            template(json!({})),
            vec![more],
        )
    };
    let budget = |selector: Value| {
        has(
            &it(in_shop(
                "policy/v1",
                "PodDisruptionBudget",
                json!({"selector": selector}),
            )),
            Severity::Notes,
            &Code::NoBudget,
        )
    };
    assert!(!budget(json!({"matchLabels": {"app": "app"}})) && !budget(json!({})));
    assert!(budget(json!({"matchLabels": {"app": "other"}})));
    let scaled = |target: &str, metrics: Value| {
        let scaler = in_shop(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            json!({"scaleTargetRef": {"kind": "Deployment", "name": target}, "metrics": metrics}),
        );
        has(
            &it(scaler),
            Severity::Hurts,
            &Code::AutoscalerCountsProxy {
                resource: "cpu".into(),
            },
        )
    };
    assert!(
        scaled("app", json!([{"type": "Resource", "resource": {"name": "cpu"}}])) && scaled("app", json!([]))
    );
    assert!(
        !scaled(
            "app",
            json!([{"type": "ContainerResource", "containerResource": {"name": "cpu"}}])
        ) && !scaled("other", json!([]))
    );
}

#[test]
fn quotas_and_limit_ranges_have_room_for_the_proxy() {
    let quota = |hard: &str, used: &str| {
        let mut quota = in_shop("v1", "ResourceQuota", json!({"hard": {"requests.cpu": hard}}));
        quota["status"] = json!({"used": {"requests.cpu": used}});
        found(
            &json!({}),
            &json!({}),
            Kind::Deployment,
            template(json!({})),
            vec![quota],
        )
    };
    let short = Code::Quota {
        resource: "requests.cpu".into(),
        left: 99,
        needed: 100,
    };
    assert!(has(&quota("1", "901m"), Severity::Stops, &short));
    assert!(
        quota("1", "900m")
            .concerns
            .iter()
            .all(|it| !matches!(it.code, Code::Quota { .. }))
    );
    assert!(unknown(&quota("1", "odd"), Topic::Quota));
    let range = |bound: &str, cpu: &str| {
        let range = in_shop(
            "v1",
            "LimitRange",
            json!({"limits": [{"type": "Container", bound: {"cpu": cpu}}]}),
        );
        let it = found(
            &json!({}),
            &json!({}),
            Kind::Deployment,
            template(json!({})),
            vec![range],
        );
        it.concerns
            .iter()
            .any(|it| matches!(it.code, Code::LimitRange { resource: "cpu", .. }))
    };
    assert!(range("max", "1999m") && !range("max", "2"));
    assert!(range("min", "101m") && !range("min", "100m"));
    assert!(range("maxLimitRequestRatio", "19") && !range("maxLimitRequestRatio", "20"));
}

#[test]
fn network_policies_let_the_proxy_reach_istiod_or_not() {
    let it = |spec: Value| {
        found(
            &json!({}),
            &json!({}),
            Kind::Deployment,
            template(json!({})),
            vec![in_shop("networking.k8s.io/v1", "NetworkPolicy", spec)],
        )
    };
    let egress = |selector: Value, rules: Value| {
        let it = it(json!({"podSelector": selector, "policyTypes": ["Egress"], "egress": rules}));
        (
            has(&it, Severity::Stops, &Code::EgressBlocked { port: 15012 }),
            unknown(&it, Topic::NetworkPolicy),
        )
    };
    let all = || json!({});
    let istio = |pods: &str| json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "istio-system"}}, "podSelector": {"matchLabels": {"app": pods}}});
    let table = [
        (all(), json!([]), (true, false)),
        (
            json!({"matchLabels": {"app": "other"}}),
            json!([]),
            (false, false),
        ),
        (all(), json!([{}]), (false, false)),
        (all(), json!([{"ports": [{"port": 15012}]}]), (false, false)),
        (
            all(),
            json!([{"ports": [{"port": 15012, "protocol": "UDP"}]}]),
            (true, false),
        ),
        (
            all(),
            json!([{"ports": [{"port": 15000, "endPort": 15012}]}]),
            (false, false),
        ),
        (
            all(),
            json!([{"ports": [{"port": 15000, "endPort": 15011}]}]),
            (true, false),
        ),
        (all(), json!([{"ports": [{"port": "xds"}]}]), (false, true)),
        (all(), json!([{"to": [istio("istiod")]}]), (false, false)),
        (all(), json!([{"to": [istio("other")]}]), (true, false)),
        (all(), json!([{"to": [{"podSelector": {}}]}]), (true, false)),
        (
            all(),
            json!([{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]),
            (false, false),
        ),
        (
            all(),
            json!([{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]),
            (false, true),
        ),
    ];
    for (selector, rules, expected) in table {
        assert_eq!(egress(selector, rules.clone()), expected, "{rules}");
    }
    let scrape = it(json!({"podSelector": {}, "ingress": [{"ports": [{"port": 15090}]}]}));
    assert!(has(
        &scrape,
        Severity::Notes,
        &Code::IngressBlocked { port: 15020 }
    ));
    assert!(!has(
        &scrape,
        Severity::Notes,
        &Code::IngressBlocked { port: 15090 }
    ));
}

#[test]
fn what_cannot_be_read_is_unknown_and_the_worst_comes_first() {
    let mut objects = objects([
        namespace("shop", json!({})),
        workload("Deployment", template(json!({"hostNetwork": true}))),
    ]);
    for kind in [
        Kind::NetworkPolicy,
        Kind::ResourceQuota,
        Kind::LimitRange,
        Kind::PodDisruptionBudget,
        Kind::HorizontalPodAutoscaler,
        Kind::MutatingWebhookConfiguration,
    ] {
        objects.kinds.insert(kind, KindState::NotYet);
    }
    let found = admitted(&Mesh::of(&objects), &Key::new(Kind::Deployment, "shop", "app"));
    for topic in [
        Topic::Injector,
        Topic::NetworkPolicy,
        Topic::Quota,
        Topic::LimitRange,
        Topic::Budget,
        Topic::Autoscaler,
        Topic::StartOrder,
    ] {
        assert!(unknown(&found, topic), "{topic:?}");
    }
    assert_eq!(
        found.concerns.first().map(|it| &it.code),
        Some(&Code::HostNetwork)
    );
    let absent = admitted(&Mesh::of(&objects), &Key::new(Kind::Deployment, "shop", "absent"));
    assert!(absent.concerns.is_empty() && unknown(&absent, Topic::Injector));
}

#[test]
fn an_injector_that_is_not_ready_stops_pods() {
    for (ready, stops) in [(0, true), (1, false)] {
        let istiod = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "istiod", "namespace": "istio-system"},
            "spec": template(json!({})), "status": {"readyReplicas": ready}});
        let it = found(
            &json!({}),
            &json!({}),
            Kind::Deployment,
            template(json!({})),
            vec![istiod],
        );
        let deployment = Key::new(Kind::Deployment, "istio-system", "istiod");
        assert_eq!(
            has(&it, Severity::Stops, &Code::InjectorNotReady { deployment }),
            stops,
            "{ready}"
        );
    }
}
