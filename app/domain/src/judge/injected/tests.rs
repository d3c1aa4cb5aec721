use crate::judge::testing::{codes, judged, judged_as_it_is, judged_running};

/// The entry and one other service, each with labels of its namespace, of its Deployment, and of its pods.
fn system(namespace: &str, deployment: &str, pod: &str, annotations: &str, spec: &str) -> String {
    let mut yaml = r#"
{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}, spec: {entry: {namespace: a, name: web}, services: [{namespace: b, name: users}]}}
"#
    .to_owned();
    for (space, name) in [("a", "web"), ("b", "users")] {
        yaml += &format!(
            r#"
---
{{apiVersion: v1, kind: Namespace, metadata: {{name: {space}, labels: {{{namespace}}}}}}}
---
{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: {space}}}, spec: {{selector: {{app: {name}}}, ports: [{{port: 80}}]}}}}
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}, namespace: {space}, labels: {{{deployment}}}}}, spec: {{template: {{
  metadata: {{labels: {{app: {name}, {pod}}}, annotations: {{{annotations}}}}}, spec: {{{spec} containers: [{{name: app}}]}}}}}}}}
"#
        );
    }
    yaml
}

const ENABLED: &str = "istio-injection: enabled";
const INJECT: &str = r#""sidecar.istio.io/inject": "true""#;
const REFUSE: &str = r#""sidecar.istio.io/inject": "false""#;

/// Both items' checks find the same, each under its own codes.
fn both(what: &str, yaml: &str) -> Vec<String> {
    let of = |item: &str, prefix: &str| -> Vec<String> {
        let found = judged(&format!("{item}_{what}"), yaml);
        let strip = |code: &&str| code.strip_prefix(prefix).unwrap().to_owned();
        codes(&found).iter().map(strip).collect()
    };
    let entry = of("entry", "entry-");
    assert_eq!(entry, of("services", "service-"));
    entry
}

#[test]
fn each_reason_not_to_be_injected_has_its_code() {
    let host = "hostNetwork: true,";
    for (yaml, expected) in [
        (system(ENABLED, "", "", "", ""), &[][..]),
        (system("", "", INJECT, "", ""), &[]),
        (system("", "", "", "", ""), &["unlabelled"]),
        (system("", "", "", INJECT, ""), &["unlabelled"]),
        (
            system("istio-injection: disabled", "", "", "", ""),
            &["namespace-refuses"],
        ),
        (system(ENABLED, "", REFUSE, "", ""), &["pod-refuses"]),
        (system(ENABLED, "", "", REFUSE, ""), &["annotation-refuses"]),
        (system(ENABLED, "", "", "", host), &["host-network"]),
        // Which revisions there are, files without an injector do not say.
        (system("istio.io/rev: stable", "", "", "", ""), &[]),
    ] {
        assert_eq!(both("injected", &yaml), expected, "{yaml}");
    }
}

#[test]
fn a_revision_that_files_cannot_show_is_unknown_and_one_that_a_cluster_lacks_is_absent() {
    let yaml = system("istio.io/rev: stable", "", "", "", "");
    assert!(!judged("entry_injected", &yaml).unknown.is_empty());
    let webhook = r#"
---
{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: i, labels: {istio.io/rev: default}},
  webhooks: [{name: rev.namespace.sidecar-injector.istio.io, namespaceSelector: {matchLabels: {istio.io/rev: default}},
    rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
"#;
    assert_eq!(both("injected", &(yaml + webhook)), ["no-such-revision"]);
}

#[test]
fn a_service_that_is_not_there_is_told_where_it_is_declared() {
    let yaml = system(ENABLED, "", "", "", "").replace("name: web}, services", "name: wub}, services");
    let found = judged("entry_injected", &yaml);
    assert_eq!(codes(&found), ["entry-absent"]);
    assert_eq!(&*found.findings[0].1.path, "/spec/entry");
}

#[test]
fn what_is_not_declared_is_unknown() {
    let found = judged(
        "entry_injected",
        "{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}}",
    );
    assert_eq!((codes(&found), found.unknown.len()), (vec![], 1));
}

#[test]
fn each_trap_has_its_code() {
    for (yaml, expected) in [
        (system(ENABLED, "", "", "", ""), &[][..]),
        (system(ENABLED, "", INJECT, "", ""), &[]),
        (system(ENABLED, "", "", INJECT, ""), &["annotation-asks"]),
        (system(ENABLED, "", INJECT, REFUSE, ""), &["annotation-hidden"]),
        (system(ENABLED, INJECT, "", "", ""), &["label-on-owner"]),
        (
            system(ENABLED, "", r#""sidecar.istio.io/inject": "yes""#, "", ""),
            &["odd-inject-value"],
        ),
        (
            system("istio-injection: enabled, istio.io/rev: a", "", "", "", ""),
            &["revision-hidden"],
        ),
        (
            system(ENABLED, "", "istio.io/rev: b", "", ""),
            &["pod-revision-hidden"],
        ),
    ] {
        assert_eq!(both("traps", &yaml), expected, "{yaml}");
    }
}

/// A pod of `web`, as it runs.
fn pod(containers: &str, created: &str) -> String {
    format!(
        r#"
---
{{apiVersion: apps/v1, kind: ReplicaSet, metadata: {{name: web-1, namespace: a, ownerReferences: [{{kind: Deployment, name: web, controller: true}}]}}}}
---
{{apiVersion: v1, kind: Pod, metadata: {{name: web-1-x, namespace: a, labels: {{app: web}}, creationTimestamp: "{created}",
  annotations: {{"sidecar.istio.io/status": "{{}}", "istio.io/rev": default}},
  ownerReferences: [{{kind: ReplicaSet, name: web-1, controller: true}}]}}, spec: {{containers: [{containers}]}}, status: {{phase: Running}}}}
"#
    )
}

#[test]
fn a_label_without_a_restart_is_found_unless_a_rollout_is_in_progress() {
    let old = "2026-01-01T00:00:00Z";
    let (plain, proxied) = ("{name: app}", "{name: app}, {name: istio-proxy}");
    for (labels, containers, created, expected, known) in [
        (ENABLED, proxied, old, &[][..], true),
        (ENABLED, plain, old, &["entry-not-restarted"], true),
        ("", proxied, old, &["entry-loses-proxy"], true),
        ("", plain, old, &[], true),
        (ENABLED, plain, "2026-01-01T11:55:00Z", &[], false),
    ] {
        let yaml = system(labels, "", "", "", "") + &pod(containers, created);
        let found = judged_running("entry_restarted", &yaml);
        assert_eq!(codes(&found), expected, "{labels} {containers} {created}");
        assert_eq!(found.unknown.is_empty(), known, "{:?}", found.unknown);
    }
    let files = judged("entry_restarted", &system(ENABLED, "", "", "", ""));
    assert!(!files.unknown.is_empty());
}

#[test]
fn what_stops_a_pod_is_an_error_and_what_istio_brings_everywhere_is_only_told() {
    let plain = judged("entry_preflight", &system(ENABLED, "", "", "", ""));
    assert!(
        plain
            .findings
            .iter()
            .all(|(code, ..)| code.severity == crate::judge::Severity::Info)
    );
    assert!(both("preflight", &system(ENABLED, "", "", "", "")).contains(&"single-replica".into()));
    let restricted = r#"istio-injection: enabled, "pod-security.kubernetes.io/enforce": restricted"#;
    assert!(both("preflight", &system(restricted, "", "", "", "")).contains(&"pod-security".into()));
    let own = "securityContext: {runAsUser: 1337},";
    assert!(both("preflight", &system(ENABLED, "", "", "", own)).contains(&"proxy-user".into()));
}

/// The same documents for both services, whose namespace is SPACE and whose name is NAME.
fn each(yaml: &str) -> String {
    let of = |space: &str, name: &str| yaml.replace("SPACE", space).replace("NAME", name);
    format!("\n---\n{}\n---\n{}", of("a", "web"), of("b", "users"))
}

/// The injector's own ConfigMap.
fn injector(config: &str, values: &str) -> String {
    format!(
        "\n---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: istio-sidecar-injector, namespace: istio-system}}, data: {{config: \"{config}\", values: \"{values}\"}}}}"
    )
}

#[test]
fn the_injectors_own_mind_is_told_too() {
    let enabled = system(ENABLED, "", "", "", "");
    for (config, expected) in [
        ("policy: enabled", &[][..]),
        ("policy: disabled", &["injector-policy"]),
        ("policy: odd", &["injector-policy"]),
        (
            "{policy: enabled, neverInjectSelector: [{matchExpressions: [{key: app, operator: Exists}]}]}",
            &["never-selected"],
        ),
    ] {
        assert_eq!(
            both("injected", &(enabled.clone() + &injector(config, ""))),
            expected,
            "{config}"
        );
    }
    let system_space = enabled
        .replace("namespace: a,", "namespace: kube-system,")
        .replace("namespace: a}", "namespace: kube-system}");
    let system_space = system_space.replace("name: a,", "name: kube-system,");
    assert_eq!(
        codes(&judged("entry_injected", &system_space)),
        ["entry-system-namespace"]
    );
    assert_eq!(
        codes(&judged_as_it_is("entry_injected", &enabled)),
        ["entry-no-injector"]
    );
}

#[test]
fn a_proxy_of_another_revision_is_told() {
    let proxied = pod("{name: app}, {name: istio-proxy}", "2026-01-01T00:00:00Z");
    let other = proxied.replace(r#""istio.io/rev": default"#, r#""istio.io/rev": old"#);
    let found = judged_running("entry_restarted", &(system(ENABLED, "", "", "", "") + &other));
    assert_eq!(codes(&found), ["entry-other-revision"]);
    assert_eq!(
        (&*found.findings[0].2["has"], &*found.findings[0].2["gets"]),
        ("old", "default")
    );
}

#[test]
fn each_concern_has_its_code() {
    let plain = || system(ENABLED, "", "", "", "");
    let spec = |spec: &str| system(ENABLED, "", "", "", spec);
    let app = |more: &str| plain().replace("{name: app}]", &format!("{{name: app, {more}}}]"));
    let strategy = |strategy: &str| {
        plain().replace(
            "spec: {template: {",
            &format!("spec: {{strategy: {{{strategy}}}, template: {{"),
        )
    };
    let restricted = r#"istio-injection: enabled, "pod-security.kubernetes.io/enforce": restricted"#;
    let quiet = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: SPACE}, spec: {podSelector: {}, policyTypes: [Egress]}}";
    let istiod = "\n---\n{apiVersion: v1, kind: Service, metadata: {name: istiod, namespace: istio-system}, spec: {selector: {app: istiod}}}";
    let closed = "\n---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: istio-system}, spec: {podSelector: {}, policyTypes: [Ingress]}}";
    let shut = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: SPACE}, spec: {podSelector: {}, policyTypes: [Ingress]}}";
    let quota = "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q, namespace: SPACE}, spec: {hard: {HARD}}, status: {used: {HARD}}}";
    let range = "{apiVersion: v1, kind: LimitRange, metadata: {name: r, namespace: SPACE}, spec: {limits: [{type: Container, max: {cpu: 10m, memory: 1Mi}}]}}";
    let scaler = "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h, namespace: SPACE}, spec: {scaleTargetRef: {kind: Deployment, name: NAME}}}";
    let budget = "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: d, namespace: SPACE}, spec: {selector: {}}}";
    let set = |strategy: &str| {
        let sets = plain().replace("kind: Deployment", "kind: StatefulSet");
        sets.replace("spec: {template: {", &format!("spec: {{{strategy} template: {{"))
    };
    let without = both("preflight", &plain());
    for (yaml, code) in [
        (system(restricted, "", "", "", ""), "pod-security"),
        (
            system(restricted, "", "", "", "")
                + &injector("policy: enabled", "{pilot: {cni: {enabled: true}}}"),
            "seccomp",
        ),
        (spec("securityContext: {runAsUser: 1337},"), "proxy-user"),
        (app("ports: [{containerPort: 15001}]"), "port-of-proxy"),
        (spec("hostNetwork: true,"), "on-host-network"),
        (spec("dnsPolicy: Default,"), "dns-policy"),
        (
            system(ENABLED, "", "", r#""sidecar.istio.io/proxyCPU": 10m"#, "")
                + &each(&quota.replace("HARD", "limits.cpu: '1'")),
            "quota-demands",
        ),
        (plain() + &each(range), "limit-range"),
        (plain() + istiod + closed, "ingress-blocked"),
        (plain() + istiod + &each(quiet), "egress-blocked"),
        (plain() + &each(shut), "proxy-port-blocked"),
        (strategy("type: Recreate"), "recreate"),
        (
            strategy("rollingUpdate: {maxSurge: 0, maxUnavailable: 1}"),
            "no-surge",
        ),
        (strategy("rollingUpdate: {maxUnavailable: 1}"), "all-unavailable"),
        (set(""), "stateful"),
        (set("updateStrategy: {type: OnDelete},"), "on-delete"),
        (plain() + &each(scaler), "autoscaler-counts-proxy"),
        (
            plain()
                + &injector(
                    "policy: enabled",
                    "{pilot: {env: {ENABLE_NATIVE_SIDECARS: 'false'}}}",
                ),
            "starts-before-proxy",
        ),
        (app("ports: [{containerPort: 80}]"), "no-drain"),
        (
            app("livenessProbe: {httpGet: {}}")
                + &injector(
                    "policy: enabled",
                    "{sidecarInjectorWebhook: {rewriteAppHTTPProbe: false}}",
                ),
            "probes-not-rewritten",
        ),
    ] {
        let found = both("preflight", &yaml);
        assert!(found.contains(&code.to_owned()), "{code}: {found:?} {yaml}");
        assert!(!without.contains(&code.to_owned()), "{code}");
    }
    assert!(without.contains(&"no-budget".to_owned()));
    let covered = both("preflight", &(plain() + &each(budget)));
    assert!(!covered.contains(&"no-budget".to_owned()), "{covered:?}");
}

#[test]
fn a_quota_is_counted_for_the_pods_that_have_no_proxy_yet() {
    let quota = |left: &str| {
        format!(
            "\n---\n{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: q, namespace: a}}, spec: {{hard: {{requests.cpu: {left}}}}}, status: {{used: {{requests.cpu: '1'}}}}}}"
        )
    };
    let found = |left: &str| {
        let yaml =
            system(ENABLED, "", "", "", "") + &pod("{name: app}", "2026-01-01T00:00:00Z") + &quota(left);
        codes(&judged_running("entry_preflight", &yaml)).contains(&"entry-quota")
    };
    assert!(found("1050m") && !found("'2'"));
}

#[test]
fn an_istiod_without_a_ready_pod_stops_every_pod() {
    let istiod = "
---
{apiVersion: v1, kind: Service, metadata: {name: istiod, namespace: istio-system}, spec: {selector: {app: istiod}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: istio-system}, spec: {template: {metadata: {labels: {app: istiod}}, spec: {containers: [{name: discovery}]}}},
  status: {readyReplicas: READY}}
";
    for (ready, expected) in [("0", true), ("1", false)] {
        let yaml = system(ENABLED, "", "", "", "") + &istiod.replace("READY", ready);
        let found = judged_running("entry_preflight", &yaml);
        assert_eq!(codes(&found).contains(&"entry-injector-not-ready"), expected);
        let files = judged("entry_preflight", &yaml);
        assert!(!codes(&files).contains(&"entry-injector-not-ready"));
    }
}
