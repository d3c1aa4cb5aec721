//! What touches a proxy that Naru does not judge: whatever it decides is Unknown, never a guess.

use super::{Mesh, Proxy, Role};
use crate::{
    Name, Why,
    fact::Labels,
    object::{Kind, Object},
};
use serde_json::Value;

/// Which of a proxy's sides is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Requests that it sends on.
    Outbound,
    /// Requests that arrive at its workload.
    Inbound,
}

/// EnvoyFilters and WasmPlugins that may change what this proxy does on this side, and ambient mode. Those that only count, log or trace are passed
/// over. Kinds that cannot be read are gaps: something of them may be there.
pub fn touching(mesh: &Mesh<'_>, proxy: &Proxy, side: Side) -> Vec<Why> {
    let kinds = [Kind::EnvoyFilter, Kind::WasmPlugin];
    let gaps = kinds.iter().filter_map(|&kind| mesh.objects.gap(kind));
    let filters = kinds.iter().flat_map(|&kind| mesh.objects.of_kind(kind));
    let what = filters
        .filter(|object| applies(mesh, object, proxy))
        .filter(|object| object.key().kind == Kind::WasmPlugin || matters(object, proxy, side))
        .map(named);
    let ambient = ambient(mesh, proxy).then(|| Why::NotJudged {
        what: "ambient".into(),
    });
    gaps.chain(what).chain(ambient).collect()
}

/// The reason that names an object.
pub fn named(object: &Object) -> Why {
    let key = object.key();
    Why::NotJudged {
        what: format!("{} {}/{}", key.kind.name(), key.namespace, key.name).into(),
    }
}

/// Whether an object with a workload selector is for the proxy: it lies in the root namespace or the proxy's, and selects its labels. One that
/// is attached by `targetRefs` may be for it, which counts as yes.
fn applies(mesh: &Mesh<'_>, object: &Object, proxy: &Proxy) -> bool {
    let namespace = &object.key().namespace;
    let near = *namespace == mesh.config.root_namespace || *namespace == proxy.namespace;
    near && ["/spec/workloadSelector/labels", "/spec/selector/matchLabels"]
        .iter()
        .all(|pointer| proxy.selected_by(&labels(object, pointer)))
}

/// The labels at a pointer.
pub fn labels(object: &Object, pointer: &str) -> Labels {
    let map = object.get(pointer).and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str().into(), value.as_str().unwrap_or("").into()))
        .collect::<std::collections::BTreeMap<Name, Name>>()
}

fn matters(filter: &Object, proxy: &Proxy, side: Side) -> bool {
    filter.list("/spec/configPatches").iter().any(|patch| {
        let text = |pointer: &str| patch.pointer(pointer).and_then(Value::as_str).unwrap_or("");
        let context = match (proxy.role, side) {
            (Role::Gateway, _) => "GATEWAY",
            (Role::Sidecar, Side::Outbound) => "SIDECAR_OUTBOUND",
            (Role::Sidecar, Side::Inbound) => "SIDECAR_INBOUND",
        };
        let here = matches!(text("/match/context"), "" | "ANY") || text("/match/context") == context;
        here && !only_observes(patch)
    })
}

/// Merging access logs, tracing or headers into what is there changes no route. Anything else may.
fn only_observes(patch: &Value) -> bool {
    let merges = patch.pointer("/patch/operation").and_then(Value::as_str) == Some("MERGE");
    let value = patch.pointer("/patch/value").and_then(Value::as_object);
    let fields = value.into_iter().flatten().flat_map(|(name, value)| {
        match value {
            // A filter's own configuration lies one level deeper.
            Value::Object(inner) if name == "typed_config" => inner.keys().map(String::as_str).collect(),
            _ => vec![name.as_str()],
        }
    });
    const HARMLESS: [&str; 8] = [
        "@type",
        "name",
        "access_log",
        "tracing",
        "stat_prefix",
        "request_headers_to_add",
        "response_headers_to_add",
        "stats_config",
    ];
    merges && fields.into_iter().all(|field| HARMLESS.contains(&field))
}

/// Whether the proxy's namespace or pod is enrolled in ambient mode (Istio reference, label `istio.io/dataplane-mode`).
fn ambient(mesh: &Mesh<'_>, proxy: &Proxy) -> bool {
    const LABEL: &str = "istio.io/dataplane-mode";
    let key = crate::object::Key::new(Kind::Namespace, "", proxy.namespace.clone());
    let namespace = mesh.objects.namespaces.get(&key);
    let mode = proxy
        .labels
        .get(LABEL)
        .or_else(|| namespace.and_then(|it| it.labels.get(LABEL)));
    proxy.role == Role::Sidecar && mode.is_some_and(|mode| &**mode == "ambient")
}

#[cfg(test)]
mod tests {
    use super::{Side, touching};
    use crate::{
        Why,
        fact::Fact,
        mesh::{Mesh, Proxy},
        object::Kind,
        snapshot::{KindState, Objects},
    };
    use serde_json::{Value, json};

    fn objects(kind: Kind, namespace: &str, spec: &Value) -> Objects {
        let mut objects = Objects::default();
        for kind in [Kind::EnvoyFilter, Kind::WasmPlugin] {
            objects.kinds.insert(kind, KindState::Known);
        }
        let json = json!({"metadata": {"name": "it", "namespace": namespace}, "spec": spec});
        objects.put(Fact::read(kind, json).unwrap());
        objects
    }

    fn shop(labels: &[(&str, &str)]) -> Proxy {
        Proxy::sidecar(
            "shop",
            labels.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
        )
    }

    fn filter(context: &str, patch: &Value) -> Value {
        json!({"configPatches": [{"applyTo": "HTTP_FILTER", "match": {"context": context}, "patch": patch}]})
    }

    #[test]
    fn a_filter_is_noticed_where_it_applies_and_on_its_side_only() {
        let insert = json!({"operation": "INSERT_BEFORE", "value": {"name": "lua"}});
        let told = |namespace: &str, context: &str, side| {
            let objects = objects(Kind::EnvoyFilter, namespace, &filter(context, &insert));
            touching(&Mesh::of(&objects), &shop(&[]), side)
        };
        let this = vec![Why::NotJudged {
            what: "EnvoyFilter shop/it".into(),
        }];
        assert_eq!(told("shop", "SIDECAR_OUTBOUND", Side::Outbound), this);
        assert_eq!(told("shop", "ANY", Side::Inbound), this);
        assert_eq!(told("shop", "SIDECAR_OUTBOUND", Side::Inbound), []);
        assert_eq!(told("shop", "GATEWAY", Side::Outbound), []);
        assert_eq!(told("other", "ANY", Side::Outbound), []);
        assert_eq!(told("istio-system", "ANY", Side::Outbound).len(), 1);
    }

    #[test]
    fn what_only_counts_is_passed_over() {
        let log = json!({"operation": "MERGE", "value": {"typed_config": {"@type": "x", "access_log": []}}});
        let more =
            json!({"operation": "MERGE", "value": {"typed_config": {"@type": "x", "http_filters": []}}});
        let told = |patch: &Value| {
            let objects = objects(Kind::EnvoyFilter, "shop", &filter("ANY", patch));
            touching(&Mesh::of(&objects), &shop(&[]), Side::Outbound).len()
        };
        assert_eq!((told(&log), told(&more)), (0, 1));
        assert_eq!(
            told(&json!({"operation": "REPLACE", "value": {"access_log": []}})),
            1
        );
    }

    #[test]
    fn selectors_select_and_ambient_is_said() {
        let plugin = json!({"selector": {"matchLabels": {"app": "a"}}, "url": "oci://x"});
        let objects = objects(Kind::WasmPlugin, "shop", &plugin);
        let told = |proxy: &Proxy| touching(&Mesh::of(&objects), proxy, Side::Inbound);
        assert_eq!(told(&shop(&[("app", "a")])).len(), 1);
        assert_eq!(told(&shop(&[("app", "b")])).len(), 0);
        let ambient = shop(&[("istio.io/dataplane-mode", "ambient")]);
        assert_eq!(
            told(&ambient),
            [Why::NotJudged {
                what: "ambient".into()
            }]
        );
    }

    #[test]
    fn not_knowing_the_filters_is_not_their_absence() {
        let told = touching(&Mesh::of(&Objects::default()), &shop(&[]), Side::Outbound);
        assert_eq!(told.len(), 2);
    }
}
