//! What one sidecar does with requests, by situations.
#![expect(clippy::needless_pass_by_value, reason = "situations are written in place")]

mod acting;
mod bytes;
mod deciders;
mod delegates;
mod hosts;
mod matching;
mod scope;

use super::{Choice, Missing, Outcome, Protocol, Request, Retries, Table, choose};
use crate::{
    Name, Why, manifests,
    mesh::{Mesh, Proxy},
    object::Kind,
    snapshot::Objects,
};
use serde_json::{Value, json};

fn service(namespace: &str, name: &str, ip: &str, ports: &[(u16, &str)]) -> Value {
    let ports: Vec<Value> = ports
        .iter()
        .map(|(port, name)| json!({"port": port, "name": name}))
        .collect();
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": ip, "ports": ports}})
}

fn istio(kind: &str, namespace: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec})
}

fn rules(name: &str, spec: Value) -> Value {
    istio("VirtualService", "shop", name, spec)
}

fn aged(mut object: Value, at: &str) -> Value {
    object["metadata"]["creationTimestamp"] = json!(at);
    object
}

/// `web` and `api` of `shop`, `db` (TCP), `odd` (sniffed) and `safe` (TLS); `pay` of `bank`.
fn world(more: impl IntoIterator<Item = Value>) -> Objects {
    let services = [
        service("shop", "web", "10.0.0.1", &[(80, "http")]),
        service("shop", "api", "10.0.0.2", &[(8080, "http"), (80, "http-old")]),
        service("shop", "db", "10.0.0.3", &[(5432, "tcp")]),
        service("shop", "odd", "10.0.0.4", &[(9000, "")]),
        service("shop", "safe", "10.0.0.5", &[(443, "https")]),
        service("bank", "pay", "10.0.0.6", &[(80, "http")]),
    ];
    manifests::objects(services.into_iter().chain(more)).unwrap()
}

fn caller() -> Proxy {
    Proxy::sidecar("shop", [("app".into(), "caller".into())].into())
}

fn ask(objects: &Objects, request: &Request) -> Choice {
    choose(&Mesh::of(objects), &caller(), request)
}

fn get(objects: &Objects, host: &str, port: u16) -> Choice {
    ask(objects, &Request::get(host, port))
}

/// `host:port/subset weight`, with `!` and what is missing.
fn told(choice: &Choice) -> String {
    match &choice.outcome {
        Outcome::Sent(shares) => {
            let one = |it: &super::Share| {
                let subset = if it.destination.subset.is_empty() {
                    String::new()
                } else {
                    format!("/{}", it.destination.subset)
                };
                let missing = it.missing.map_or(String::new(), |it| format!("!{it:?}"));
                let host = it.destination.host.replace(".svc.cluster.local", "");
                format!("{host}:{}{subset} {}{missing}", it.destination.port, it.weight)
            };
            shares.iter().map(one).collect::<Vec<_>>().join(", ")
        }
        Outcome::Unknown(whys) => {
            assert!(!whys.is_empty(), "what is not known has a reason");
            "Unknown".into()
        }
        other => format!("{other:?}"),
    }
}

fn to(host: &str) -> Value {
    json!([{"destination": {"host": host}}])
}
