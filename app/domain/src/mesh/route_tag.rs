//! Whether proxies tell by which route a request went: a Telemetry of the whole mesh that gives callers' counters a [label](ROUTE_TAG) of the route's
//! name (Istio reference, `MetricsOverrides.tagOverrides`; the value is Envoy's attribute `xds.route_name`).
//!
//! Entries of `spec.metrics` are read as istiod reads them (`mergeMetrics` in `pilot/pkg/model/telemetry.go`): one that names providers puts all others out,
//! one that names none goes for those that the entries before it left, or meshConfig's default.

use super::{MeshConfig, unjudged};
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
pub fn told(objects: &Objects, config: &MeshConfig) -> bool {
    telling(objects, config).is_some()
}

/// The moment since which it does at the latest: when it was last written; None where none does, and where nobody recorded that.
pub fn told_since(objects: &Objects, config: &MeshConfig) -> Option<Timestamp> {
    telling(objects, config)?.written_at()
}

fn telling<'a>(objects: &'a Objects, config: &MeshConfig) -> Option<&'a Object> {
    let there = meshwide(objects, &config.root_namespace)?;
    let metrics = there.list("/spec/metrics");
    let ours = for_prometheus(metrics, config)?;
    ours.iter().any(|at| tags(&metrics[*at])).then_some(there)
}

/// The entries that are in force for Prometheus, in order; None where none is: then nothing said there counts.
fn for_prometheus(metrics: &[Value], config: &MeshConfig) -> Option<Vec<usize>> {
    let names = |list: &Value| -> Vec<String> {
        let each = list.as_array().into_iter().flatten();
        each.filter_map(|it| it.get("name").unwrap_or(it).as_str().map(str::to_owned))
            .collect()
    };
    // Istio's own installation says so where nothing is said.
    let default = config.json.pointer("/defaultProviders/metrics").map(names);
    let mut scope = default.unwrap_or_else(|| vec![PROVIDER.into()]);
    let mut ours = Vec::new();
    for (at, entry) in metrics.iter().enumerate() {
        let named = entry.get("providers").map(names).filter(|it| !it.is_empty());
        scope = named.unwrap_or(scope);
        if scope.iter().any(|it| it == PROVIDER) {
            ours.push(at);
        }
    }
    scope.iter().any(|it| it == PROVIDER).then_some(ours)
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

/// What lets proxies tell it; None where Prometheus is none of the providers in force, which is not for this to change.
pub fn wanted(objects: &Objects, config: &MeshConfig) -> Option<Wanted> {
    let overrides = METRICS.map(|metric| {
        let what = json!({ROUTE_TAG: {"value": VALUE}});
        json!({"match": {"metric": metric, "mode": "CLIENT"}, "tagOverrides": what})
    });
    let there = meshwide(objects, &config.root_namespace);
    let metrics = there.map_or(&[][..], |it| it.list("/spec/metrics"));
    let ours = for_prometheus(metrics, config)?;
    let Some(there) = there else {
        let metadata = json!({"name": NEW, "namespace": &*config.root_namespace});
        return Some(Wanted::Object(
            json!({"apiVersion": Kind::Telemetry.api_version(), "kind": Kind::Telemetry.name(),
            "metadata": metadata, "spec": {"metrics": [{"overrides": overrides}]}}),
        ));
    };
    let add = |path: String, value: Value| json!({"op": "add", "path": path, "value": value});
    let ops = match ours.last() {
        Some(at) if metrics[*at].get("overrides").is_some() => overrides
            .map(|it| add(format!("/spec/metrics/{at}/overrides/-"), it))
            .to_vec(),
        Some(at) => vec![add(format!("/spec/metrics/{at}/overrides"), json!(overrides))],
        None => {
            let all = json!([{"overrides": overrides}]);
            match there.get("/spec") {
                Some(_) => vec![add("/spec/metrics".into(), all)],
                None => vec![add("/spec".into(), json!({"metrics": all}))],
            }
        }
    };
    Some(Wanted::Patch(there.key().clone(), ops.into()))
}

#[cfg(test)]
mod tests {
    use super::{Wanted, told, wanted};
    use crate::{manifests, mesh::MeshConfig, snapshot::Objects};
    use serde_json::{Value, json};

    fn objects(all: &[Value]) -> Objects {
        manifests::objects(all.iter().cloned()).unwrap()
    }

    fn telemetry(namespace: &str, spec: &Value) -> Value {
        json!({"apiVersion": "telemetry.istio.io/v1", "kind": "Telemetry", "metadata": {"name": "t", "namespace": namespace}, "spec": spec})
    }

    fn config(metrics: &Value) -> MeshConfig {
        MeshConfig {
            json: json!({"defaultProviders": {"metrics": metrics}}),
            ..MeshConfig::default()
        }
    }

    #[test]
    fn what_is_wanted_is_told_once_it_is_there() {
        let plain = MeshConfig::default();
        let Some(Wanted::Object(new)) = wanted(&objects(&[]), &plain) else {
            panic!("there is none")
        };
        assert!(told(&objects(&[new]), &plain));
        let host = json!({"tagOverrides": {"host": {"value": "request.host"}}});
        let (prometheus, otel) = (json!({"name": "prometheus"}), json!({"name": "otel"}));
        for spec in [
            json!({}),
            json!({"accessLogging": [{"providers": [{"name": "envoy"}]}]}),
            json!({"metrics": [{"providers": [prometheus]}]}),
            json!({"metrics": [{"providers": [prometheus], "overrides": [host]}]}),
            json!({"metrics": [{"overrides": []}]}),
            json!({"metrics": [{"providers": [otel, prometheus], "overrides": [host]}]}),
            json!({"metrics": [{"providers": [otel]}, {"providers": [prometheus]}]}),
        ] {
            let mut there = telemetry("istio-system", &spec);
            let before = objects(std::slice::from_ref(&there));
            assert!(!told(&before, &plain));
            let Some(Wanted::Patch(key, ops)) = wanted(&before, &plain) else {
                panic!("{spec}")
            };
            assert_eq!(&*key.name, "t");
            let all_add = ops.as_array().unwrap().iter().all(|it| it["op"] == "add");
            assert!(all_add);
            let ops: json_patch::Patch = serde_json::from_value(ops).unwrap();
            json_patch::patch(&mut there, &ops).unwrap();
            assert!(told(&objects(std::slice::from_ref(&there)), &plain), "{there}");
            // Who is a provider stays as it was.
            let providers = |of: &Value| -> Vec<Value> {
                let all = of["metrics"].as_array().into_iter().flatten();
                all.map(|it| it["providers"].clone())
                    .filter(|it| !it.is_null())
                    .collect()
            };
            assert_eq!(providers(&there["spec"]), providers(&spec));
        }
    }

    #[test]
    fn where_prometheus_is_no_provider_nothing_is_told_and_nothing_offered() {
        let tag = json!({"tagOverrides": {"route_name": {"value": "xds.route_name"}}});
        let (prometheus, otel) = (json!({"name": "prometheus"}), json!({"name": "otel"}));
        let plain = MeshConfig::default();
        for metrics in [
            json!([{"providers": [otel]}]),
            // The last that names some puts all others out.
            json!([{"providers": [prometheus], "overrides": [tag]}, {"providers": [otel]}]),
            json!([{"providers": [otel]}, {"overrides": [tag]}]),
        ] {
            let there = objects(&[telemetry("istio-system", &json!({"metrics": metrics}))]);
            assert!(!told(&there, &plain), "{metrics}");
            assert_eq!(wanted(&there, &plain), None, "{metrics}");
        }
        let other = config(&json!(["otel"]));
        assert_eq!(wanted(&objects(&[]), &other), None);
        let inherits = objects(&[telemetry(
            "istio-system",
            &json!({"metrics": [{"overrides": [tag]}]}),
        )]);
        assert!(told(&inherits, &plain) && told(&inherits, &config(&json!(["prometheus", "otel"]))));
        assert!(!told(&inherits, &other));
    }

    #[test]
    fn of_a_namespace_of_some_pods_of_servers_or_taken_out_it_is_not_told() {
        let tag = |more: &Value, operation: &str| {
            json!({"metrics": [{"overrides": [{"match": more,
                "tagOverrides": {"route_name": {"value": "xds.route_name", "operation": operation}}}]}]})
        };
        let upsert = |more: Value| tag(&more, "UPSERT");
        let plain = MeshConfig::default();
        let yes = |namespace: &str, spec: &Value| told(&objects(&[telemetry(namespace, spec)]), &plain);
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
