//! A system of any size, to measure memory and time on.

use super::{
    Manifests,
    istio::installed,
    manifest::{Deployed, deployment, namespace, object, service},
};
use naru_domain::{Name, object::Kind, traffic::Protocol};
use serde_json::{Value, json};

/// The namespace of callers without a proxy.
pub const OUTSIDE: &str = "batch";

/// The ingress gateway's namespace and workload.
pub const GATEWAY: (&str, &str) = ("istio-system", "istio-ingressgateway");

/// One service of a sized world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its namespace.
    pub namespace: Name,
    /// Its name, which its service account and the label `app` share.
    pub name: Name,
    /// What it speaks.
    pub protocol: Protocol,
    /// Two versions, of which `v2` gets a tenth of what comes from inside the mesh.
    pub canary: bool,
}

impl Member {
    /// Service `s` of namespace `n`, if each namespace has `each`. The last of three or more is a database, one in eight speaks gRPC, one
    /// in ten is a canary.
    pub fn of(n: u32, s: u32, each: u32) -> Self {
        let protocol = match s {
            _ if each > 2 && s + 1 == each => Protocol::Tcp,
            _ if s % 8 == 5 => Protocol::Grpc,
            _ => Protocol::Http,
        };
        Self {
            namespace: team(n).into(),
            name: format!("service-{:04}", n * each + s).into(),
            protocol,
            canary: protocol != Protocol::Tcp && (n * 7 + s * 3).is_multiple_of(10),
        }
    }

    /// Its workloads; the first has most pods.
    pub fn workloads(&self) -> impl Iterator<Item = Name> {
        let versions: &[&str] = if self.canary { &["v1", "v2"] } else { &["v1"] };
        versions
            .iter()
            .map(|version| format!("{}-{version}", self.name).into())
    }

    fn port(&self) -> (&'static str, u16, u16) {
        match self.protocol {
            Protocol::Http => ("http", 80, 8080),
            Protocol::Grpc => ("grpc", 80, 8080),
            Protocol::Tcp => ("tcp-postgres", 5432, 5432),
        }
    }
}

/// The host that people ask the gateway for to come to a namespace.
pub fn host(n: u32) -> String {
    format!("{}.example.com", team(n))
}

/// The caller without a proxy that belongs to this namespace: one in four has one.
pub fn importer(n: u32) -> Option<String> {
    n.is_multiple_of(4).then(|| format!("import-{n:03}"))
}

fn team(n: u32) -> String {
    format!("team-{n:03}")
}

/// `namespaces` namespaces of `services` services of `pods` pods (canaries have at least two), all in the mesh, with service accounts of
/// their own; before them a gateway, beside them callers outside the mesh. The numbers are at least one each.
pub fn sized(namespaces: u32, services: u32, pods: u32) -> Manifests {
    let (namespaces, services) = (namespaces.max(1), services.max(1));
    let plain = json!({});
    let mut all: Manifests = (0..namespaces)
        .map(|n| namespace(&team(n), &json!({"istio-injection": "enabled"})))
        .chain([GATEWAY.0, OUTSIDE].map(|name| namespace(name, &plain)))
        .collect();
    all.extend(installed());
    all.extend(gateway());
    for n in 0..namespaces {
        for s in 0..services {
            all.extend(member(&Member::of(n, s, services), pods.max(1)));
        }
        let first = Member::of(n, 0, services);
        let routes = json!({"hosts": [host(n)], "gateways": [format!("{}/edge", GATEWAY.0)],
            "http": [{"route": [{"destination": {"host": &*first.name, "port": {"number": first.port().1}}}]}]});
        all.push(object(Kind::VirtualService, &first.namespace, "edge", &routes));
        if let Some(name) = importer(n) {
            all.push(deployed(OUTSIDE, &name, &name, "", 1, 0));
        }
    }
    all
}

fn member(it: &Member, pods: u32) -> Manifests {
    let (place, name) = (&*it.namespace, &*it.name);
    let (port_name, port, target) = it.port();
    let mut all = vec![service(place, name, name, &[(port_name, port, target)])];
    let mut left = if it.canary { pods.max(2) } else { pods };
    // From the last version to the first, which gets the rest.
    let versions: Vec<Name> = it.workloads().collect();
    for (n, workload) in versions.iter().enumerate().rev() {
        let replicas = if n == 0 { left } else { 1 };
        left -= replicas;
        let version = format!("v{}", n + 1);
        all.push(deployed(place, workload, name, &version, replicas, target));
    }
    if it.canary {
        let to = |subset: &str, weight: u32| json!({"destination": {"host": name, "subset": subset}, "weight": weight});
        let subset = |version: &str| json!({"name": version, "labels": {"version": version}});
        let subsets = json!({"host": name, "subsets": [subset("v1"), subset("v2")]});
        all.push(object(Kind::DestinationRule, place, name, &subsets));
        let routes = json!({"hosts": [name], "http": [{"route": [to("v1", 90), to("v2", 10)]}]});
        all.push(object(Kind::VirtualService, place, name, &routes));
    }
    all
}

fn deployed(
    namespace: &str,
    name: &str,
    app: &str,
    version: &str,
    replicas: u32,
    port: u16,
) -> (Kind, Value) {
    let image = format!("registry.local/{app}:1.0.0");
    deployment(&Deployed {
        namespace,
        name,
        app,
        version,
        replicas,
        port,
        image: &image,
    })
}

fn gateway() -> Manifests {
    let (place, name) = GATEWAY;
    let mut gateway = deployed(place, name, name, "", 2, 8080);
    // A gateway's only container is its proxy; `istio` is what Gateways select by.
    let template = &mut gateway.1["spec"]["template"];
    template["spec"]["containers"][0]["name"] = "istio-proxy".into();
    template["metadata"]["labels"]["istio"] = "ingressgateway".into();
    template["metadata"]["labels"]["sidecar.istio.io/inject"] = "false".into();
    let servers = json!([{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]);
    vec![
        service(place, name, name, &[("http2", 80, 8080)]),
        gateway,
        object(
            Kind::Gateway,
            place,
            "edge",
            &json!({"selector": {"istio": "ingressgateway"}, "servers": servers}),
        ),
    ]
}
