//! The system that Naru was first built for, midway on its crossing: Nginx at oauth.buildingbite.com → Istio's ingress gateway →
//! Spring Cloud Gateway → user-service (v1 and v2), product-service, Keycloak; a batch job outside the mesh still calls in plaintext.

use super::{
    Manifests,
    manifest::{Deployed, deployment, lone_pod, namespace, object, service},
};
use naru_domain::object::Kind;
use serde_json::{Value, json};

/// The host that the system is reached by.
pub const HOST: &str = "oauth.buildingbite.com";

/// The static address of its edge (from the range for documentation, RFC 5737).
pub const ADDRESS: &str = "203.0.113.10";

/// All objects. With `header_rule`, requests with the header `canary: true` go to v2 whatever the weights.
pub fn guide(header_rule: bool) -> Manifests {
    // Before the workloads: what injects them.
    let mut all = namespaces();
    all.extend(super::istio::installed());
    all.extend(edge());
    all.extend(apps());
    all.extend(mesh(header_rule));
    all.push(migration());
    all
}

/// The same before its crossing: Istio is installed, nothing is in the mesh, Nginx leads straight to the application's gateway, and a
/// job calls product-service in plaintext each night.
pub fn before() -> Manifests {
    let mut all = namespaces();
    for (_, json) in &mut all {
        if let Some(labels) = json
            .pointer_mut("/metadata/labels")
            .and_then(Value::as_object_mut)
        {
            labels.shift_remove("istio-injection");
        }
    }
    all.extend(super::istio::installed());
    let mut rest = edge();
    rest.retain(|(kind, _)| *kind != Kind::Ingress);
    rest.extend(apps());
    rest.retain(|(_, json)| json.pointer("/metadata/labels/app") != Some(&json!("price-sync")));
    all.extend(rest);
    // The address that DNS points to is Nginx's, before the crossing and after it.
    if let Some((_, nginx)) = all
        .iter_mut()
        .find(|(kind, json)| *kind == Kind::Service && json["metadata"]["name"] == "ingress-nginx-controller")
    {
        nginx["spec"]["type"] = "LoadBalancer".into();
        nginx["spec"]["loadBalancerIP"] = ADDRESS.into();
        nginx["status"] = json!({"loadBalancer": {"ingress": [{"ip": ADDRESS}]}});
    }
    all.push(object(
        Kind::Ingress,
        "default",
        "sangsang",
        &json!({"ingressClassName": "nginx", "tls": [{"hosts": [HOST], "secretName": "oauth-buildingbite-com-tls"}],
            "rules": [{"host": HOST, "http": {"paths": [{"path": "/", "pathType": "Prefix",
                "backend": {"service": {"name": "sangsang-plus-gateway", "port": {"number": 8080}}}}]}}]}),
    ));
    let labels = json!({"app": "price-sync"});
    all.push(object(
        Kind::CronJob,
        "batch",
        "price-sync",
        &json!({"schedule": "30 2 * * *", "concurrencyPolicy": "Forbid", "successfulJobsHistoryLimit": 3,
            "jobTemplate": {"spec": {"activeDeadlineSeconds": 300, "template": {"metadata": {"labels": labels},
                "spec": {"serviceAccountName": "price-sync", "restartPolicy": "Never",
                    "containers": [{"name": "price-sync", "image": "registry.local/price-sync:1.4.2"}]}}}}}),
    ));
    all.push(migration());
    all
}

/// What the team says of it.
fn migration() -> (Kind, Value) {
    let place = |namespace: &str, name: &str| json!({"namespace": namespace, "name": name});
    let (gateway, user, product) = (
        place("default", "sangsang-plus-gateway"),
        place("user-service", "user-service"),
        place("product-service", "product-service"),
    );
    let spec = json!({"system": "BuildingBite", "entry": gateway, "services": [user, product],
        "edge": {"hosts": [HOST], "tls": "terminate", "trustedHops": 1,
            "ingress": place("ingress-nginx", "ingress-nginx-controller"), "gateway": place("istio-system", "istio-ingressgateway")},
        "calls": [{"from": gateway, "to": user}, {"from": gateway, "to": product},
            {"from": place("batch", "price-sync"), "to": product, "period": "24h"}],
        "identity": {"host": HOST, "paths": ["/realms", "/resources"], "service": place("keycloak", "keycloak")},
        "soak": "24h", "batchCycle": "720h"});
    (
        Kind::Migration,
        json!({"metadata": {"name": "buildingbite"}, "spec": spec}),
    )
}

fn namespaces() -> Manifests {
    let injected = json!({"istio-injection": "enabled"});
    let plain = json!({});
    vec![
        namespace("default", &injected),
        namespace("user-service", &injected),
        namespace("product-service", &injected),
        namespace("keycloak", &plain),
        namespace("batch", &plain),
        namespace("ingress-nginx", &plain),
        namespace("istio-system", &plain),
        namespace("naru", &plain),
    ]
}

fn edge() -> Manifests {
    let nginx = "registry.k8s.io/ingress-nginx/controller:v1.13.1";
    let mut gateway = deployment(&Deployed {
        namespace: "istio-system",
        name: "istio-ingressgateway",
        app: "istio-ingressgateway",
        version: "",
        replicas: 2,
        port: 8080,
        image: "docker.io/istio/proxyv2:1.31.0",
    });
    // A gateway's only container is its proxy; `istio` is what Gateways select by.
    let template = &mut gateway.1["spec"]["template"];
    template["spec"]["containers"][0]["name"] = "istio-proxy".into();
    template["metadata"]["labels"]["istio"] = "ingressgateway".into();
    template["metadata"]["labels"]["sidecar.istio.io/inject"] = "false".into();
    let deployed = |namespace, name, replicas, port, image| {
        deployment(&Deployed {
            namespace,
            name,
            app: name,
            version: "",
            replicas,
            port,
            image,
        })
    };
    vec![
        deployed("istio-system", "istiod", 2, 15012, "docker.io/istio/pilot:1.31.0"),
        service(
            "istio-system",
            "istiod",
            "istiod",
            &[("https-dns", 15012, 15012), ("https-webhook", 443, 15017)],
        ),
        gateway,
        service(
            "istio-system",
            "istio-ingressgateway",
            "istio-ingressgateway",
            &[("http2", 80, 8080), ("https", 443, 8443)],
        ),
        deployed(
            "istio-system",
            "prometheus",
            1,
            9090,
            "docker.io/prom/prometheus:v3.7.3",
        ),
        service(
            "istio-system",
            "prometheus",
            "prometheus",
            &[("http", 9090, 9090)],
        ),
        deployed("ingress-nginx", "ingress-nginx-controller", 1, 80, nginx),
        service(
            "ingress-nginx",
            "ingress-nginx-controller",
            "ingress-nginx-controller",
            &[("http", 80, 80), ("https", 443, 443)],
        ),
        // An Ingress lives beside the Service that it names; the class says whose it is.
        object(
            Kind::Ingress,
            "istio-system",
            "sangsang",
            &json!({"ingressClassName": "nginx", "tls": [{"hosts": [HOST], "secretName": "oauth-buildingbite-com-tls"}],
                "rules": [{"host": HOST, "http": {"paths": [{"path": "/", "pathType": "Prefix",
                    "backend": {"service": {"name": "istio-ingressgateway", "port": {"number": 80}}}}]}}]}),
        ),
    ]
}

fn apps() -> Manifests {
    let app = |namespace, name, app, version, replicas, port, image| {
        deployment(&Deployed {
            namespace,
            name,
            app,
            version,
            replicas,
            port,
            image,
        })
    };
    let (user, product) = ("user-service", "product-service");
    let gateway = "sangsang-plus-gateway";
    vec![
        app(
            "default",
            gateway,
            gateway,
            "v1",
            2,
            8080,
            "registry.local/sangsang-plus-gateway:3.2.0",
        ),
        service("default", gateway, gateway, &[("http", 8080, 8080)]),
        app(
            user,
            "user-service-v1",
            user,
            "v1",
            3,
            8080,
            "registry.local/user-service:1.8.3",
        ),
        app(
            user,
            "user-service-v2",
            user,
            "v2",
            1,
            8080,
            "registry.local/user-service:2.0.0",
        ),
        service(user, user, user, &[("http", 80, 8080)]),
        lone_pod(
            user,
            "user-db-0",
            "user-db",
            ("StatefulSet", "user-db"),
            "10.244.9.10",
        ),
        service(user, "user-db", "user-db", &[("tcp-postgres", 5432, 5432)]),
        app(
            product,
            product,
            product,
            "v1",
            2,
            8082,
            "registry.local/product-service:4.1.0",
        ),
        service(product, product, product, &[("http", 8082, 8082)]),
        app(
            "keycloak",
            "keycloak",
            "keycloak",
            "",
            1,
            8080,
            "quay.io/keycloak/keycloak:26.4.2",
        ),
        service("keycloak", "keycloak", "keycloak", &[("http", 8080, 8080)]),
        lone_pod(
            "batch",
            "price-sync-29401560-x7k2p",
            "price-sync",
            ("Job", "price-sync-29401560"),
            "10.244.9.11",
        ),
    ]
}

/// Weights 90 to 10; or, as the guide has them, behind its header rule and without names.
fn user_routes(header_rule: bool) -> Value {
    let to = |subset: &str| json!({"host": "user-service", "subset": subset});
    let split = json!([{"destination": to("v1"), "weight": 90}, {"destination": to("v2"), "weight": 10}]);
    if header_rule {
        let header = json!({"match": [{"headers": {"canary": {"exact": "true"}}}], "route": [{"destination": to("v2")}]});
        json!([header, {"route": split}])
    } else {
        json!([{"name": "weighted", "route": split}])
    }
}

fn mesh(header_rule: bool) -> Manifests {
    let user = "user-service";
    let subset = |version: &str| json!({"name": version, "labels": {"version": version}});
    vec![
        object(
            Kind::Gateway,
            "default",
            "sangsang-gateway",
            &json!({"selector": {"istio": "ingressgateway"},
                "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": [HOST]}]}),
        ),
        object(
            Kind::VirtualService,
            "default",
            "sangsang-vs",
            &json!({"hosts": [HOST], "gateways": ["sangsang-gateway"], "http": [{"match": [{"uri": {"prefix": "/"}}],
                "route": [{"destination": {"host": "sangsang-plus-gateway", "port": {"number": 8080}}}]}]}),
        ),
        object(
            Kind::DestinationRule,
            "default",
            "gateway-destination",
            &json!({"host": "sangsang-plus-gateway", "trafficPolicy": {"loadBalancer": {"simple": "LEAST_REQUEST"}}}),
        ),
        object(
            Kind::DestinationRule,
            user,
            "user-service",
            &json!({"host": "user-service", "subsets": [subset("v1"), subset("v2")]}),
        ),
        object(
            Kind::VirtualService,
            user,
            "user-service-canary",
            &json!({"hosts": ["user-service"], "http": user_routes(header_rule)}),
        ),
        object(
            Kind::PeerAuthentication,
            "istio-system",
            "default",
            &json!({"mtls": {"mode": "PERMISSIVE"}}),
        ),
    ]
}
