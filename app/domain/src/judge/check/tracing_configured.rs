//! 4.1: proxies send traces to somebody: a Telemetry names a provider that meshConfig has, or meshConfig names one by default. Without, no proxy begins a trace.

use crate::{
    crossing::Item,
    judge::{Check, Code, Found, World},
    mesh::{Decider, ROOT_NAMESPACE, unjudged},
    object::{Key, Kind, Object},
};
use serde_json::Value;
use std::collections::BTreeSet;

const NONE: Code = Code::error("tracing-none");
const PROVIDER: Code = Code::error("tracing-provider-absent");
const SAMPLING: Code = Code::warning("tracing-samples-nothing");

pub(super) const CHECK: Check = Check {
    name: "tracing_configured",
    item: Item::Observed,
    codes: &[&NONE, &PROVIDER, &SAMPLING],
    run,
};

/// The providers of meshConfig that trace (Istio reference, `MeshConfig.ExtensionProvider`).
const TRACERS: [&str; 6] = [
    "zipkin",
    "lightstep",
    "datadog",
    "stackdriver",
    "skywalking",
    "opentelemetry",
];

fn run(world: &World<'_>, found: &mut Found) {
    let config = &world.mesh.config;
    let gaps = [config.gap.clone(), world.objects.gap(Kind::Telemetry)];
    let gaps: Vec<_> = gaps.into_iter().flatten().collect();
    if !gaps.is_empty() {
        return found.unknowns(gaps);
    }
    let mesh = Decider {
        key: Key::new(Kind::ConfigMap, ROOT_NAMESPACE, "istio"),
        path: "/data/mesh".into(),
    };
    let written = world.objects.whole.contains_key(&mesh.key);
    let providers = tracers(&config.json);
    let mut traced = by_default(&config.json, &providers);
    for telemetry in world.objects.of_kind(Kind::Telemetry) {
        for (index, tracing) in telemetry.list("/spec/tracing").iter().enumerate() {
            traced |= of_telemetry(world, telemetry, index, tracing, &providers, written, found);
        }
    }
    if traced {
        let names: Vec<&str> = providers.iter().copied().collect();
        found.saw_at("tracing-providers", &mesh, names.join(", "));
    } else if world.running || written {
        found.finding(&NONE, mesh, []);
    } else {
        // An application's files seldom hold meshConfig.
        found.unknown(crate::Why::NeedsCluster);
    }
}

fn tracers(config: &Value) -> BTreeSet<&str> {
    let list = config.get("extensionProviders").and_then(Value::as_array);
    let traces = |it: &&Value| TRACERS.iter().any(|kind| it.get(kind).is_some());
    let named = list.into_iter().flatten().filter(traces);
    named.filter_map(|it| it.get("name")?.as_str()).collect()
}

/// meshConfig's default provider; or the older `defaultConfig.tracing`, which is used while `enableTracing` is not false.
fn by_default(config: &Value, providers: &BTreeSet<&str>) -> bool {
    let list = config.pointer("/defaultProviders/tracing").and_then(Value::as_array);
    let mut named = list.into_iter().flatten().filter_map(Value::as_str);
    let old = config.pointer("/defaultConfig/tracing").and_then(Value::as_object);
    let on = config.get("enableTracing").and_then(Value::as_bool) != Some(false);
    named.any(|it| providers.contains(it))
        || (on && old.is_some_and(|it| TRACERS.iter().any(|kind| it.contains_key(*kind))))
}

/// Whether an entry of a Telemetry lets some proxies of the whole mesh or of a namespace trace.
fn of_telemetry(
    world: &World<'_>,
    telemetry: &Object,
    index: usize,
    tracing: &Value,
    providers: &BTreeSet<&str>,
    written: bool,
    found: &mut Found,
) -> bool {
    let at = |field: &str| Decider::of(telemetry, format!("/spec/tracing/{index}{field}"));
    let name = || format!("{}/{}", telemetry.key().namespace, telemetry.key().name);
    if tracing.get("disableSpanReporting").and_then(Value::as_bool) == Some(true) {
        return false;
    }
    let whole = telemetry.key().namespace == world.mesh.config.root_namespace
        && unjudged::labels(telemetry, "/spec/selector/matchLabels").is_empty();
    let sampling = tracing.get("randomSamplingPercentage").and_then(Value::as_f64);
    if sampling == Some(0.0) && whole {
        found.finding(&SAMPLING, at("/randomSamplingPercentage"), [("telemetry", name().into())]);
    } else if let Some(percent) = sampling {
        found.saw_at("trace-sampling", &at("/randomSamplingPercentage"), format!("{percent} %"));
    }
    let list = tracing.get("providers").and_then(Value::as_array);
    let mut traces = false;
    for (number, provider) in list.into_iter().flatten().enumerate() {
        let Some(provider) = provider.get("name").and_then(Value::as_str) else {
            continue;
        };
        if providers.contains(provider) {
            traces = true;
        } else if world.running || written {
            let args = [("telemetry", name().into()), ("provider", provider.into())];
            found.finding(&PROVIDER, at(&format!("/providers/{number}/name")), args);
        }
    }
    traces
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged, judged_running};

    fn system(mesh: &str, telemetry: &str) -> String {
        format!(
            r#"
{{apiVersion: v1, kind: ConfigMap, metadata: {{name: istio, namespace: istio-system}}, data: {{mesh: "{mesh}"}}}}
---
{{apiVersion: telemetry.istio.io/v1, kind: Telemetry, metadata: {{name: t, namespace: istio-system}}, spec: {{tracing: [{telemetry}]}}}}
"#
        )
    }

    const JAEGER: &str = "extensionProviders: [{name: jaeger, opentelemetry: {service: jaeger.o.svc.cluster.local, port: 4317}}]";

    #[test]
    fn a_provider_is_wanted_in_both_places() {
        let to = "{providers: [{name: jaeger}], randomSamplingPercentage: 1}";
        for (mesh, telemetry, expected) in [
            (JAEGER, to, &[][..]),
            (JAEGER, "", &["tracing-none"]),
            ("", to, &["tracing-none", "tracing-provider-absent"]),
            ("", "", &["tracing-none"]),
            (
                JAEGER,
                "{providers: [{name: jaeger}], randomSamplingPercentage: 0}",
                &["tracing-samples-nothing"],
            ),
            ("defaultConfig: {tracing: {zipkin: {address: 'z:9411'}}}", "", &[]),
            ("{enableTracing: false, defaultConfig: {tracing: {zipkin: {address: 'z:9411'}}}}", "", &["tracing-none"]),
        ] {
            let found = judged("tracing_configured", &system(mesh, telemetry));
            assert_eq!(codes(&found), expected, "{mesh} {telemetry}");
            assert_eq!(found.unknown, []);
        }
    }

    #[test]
    fn files_without_mesh_config_do_not_tell() {
        let nothing = "{apiVersion: v1, kind: Service, metadata: {name: s}}";
        let files = judged("tracing_configured", nothing);
        assert_eq!((codes(&files), files.unknown.len()), (vec![], 1));
        assert_eq!(codes(&judged_running("tracing_configured", nothing)), ["tracing-none"]);
    }
}
