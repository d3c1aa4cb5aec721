use super::{Effective, destination_rule};
use crate::{
    Why,
    fact::Labels,
    manifests,
    mesh::{Mesh, Proxy},
    object::Kind,
    snapshot::{KindState, Objects},
};
use serde_json::{Value, json};

const HOST: &str = "web.shop.svc.cluster.local";

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()
}

fn client(namespace: &str) -> Proxy {
    Proxy::sidecar(namespace, labels(&[("app", "client")]))
}

/// A rule with one subset that bears the rule's own name.
fn rule(name: &str, namespace: &str, spec: &Value) -> Value {
    let mut whole = json!({"host": HOST, "subsets": [{"name": name, "labels": {"version": name}}]});
    for (key, value) in spec.as_object().unwrap() {
        whole[key] = value.clone();
    }
    json!({"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
        "metadata": {"name": name, "namespace": namespace}, "spec": whole})
}

fn mesh_config(text: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": text}})
}

fn objects(documents: &[Value]) -> Objects {
    manifests::objects(documents.to_vec()).unwrap()
}

fn described(rule: Option<Effective<'_>>) -> String {
    rule.map_or_else(
        || "-".into(),
        |rule| {
            let names: Vec<&str> = rule.subsets.iter().map(|it| &*it.name).collect();
            names.join(",")
        },
    )
}

/// The subsets' names that a client sees; `-` for no rule.
fn seen_by(documents: &[Value], proxy: &Proxy, host: &str) -> String {
    let objects = objects(documents);
    let mesh = Mesh::of(&objects);
    described(destination_rule(&mesh, proxy, host).unwrap())
}

fn seen(documents: &[Value], namespace: &str) -> String {
    seen_by(documents, &client(namespace), HOST)
}

#[test]
fn the_clients_namespace_goes_before_the_services_which_goes_before_the_roots() {
    let all = [
        rule("own", "client", &json!({})),
        rule("owner", "shop", &json!({})),
        rule("root", "istio-system", &json!({})),
        rule("other", "other", &json!({})),
    ];
    assert_eq!(seen(&all, "client"), "own");
    assert_eq!(seen(&all[1..], "client"), "owner");
    assert_eq!(seen(&all[2..], "client"), "root");
    assert_eq!(seen(&all[3..], "client"), "-");
    assert_eq!(seen(&[], "client"), "-");
}

#[test]
fn a_wildcard_of_the_clients_namespace_hides_the_owners_exact_rule() {
    for host in ["*.shop.svc.cluster.local", "*.local", "*"] {
        let all = [
            rule("own", "client", &json!({"host": host})),
            rule("owner", "shop", &json!({})),
        ];
        assert_eq!(seen(&all, "client"), "own", "{host}");
        assert_eq!(seen(&all, "other"), "owner", "{host}");
    }
    let unfit = [
        rule("own", "client", &json!({"host": "*.cart.svc.cluster.local"})),
        rule("owner", "shop", &json!({})),
    ];
    assert_eq!(seen(&unfit, "client"), "owner");
}

#[test]
fn the_most_specific_host_counts_alone_whatever_its_age() {
    let old = |host: &str, name: &str, created: &str| {
        let mut rule = rule(name, "shop", &json!({"host": host}));
        rule["metadata"]["creationTimestamp"] = json!(created);
        rule
    };
    let all = [
        old("*", "all", "2020-01-01T00:00:00Z"),
        old("*.svc.cluster.local", "cluster", "2021-01-01T00:00:00Z"),
        old("*.shop.svc.cluster.local", "shop", "2022-01-01T00:00:00Z"),
        old("web", "short", "2024-01-01T00:00:00Z"),
        old(HOST, "exact", "2023-01-01T00:00:00Z"),
    ];
    assert_eq!(seen(&all, "client"), "exact,short");
    assert_eq!(seen(&all[..3], "client"), "shop");
    assert_eq!(seen(&all[..2], "client"), "cluster");
    assert_eq!(seen(&all[..1], "client"), "all");
}

#[test]
fn a_short_host_means_the_rules_own_namespace() {
    let elsewhere = [rule("own", "client", &json!({"host": "web"}))];
    assert_eq!(seen(&elsewhere, "client"), "-");
    let partial = [rule("own", "client", &json!({"host": "web.shop"}))];
    assert_eq!(seen(&partial, "client"), "-");
}

#[test]
fn exports_say_which_clients_see_a_rule() {
    for (export, same, friend, stranger) in [
        (json!(null), "r", "r", "r"),
        (json!([]), "r", "r", "r"),
        (json!(["*"]), "r", "r", "r"),
        (json!(["."]), "r", "-", "-"),
        (json!(["shop"]), "r", "-", "-"),
        (json!(["friend"]), "-", "r", "-"),
        (json!(["friend", "."]), "r", "r", "-"),
        (json!(["friend", "shop"]), "r", "r", "-"),
        (json!(["~"]), "-", "-", "-"),
    ] {
        let all = [rule("r", "shop", &json!({"exportTo": export}))];
        let seen = ["shop", "friend", "stranger"].map(|namespace| seen(&all, namespace));
        assert_eq!(seen, [same, friend, stranger], "{export}");
    }
}

#[test]
fn mesh_config_may_keep_rules_at_home_and_knows_no_other_default() {
    for (default, elsewhere) in [("['.']", "-"), ("['*']", "r"), ("['friend']", "r"), ("[]", "r")] {
        let config = mesh_config(&format!("defaultDestinationRuleExportTo: {default}"));
        let all = [rule("r", "shop", &json!({})), config];
        assert_eq!(seen(&all, "client"), elsewhere, "{default}");
        assert_eq!(seen(&all, "shop"), "r", "{default}");
    }
    let said = [
        rule("r", "shop", &json!({"exportTo": ["*"]})),
        mesh_config("defaultDestinationRuleExportTo: ['.']"),
    ];
    assert_eq!(seen(&said, "client"), "r");
}

#[test]
fn a_specific_rule_that_is_not_for_this_client_hides_wildcards_beside_it_but_not_the_root() {
    let all = [
        rule("exact", "shop", &json!({"exportTo": ["friend"]})),
        rule("wild", "shop", &json!({"host": "*.shop.svc.cluster.local"})),
    ];
    assert_eq!(seen(&all, "client"), "-");
    assert_eq!(seen(&all, "friend"), "exact");
    // A rule that stays at home is not even looked at.
    let home = [
        rule("exact", "shop", &json!({"exportTo": ["."]})),
        rule("wild", "shop", &json!({"host": "*.shop.svc.cluster.local"})),
    ];
    assert_eq!(seen(&home, "client"), "wild");
    let root = [
        rule("exact", "shop", &json!({"exportTo": ["friend"]})),
        rule("root", "istio-system", &json!({"host": "*"})),
    ];
    assert_eq!(seen(&root, "client"), "root");
}

#[test]
fn the_roots_own_proxies_ask_the_service_first() {
    let all = [
        rule("owner", "shop", &json!({})),
        rule("root", "istio-system", &json!({})),
    ];
    assert_eq!(seen(&all, "istio-system"), "owner");
    assert_eq!(seen(&all[1..], "istio-system"), "root");
    // What the root namespace keeps for itself is meant for its own proxies.
    for home in [".", "istio-system"] {
        let own = [
            rule("owner", "shop", &json!({})),
            rule("root", "istio-system", &json!({"exportTo": [home]})),
        ];
        assert_eq!(seen(&own, "istio-system"), "root", "{home}");
        assert_eq!(seen(&own[1..], "client"), "-", "{home}");
    }
    let gateway = Proxy::gateway("istio-system", Labels::new());
    assert_eq!(seen_by(&all, &gateway, HOST), "owner");
}

#[test]
fn mesh_config_names_the_root() {
    let all = [
        rule("root", "mesh", &json!({})),
        rule("no", "istio-system", &json!({})),
        mesh_config("rootNamespace: mesh"),
    ];
    assert_eq!(seen(&all, "client"), "root");
}

#[test]
fn of_one_host_the_oldest_stands_and_younger_ones_add_what_is_missing() {
    let dated = |name: &str, created: &str, spec: &Value| {
        let mut rule = rule(name, "shop", spec);
        rule["metadata"]["creationTimestamp"] = json!(created);
        rule
    };
    let policy = |port: u16| json!({"connectionPool": {"tcp": {"maxConnections": port}}});
    let young = json!({"trafficPolicy": policy(2), "subsets": [
        {"name": "a", "labels": {"version": "young"}}, {"name": "b", "labels": {"version": "young"}}]});
    let old = json!({"subsets": [{"name": "a", "labels": {"version": "old"}}]});
    let middle = json!({"trafficPolicy": policy(1), "subsets": []});
    let documents = [
        dated("x-young", "2023-01-01T00:00:00Z", &young),
        dated("y-old", "2021-01-01T00:00:00Z", &old),
        dated("z-middle", "2022-01-01T00:00:00Z", &middle),
    ];
    let objects = objects(&documents);
    let mesh = Mesh::of(&objects);
    let effective = destination_rule(&mesh, &client("client"), HOST).unwrap().unwrap();
    let version = |name: &str| effective.subset(name).unwrap().labels.get("version").cloned();
    assert_eq!(version("a").as_deref(), Some("old"));
    assert_eq!(version("b").as_deref(), Some("young"));
    assert_eq!(effective.subset("c"), None);
    let names: Vec<&str> = effective.rules.iter().map(|rule| &*rule.key().name).collect();
    assert_eq!(names, ["y-old", "z-middle", "x-young"]);
    let policy = effective.policy.as_ref().unwrap();
    assert_eq!(&*policy.decider().key.name, "z-middle");
    assert_eq!(&*policy.decider().path, "/spec/trafficPolicy");
    assert_eq!(&*effective.decider().unwrap().key.name, "y-old");
    assert_eq!(&*effective.decider().unwrap().path, "/spec/host");
    assert_eq!(
        &*effective.subset("b").unwrap().at.decider().path,
        "/spec/subsets/1"
    );
    assert_eq!(&*effective.host, HOST);
    assert!(!effective.selects());
}

#[test]
fn names_decide_between_rules_of_one_age_and_an_empty_policy_is_one() {
    let documents = [
        rule("b", "shop", &json!({"trafficPolicy": {"tls": {}}})),
        rule("a", "shop", &json!({"trafficPolicy": {}})),
        rule("0", "shop", &json!({"trafficPolicy": null})),
    ];
    let objects = objects(&documents);
    let mesh = Mesh::of(&objects);
    let effective = destination_rule(&mesh, &client("client"), HOST).unwrap().unwrap();
    assert_eq!(&*effective.policy.unwrap().key.name, "a");
    let names: Vec<&str> = effective.subsets.iter().map(|it| &*it.name).collect();
    assert_eq!(names, ["0", "a", "b"]);
}

#[test]
fn rules_with_different_exports_are_kept_apart_and_the_youngest_counts() {
    // To the namespace's own clients both are there, one beside the other.
    let apart = [
        rule("a", "shop", &json!({"exportTo": ["."]})),
        rule("b", "shop", &json!({"exportTo": ["*"]})),
    ];
    assert_eq!(seen(&apart, "shop"), "b");
    assert_eq!(seen(&apart, "client"), "b");
    let none = [
        rule("a", "shop", &json!({})),
        rule("b", "shop", &json!({"exportTo": ["*"]})),
    ];
    assert_eq!(seen(&none, "client"), "b");
    let same = [
        rule("a", "shop", &json!({"exportTo": ["x", "client"]})),
        rule("b", "shop", &json!({"exportTo": ["client", "x"]})),
    ];
    assert_eq!(seen(&same, "client"), "a,b");
    // A wider one is merged into a narrower older one, and is no longer there for the others.
    let wider = [
        rule("a", "shop", &json!({"exportTo": ["client", "y"]})),
        rule("b", "shop", &json!({"exportTo": ["client", "y", "friend"]})),
    ];
    assert_eq!(seen(&wider, "client"), "a,b");
    assert_eq!(seen(&wider, "friend"), "-");
    let narrower = [
        rule("a", "shop", &json!({"exportTo": ["client", "y", "friend"]})),
        rule("b", "shop", &json!({"exportTo": ["client", "y"]})),
    ];
    assert_eq!(seen(&narrower, "client"), "b");
    assert_eq!(seen(&narrower, "friend"), "a");
}

#[test]
fn a_selector_picks_clients_of_the_rules_own_namespace() {
    let select = |app: &str| json!({"workloadSelector": {"matchLabels": {"app": app}}});
    let all = [
        rule("all", "client", &json!({})),
        rule("some", "client", &select("client")),
        rule("owner", "shop", &json!({})),
    ];
    assert_eq!(seen(&all, "client"), "some");
    let stranger = Proxy::sidecar("client", labels(&[("app", "stranger")]));
    assert_eq!(seen_by(&all, &stranger, HOST), "all");
    // Elsewhere it does not count, whatever it exports.
    let mut exported = rule("some", "shop", &select("client"));
    exported["spec"]["exportTo"] = json!(["*"]);
    assert_eq!(seen(&[exported.clone()], "client"), "-");
    assert_eq!(seen(&[exported], "shop"), "some");
    // Where only rules with selectors are there, a client that none picks has no rule at all, not even the owner's.
    assert_eq!(seen_by(&all[1..], &stranger, HOST), "-");
    let empty = [
        rule("all", "client", &json!({})),
        rule("some", "client", &json!({"workloadSelector": {}})),
    ];
    assert_eq!(seen_by(&empty, &stranger, HOST), "some");
}

#[test]
fn rules_with_one_selector_are_merged_and_others_kept_apart() {
    let select = |app: &str| json!({"workloadSelector": {"matchLabels": {"app": app}}});
    let all = [
        rule("a", "client", &select("client")),
        rule("b", "client", &select("client")),
        rule("c", "client", &select("other")),
    ];
    let objects = objects(&all);
    let mesh = Mesh::of(&objects);
    let effective = destination_rule(&mesh, &client("client"), HOST).unwrap().unwrap();
    assert!(effective.selects());
    assert_eq!(described(Some(effective)), "a,b");
    let other = Proxy::sidecar("client", labels(&[("app", "other")]));
    assert_eq!(seen_by(&all, &other, HOST), "c");
}

#[test]
fn a_rule_that_stays_at_home_disappears_into_one_with_a_selector() {
    let all = [
        rule(
            "some",
            "client",
            &json!({"workloadSelector": {"matchLabels": {"app": "client"}}}),
        ),
        rule("home", "client", &json!({"exportTo": ["."]})),
    ];
    assert_eq!(seen(&all, "client"), "some,home");
    let stranger = Proxy::sidecar("client", Labels::new());
    assert_eq!(seen_by(&all, &stranger, HOST), "-");
}

#[test]
fn hosts_outside_the_cluster_belong_to_their_service_entrys_namespace() {
    let entry = |namespace: &str| {
        json!({"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": {"name": "e", "namespace": namespace},
            "spec": {"hosts": ["api.example.com", "*.wild.example"]}})
    };
    let outside = |namespace: &str, host: &str| rule("r", namespace, &json!({"host": host}));
    let ask = |documents: &[Value], host: &str| seen_by(documents, &client("client"), host);
    let all = [entry("ext"), outside("ext", "api.example.com")];
    assert_eq!(ask(&all, "api.example.com"), "r");
    assert_eq!(ask(&all[1..], "api.example.com"), "-");
    assert_eq!(
        ask(
            &[entry("ext"), outside("shop", "api.example.com")],
            "api.example.com"
        ),
        "-"
    );
    let wild = [entry("ext"), outside("ext", "*.example")];
    assert_eq!(ask(&wild, "*.wild.example"), "r");
    let exact = [
        entry("ext"),
        outside("ext", "*.wild.example"),
        rule("w", "ext", &json!({"host": "*"})),
    ];
    assert_eq!(ask(&exact, "*.wild.example"), "r");
    let objects = objects(&[entry("one"), entry("two"), outside("one", "api.example.com")]);
    let mesh = Mesh::of(&objects);
    let whys = destination_rule(&mesh, &client("client"), "api.example.com").unwrap_err();
    assert_eq!(whys.len(), 2);
}

#[test]
fn what_is_not_known_is_said() {
    let documents = [rule("r", "shop", &json!({}))];
    let told = |forget: &[Kind], host: &str| {
        let mut objects = objects(&documents);
        for kind in forget {
            objects.kinds.insert(*kind, KindState::NotYet);
        }
        destination_rule(&Mesh::of(&objects), &client("client"), host).map(described)
    };
    assert_eq!(told(&[], HOST).unwrap(), "r");
    assert_eq!(told(&[Kind::DestinationRule], HOST).unwrap_err().len(), 1);
    assert_eq!(told(&[Kind::ConfigMap], HOST).unwrap_err().len(), 1);
    assert_eq!(told(&[Kind::ServiceEntry], HOST).unwrap(), "r");
    assert!(matches!(
        told(&[Kind::ServiceEntry], "api.example.com").unwrap_err()[..],
        [Why::NotYet { .. }]
    ));
}

#[test]
fn nonsense_defines_nothing_and_panics_nowhere() {
    for spec in [
        json!({"subsets": 3}),
        json!({"subsets": [null, 7, {"name": 4}]}),
        json!({"exportTo": 5}),
        json!({"workloadSelector": 4}),
        json!({"trafficPolicy": "x"}),
    ] {
        let objects = objects(&[rule("r", "shop", &spec)]);
        let mesh = Mesh::of(&objects);
        let effective = destination_rule(&mesh, &client("client"), HOST).unwrap().unwrap();
        assert_eq!(effective.subset("v1"), None, "{spec}");
    }
}
