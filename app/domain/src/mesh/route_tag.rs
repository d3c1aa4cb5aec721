//! Whether proxies tell by which route a request went: a Telemetry of the whole mesh that gives callers' counters a [label](ROUTE_TAG) of the route's
//! name (Istio reference, `MetricsOverrides.tagOverrides`; the value is Envoy's attribute `xds.route_name`).

use super::unjudged;
use crate::{
    Timestamp,
    object::{Key, Kind, Object},
    snapshot::Objects,
    traffic::ROUTE_TAG,
};
use serde_json::{Value, json};

/// What the label is made of (Envoy's documentation, "Attributes", configuration attributes).
const VALUE: &str = "xds.route_name";

/// Metrics that need it.
const METRICS: [&str; 2] = ["REQUEST_COUNT", "REQUEST_DURATION"];

/// How a new one is called.
const NEW: &str = "naru-route-name";

/// As Istio's own meshConfig calls what Prometheus scrapes.
const PROVIDER: &str = "prometheus";

/// Whether a Telemetry of the root namespace lets all callers' proxies tell it.
pub fn told(objects: &Objects, root: &str) -> bool {
    telling(objects, root).is_some()
}

/// The moment since which it does at the latest: when it was last written; None where none does, and where nobody recorded that.
pub fn told_since(objects: &Objects, root: &str) -> Option<Timestamp> {
    telling(objects, root)?.written_at()
}

fn telling<'a>(objects: &'a Objects, root: &str) -> Option<&'a Object> {
    let tells = |it: &Value| for_prometheus(it) && tags(it);
    meshwide(objects, root).filter(|it| it.list("/spec/metrics").iter().any(tells))
}

/// The Telemetry of the whole mesh that has a word on metrics. Istio takes the oldest of several
/// (<https://istio.io/latest/docs/reference/config/telemetry/>).
fn meshwide<'a>(objects: &'a Objects, root: &str) -> Option<&'a Object> {
    let of_mesh = |it: &&Object| {
        let elsewhere = ["/spec/targetRef", "/spec/targetRefs"]
            .iter()
            .any(|path| it.get(path).is_some());
        *it.key().namespace == *root
            && unjudged::labels(it, "/spec/selector/matchLabels").is_empty()
            && !elsewhere
    };
    let made = |it: &&Object| {
        let at = it.get("/metadata/creationTimestamp").and_then(Value::as_str);
        (at.unwrap_or("").to_owned(), it.key().name.clone())
    };
    objects.of_kind(Kind::Telemetry).filter(of_mesh).min_by_key(made)
}

/// Whether an entry of `spec.metrics` gives the requests that callers count the label.
fn tags(metrics: &Value) -> bool {
    let text = |it: &Value, path: &str| it.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let overrides = metrics.get("overrides").and_then(Value::as_array);
    overrides.into_iter().flatten().any(|it| {
        let counts = matches!(
            text(it, "/match/metric").as_deref(),
            None | Some("REQUEST_COUNT" | "ALL_METRICS")
        );
        let callers = !matches!(text(it, "/match/mode").as_deref(), Some("SERVER"));
        let value = text(it, &format!("/tagOverrides/{ROUTE_TAG}/value"));
        let removed = text(it, &format!("/tagOverrides/{ROUTE_TAG}/operation")).as_deref() == Some("REMOVE");
        counts && callers && !removed && value.as_deref() == Some(VALUE)
    })
}

/// What whoever owns the mesh has to do for it.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// Create this object: the mesh has no such Telemetry yet.
    Object(Value),
    /// Carry out these operations (RFC 6902) on the one that it has; Istio would pass over a second one.
    Patch(Key, Value),
}

/// What lets proxies tell it.
pub fn wanted(objects: &Objects, root: &str) -> Wanted {
    let overrides = METRICS.map(|metric| {
        let what = json!({ROUTE_TAG: {"value": VALUE}});
        json!({"match": {"metric": metric, "mode": "CLIENT"}, "tagOverrides": what})
    });
    let Some(there) = meshwide(objects, root) else {
        let metadata = json!({"name": NEW, "namespace": root});
        return Wanted::Object(
            json!({"apiVersion": Kind::Telemetry.api_version(), "kind": Kind::Telemetry.name(),
            "metadata": metadata, "spec": {"metrics": [{"overrides": overrides}]}}),
        );
    };
    let add = |path: String, value: Value| json!({"op": "add", "path": path, "value": value});
    let metrics = there.list("/spec/metrics");
    let ours = metrics.iter().position(for_prometheus);
    let ops = match ours {
        Some(at) if metrics[at].get("overrides").is_some() => overrides
            .map(|it| add(format!("/spec/metrics/{at}/overrides/-"), it))
            .to_vec(),
        Some(at) => vec![add(format!("/spec/metrics/{at}/overrides"), json!(overrides))],
        None if metrics.is_empty() => {
            let all = json!([{"overrides": overrides}]);
            match there.get("/spec") {
                Some(_) => vec![add("/spec/metrics".into(), all)],
                None => vec![add("/spec".into(), json!({"metrics": all}))],
            }
        }
        None => {
            let entry = json!({"providers": [{"name": PROVIDER}], "overrides": overrides});
            vec![add("/spec/metrics/-".into(), entry)]
        }
    };
    Wanted::Patch(there.key().clone(), ops.into())
}

/// Whether an entry of `spec.metrics` is for Prometheus, or for whatever is the default.
fn for_prometheus(metrics: &Value) -> bool {
    let providers = metrics.get("providers").and_then(Value::as_array);
    let Some(providers) = providers.filter(|it| !it.is_empty()) else {
        return true;
    };
    let named = |it: &Value| it.get("name").and_then(Value::as_str) == Some(PROVIDER);
    providers.iter().any(named)
}

#[cfg(test)]
mod tests {
    use super::{Wanted, told, wanted};
    use crate::{manifests, snapshot::Objects};
    use serde_json::{Value, json};

    fn objects(all: &[Value]) -> Objects {
        manifests::objects(all.iter().cloned()).unwrap()
    }

    fn telemetry(namespace: &str, spec: &Value) -> Value {
        json!({"apiVersion": "telemetry.istio.io/v1", "kind": "Telemetry", "metadata": {"name": "t", "namespace": namespace}, "spec": spec})
    }

    #[test]
    fn what_is_wanted_is_told_once_it_is_there() {
        let Wanted::Object(new) = wanted(&objects(&[]), "istio-system") else {
            panic!("there is none")
        };
        assert!(told(&objects(&[new]), "istio-system"));
        let host = json!({"tagOverrides": {"host": {"value": "request.host"}}});
        for spec in [
            json!({}),
            json!({"accessLogging": [{"providers": [{"name": "envoy"}]}]}),
            json!({"metrics": [{"providers": [{"name": "prometheus"}]}]}),
            json!({"metrics": [{"providers": [{"name": "prometheus"}], "overrides": [host]}]}),
            json!({"metrics": [{"overrides": []}]}),
            json!({"metrics": [{"providers": [{"name": "otel"}], "overrides": [host]}]}),
            json!({"metrics": [{"providers": [{"name": "otel"}]}, {"providers": [{"name": "prometheus"}]}]}),
        ] {
            let mut there = telemetry("istio-system", &spec);
            let before = objects(std::slice::from_ref(&there));
            assert!(!told(&before, "istio-system"));
            let Wanted::Patch(key, ops) = wanted(&before, "istio-system") else {
                panic!("{spec}")
            };
            assert_eq!(&*key.name, "t");
            let all_add = ops.as_array().unwrap().iter().all(|it| it["op"] == "add");
            assert!(all_add);
            let ops: json_patch::Patch = serde_json::from_value(ops).unwrap();
            json_patch::patch(&mut there, &ops).unwrap();
            assert!(told(&objects(&[there.clone()]), "istio-system"), "{there}");
            // Other providers' entries stay as they were.
            for entry in spec["metrics"].as_array().into_iter().flatten() {
                let others = entry["providers"][0]["name"] == "otel";
                assert!(!others || there["spec"]["metrics"].as_array().unwrap().contains(entry));
            }
        }
    }

    #[test]
    fn of_a_namespace_of_some_pods_of_servers_or_taken_out_it_is_not_told() {
        let tag = |more: &Value, operation: &str| {
            json!({"metrics": [{"overrides": [{"match": more,
                "tagOverrides": {"route_name": {"value": "xds.route_name", "operation": operation}}}]}]})
        };
        let upsert = |more: Value| tag(&more, "UPSERT");
        let yes =
            |namespace: &str, spec: &Value| told(&objects(&[telemetry(namespace, spec)]), "istio-system");
        assert!(yes("istio-system", &upsert(json!({"metric": "ALL_METRICS"}))));
        assert!(!yes("shop", &upsert(json!({}))));
        assert!(!yes("istio-system", &upsert(json!({"mode": "SERVER"}))));
        assert!(!yes("istio-system", &upsert(json!({"metric": "REQUEST_SIZE"}))));
        assert!(!yes("istio-system", &tag(&json!({}), "REMOVE")));
        let mut some = upsert(json!({}));
        some["selector"] = json!({"matchLabels": {"app": "a"}});
        assert!(!yes("istio-system", &some));
    }
}
