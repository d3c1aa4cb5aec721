//! One field of the corrected system changed at a time: exactly the item that is about it turns to not met.

use crate::sets::{codes, documents, judged};
use naru_domain::judge::{Severity, Verdict};
use serde_json::Value;

/// What is changed: the object as `Kind namespace/name`, a JSON pointer, the new value as JSON (empty: the field is taken away; pointer empty:
/// the object is taken away), and the item that turns.
type Mutation = (&'static str, &'static str, &'static str, &'static str);

const INJECTION: &str = "/metadata/labels/istio-injection";
const IMAGE: &str = "/spec/template/spec/containers/0/image";

#[rustfmt::skip]
const MUTATIONS: [Mutation; 41] = [
    ("IstioOperator istio-system/installed-state", "/spec/profile", r#""demo""#, "1.1"),
    ("IstioOperator istio-system/installed-state", "/spec/tag", r#""latest""#, "1.1"),
    ("Deployment istio-system/istiod", IMAGE, r#""docker.io/istio/pilot:1.20.8""#, "1.1"),
    ("Deployment istio-system/istiod", "/spec/replicas", "1", "1.1"),
    ("Migration /buildingbite", "/spec/edge/trustedHops", "2", "1.1"),
    ("Gateway istio-system/sangsang-gateway", "/spec/selector", r#"{"istio": "ingress-gateway"}"#, "1.2"),
    ("Gateway istio-system/sangsang-gateway", "/spec/servers/0/hosts/0", r#""auth.buildingbite.com""#, "1.2"),
    ("VirtualService sangsang/sangsang", "/spec/gateways/0", r#""sangsang-gateway""#, "1.2"),
    ("VirtualService sangsang/sangsang", "/spec/hosts/0", r#""auth.buildingbite.com""#, "1.2"),
    ("VirtualService sangsang/sangsang", "/spec/gateways", "", "1.2"),
    ("VirtualService sangsang/sangsang", "/spec/http/1/route/0/destination/host", r#""sangsang-plus-gatewy""#, "1.2"),
    ("VirtualService sangsang/sangsang", "/spec/http/0/route/0/destination/host", r#""keycloak""#, "1.2"),
    ("VirtualService sangsang/sangsang", "/spec/http/1/route/0/destination/port/number", "8081", "1.2"),
    ("VirtualService sangsang/sangsang", "/spec/http/0/match", "", "1.2"),
    ("VirtualService user-service/user-service", "/spec/http/0/route/1/destination/subset", r#""v3""#, "1.2"),
    ("DestinationRule user-service/user-service", "/spec/subsets/1/labels/version", r#""v3""#, "1.2"),
    ("DestinationRule user-service/user-service", "/spec/subsets", "", "1.2"),
    ("Ingress istio-system/sangsang", "/spec/rules/0/http/paths/0/backend/service/name", r#""istiod""#, "1.3"),
    ("Ingress istio-system/frontend", "/spec/rules/0/http/paths/0/backend/service/name", r#""istiod""#, "1.3"),
    ("Ingress istio-system/sangsang", "/metadata/annotations/nginx.ingress.kubernetes.io~1backend-protocol", r#""HTTP""#, "1.4"),
    ("Ingress istio-system/sangsang", "/metadata/annotations/nginx.ingress.kubernetes.io~1proxy-ssl-server-name", "", "1.4"),
    ("Ingress istio-system/sangsang", "/metadata/annotations/nginx.ingress.kubernetes.io~1proxy-ssl-name", r#""app.buildingbite.com""#, "1.4"),
    ("Migration /buildingbite", "/spec/edge/tls", r#""terminate""#, "1.4"),
    ("Deployment sangsang/sangsang-plus-gateway", "/spec/template/metadata/labels/sidecar.istio.io~1inject", r#""false""#, "2.1"),
    ("Deployment user-service/user-service-v2", "/spec/template/metadata/labels/sidecar.istio.io~1inject", r#""false""#, "2.2"),
    ("Namespace /product-service", INJECTION, "", "2.2"),
    ("Namespace /user-service", INJECTION, r#""disabled""#, "2.2"),
    ("Migration /buildingbite", "/spec/calls/1/to/name", r#""product""#, "2.3"),
    ("Migration /buildingbite", "/spec/calls/1/port", "8080", "2.3"),
    ("AuthorizationPolicy sangsang/sangsang-plus-gateway", "/spec/action", r#""DENY""#, "3.1"),
    ("PeerAuthentication istio-system/default", "/spec/mtls/mode", r#""PERMISSIVE""#, "3.1"),
    ("PeerAuthentication istio-system/default", "/metadata/namespace", r#""sangsang""#, "3.1"),
    ("AuthorizationPolicy sangsang/sangsang-plus-gateway", "/spec/rules/0/from/0/source/principals/0", r#""cluster.local/ns/istio-system/sa/istio-ingressgateway""#, "3.1"),
    ("AuthorizationPolicy sangsang/sangsang-plus-gateway", "/spec/rules/0/from/0/source/principals/1", r#""cluster.local/ns/default/sa/frontend""#, "3.1"),
    ("VirtualService user-service/user-service", "/spec/http/0/fault", r#"{"abort": {"httpStatus": 503, "percentage": {"value": 10}}}"#, "3.3"),
    ("ConfigMap istio-system/istio", "/data/mesh", r#""defaultConfig: {gatewayTopology: {numTrustedProxies: 1}}""#, "4.1"),
    ("Telemetry istio-system/mesh", "/spec/tracing/0/providers/0/name", r#""zipkin""#, "4.1"),
    ("Telemetry istio-system/mesh", "/spec/tracing/0/disableSpanReporting", "true", "4.1"),
    ("VirtualService sangsang/frontend", "/spec/http/0/fault", r#"{"delay": {"fixedDelay": "5s", "percentage": {"value": 100}}}"#, "3.3"),
    ("ConfigMap istio-system/istio", "/data/mesh", r#""extensionProviders: [{name: jaeger, opentelemetry: {service: jaeger-collector.istio-system.svc.cluster.local, port: 4317}}]""#, "1.1"),
    ("Telemetry istio-system/mesh", "", "", "4.1"),
];

fn is(document: &Value, object: &str) -> bool {
    let text = |pointer| document.pointer(pointer).and_then(Value::as_str).unwrap_or("");
    format!(
        "{} {}/{}",
        text("/kind"),
        text("/metadata/namespace"),
        text("/metadata/name")
    ) == object
}

fn mutate((object, path, value, _): Mutation) -> Vec<Value> {
    let mut documents = documents("corrected");
    let at = documents.iter().position(|it| is(it, object));
    let at = at.unwrap_or_else(|| panic!("{object} is not there"));
    if path.is_empty() {
        documents.remove(at);
        return documents;
    }
    let (parent, name) = path.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    let parent = documents[at].pointer_mut(parent);
    match parent.unwrap_or_else(|| panic!("{object} {path} is not there")) {
        Value::Object(map) if value.is_empty() => drop(map.shift_remove(&name)),
        Value::Object(map) => drop(map.insert(name, serde_json::from_str(value).unwrap())),
        Value::Array(list) => list[name.parse::<usize>().unwrap()] = serde_json::from_str(value).unwrap(),
        _ => panic!("{object} {path} is in nothing"),
    }
    documents
}

#[test]
fn each_changed_field_turns_the_item_that_it_belongs_to_and_no_other() {
    let before = judged(documents("corrected"));
    assert!(MUTATIONS.len() >= 40);
    let mut wrong = Vec::new();
    for mutation in MUTATIONS {
        let after = judged(mutate(mutation));
        // The last item is about all the others.
        let turned: Vec<String> = before
            .iter()
            .zip(&after)
            .filter(|(before, after)| {
                before.item.id() != "4.4"
                    && before.verdict != Verdict::NotMet
                    && after.verdict == Verdict::NotMet
            })
            .map(|(before, after)| {
                let new = codes(after, Severity::Error);
                let old = codes(before, Severity::Error);
                format!("{} by {:?}", after.item, new.difference(&old).collect::<Vec<_>>())
            })
            .collect();
        if turned.len() != 1 || !turned[0].starts_with(mutation.3) {
            wrong.push(format!(
                "{} {} = {}: wanted {}, turned {turned:?}",
                mutation.0, mutation.1, mutation.2, mutation.3
            ));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
