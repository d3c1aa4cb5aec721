//! Hosts of the registry: other names of a service, and one name that several have.

use crate::{
    Name, manifests,
    mesh::{
        Mesh, Proxy,
        host::registry,
        route::{self, Outcome, Request},
    },
    snapshot::Objects,
};
use serde_json::{Value, json};

fn world(objects: impl IntoIterator<Item = Value>) -> Objects {
    manifests::objects(objects).unwrap()
}

fn service(namespace: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "spec": spec,
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": "2026-01-02T00:00:00Z"}})
}

/// It is older than the services.
fn entry(namespace: &str, host: &str) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry",
        "metadata": {"name": "e", "namespace": namespace, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"hosts": [host], "resolution": "STATIC", "ports": [{"number": 81, "name": "http", "protocol": "HTTP"}]}})
}

#[test]
fn an_alias_stands_for_the_end_of_its_chain_and_a_circle_for_nothing() {
    let alias = |name: &str, of: &str| {
        service(
            "shop",
            name,
            &json!({"type": "ExternalName", "externalName": format!("{of}.shop.svc.cluster.local")}),
        )
    };
    let objects = world([
        service("shop", "web", &json!({"clusterIP": "10.0.0.1"})),
        alias("a", "b"),
        alias("b", "web"),
        alias("round", "about"),
        alias("about", "round"),
    ]);
    let mut aliases: Vec<(Name, Vec<Name>)> = registry::all(&Mesh::of(&objects))
        .all
        .into_iter()
        .filter(|it| !it.aliases.is_empty())
        .map(|it| (it.host.clone(), it.aliases.clone()))
        .collect();
    let full = |name: &str| Name::from(format!("{name}.shop.svc.cluster.local"));
    let (host, names) = aliases.pop().unwrap();
    assert!(aliases.is_empty(), "only the end of a chain has other names");
    assert_eq!((host, names), (full("web"), vec![full("a"), full("b")]));
}

#[test]
fn of_one_host_a_sidecar_takes_its_namespaces_own_then_the_service_then_the_first() {
    let web = || {
        service(
            "bank",
            "pay",
            &json!({"clusterIP": "10.0.0.1", "ports": [{"name": "http", "port": 80}]}),
        )
    };
    let host = "pay.bank.svc.cluster.local";
    // The entry speaks on 81, the Service on 80.
    for (of_entry, of_caller, port) in [
        ("third", "shop", 80),
        ("shop", "shop", 81),
        ("third", "bank", 80),
        ("third", "third", 81),
    ] {
        let everything = json!({"apiVersion": "networking.istio.io/v1", "kind": "Sidecar",
            "metadata": {"name": "s", "namespace": of_caller}, "spec": {"egress": [{"hosts": ["*/*"]}]}});
        let objects = world([web(), entry(of_entry, host), everything]);
        let proxy = Proxy::sidecar(of_caller, [].into());
        let sent = |port: u16| {
            let choice = route::choose(&Mesh::of(&objects), &proxy, &Request::get(host, port));
            matches!(choice.outcome, Outcome::Sent(_))
        };
        assert_eq!(
            (sent(port), sent(161 - port)),
            (true, false),
            "{of_entry} {of_caller}"
        );
    }
}
