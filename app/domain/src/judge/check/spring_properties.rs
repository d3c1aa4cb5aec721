//! 4.1: Spring's settings for traces and metrics are of the generation that is run. Boot 3 has no Sleuth, and calls the Prometheus registry's settings
//! `management.prometheus.metrics.export` (Spring Boot 3.0 Migration Guide). Settings of another generation are passed over without a word.

use crate::{
    crossing::Item,
    judge::{Check, Code, Found, World},
    mesh::Decider,
    object::{Kind, Object},
};
use serde_json::Value;
use std::collections::BTreeSet;

// They are right on Boot 2, which is out of support since 2023.
const SLEUTH: Code = Code::error("spring-sleuth");
const EXPORT: Code = Code::error("spring-prometheus-export");

pub(super) const CHECK: Check = Check {
    name: "spring_properties",
    item: Item::Observed,
    codes: &[&SLEUTH, &EXPORT],
    run,
};

/// Bytes of one file of settings; what is longer is none.
const FILE: usize = 65_536;
/// How deep settings are nested.
const DEPTH: usize = 16;

fn run(world: &World<'_>, found: &mut Found) {
    for map in world.objects.of_kind(Kind::ConfigMap) {
        let data = map.get("/data").and_then(Value::as_object);
        for (file, text) in data.into_iter().flatten() {
            if let Some(text) = text.as_str().filter(|it| it.len() <= FILE) {
                of_file(map, file, text, found);
            }
        }
    }
}

fn of_file(map: &Object, file: &str, text: &str, found: &mut Found) {
    let names = names(file, text);
    let by = || Decider::of(map, format!("/data/{}", file.replace('~', "~0").replace('/', "~1")));
    let under = |prefix: &str| {
        let nested = |name: &&String| name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        names.iter().find(nested)
    };
    let args = |name: &String| [("file", file.to_owned().into()), ("property", name.clone().into())];
    let sleuth = ["spring.sleuth", "spring.zipkin"].iter().find_map(|it| under(it));
    if let Some(name) = sleuth {
        found.finding(&SLEUTH, by(), args(name));
    }
    // Some write both, for the time of the change.
    let new = under("management.prometheus.metrics.export");
    if let (Some(name), None) = (under("management.metrics.export.prometheus"), new) {
        found.finding(&EXPORT, by(), args(name));
    } else if let Some(name) = new {
        found.saw("spring-prometheus", map, &by().path, name.as_str());
    }
}

/// The full names of the settings in a file, in canonical form. What is no settings has none.
fn names(file: &str, text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let yaml = file.ends_with(".yml") || file.ends_with(".yaml");
    if yaml {
        // Documents for profiles, one after the other.
        for document in serde_saphyr::from_multiple::<Value>(text).unwrap_or_default() {
            flatten("", &document, 0, &mut names);
        }
    } else if file.ends_with(".properties") {
        for line in text.lines().map(str::trim_start).filter(|it| !it.starts_with(['#', '!'])) {
            let end = line.find(['=', ':', ' ', '\t']).unwrap_or(line.len());
            names.insert(canonical(&line[..end]));
        }
    }
    names
}

fn flatten(prefix: &str, value: &Value, depth: usize, names: &mut BTreeSet<String>) {
    match value.as_object() {
        Some(map) if depth < DEPTH => {
            for (name, value) in map {
                let name = canonical(name);
                let full = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
                flatten(&full, value, depth + 1, names);
            }
        }
        _ => {
            names.insert(prefix.to_owned());
        }
    }
}

/// Spring takes names without regard to case (Spring Boot reference, "Relaxed Binding").
fn canonical(name: &str) -> String {
    name.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};
    use serde_json::json;

    fn found(file: &str, text: &str) -> Vec<&'static str> {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}, "data": {file: text}});
        codes(&judged("spring_properties", &map.to_string()))
    }

    #[test]
    fn settings_of_boot_2_are_found_in_both_forms() {
        let guide = "management:\n  metrics:\n    export:\n      prometheus:\n        enabled: true\nspring:\n  sleuth:\n    sampling:\n      probability: 1.0\n";
        assert_eq!(found("application.yml", guide), ["spring-prometheus-export", "spring-sleuth"]);
        let lines = "# old\nmanagement.metrics.export.prometheus.enabled=true\nspring.sleuth.enabled: true\n";
        assert_eq!(found("application.properties", lines), ["spring-prometheus-export", "spring-sleuth"]);
        assert_eq!(found("application.yml", "spring.sleuth.enabled: true"), ["spring-sleuth"]);
    }

    #[test]
    fn settings_of_boot_3_and_other_files_are_not() {
        for (file, text) in [
            ("application.yml", "management:\n  prometheus:\n    metrics:\n      export:\n        enabled: true\n"),
            ("application.properties", "#spring.sleuth.enabled=true\nmanagement.tracing.sampling.probability=0.1"),
            ("application.yml", "a: [b"),
            ("application.yml", "spring:\n  sleuthing: true\n"),
            ("notes.txt", "spring.sleuth.enabled=true"),
            (
                "application.properties",
                "management.metrics.export.prometheus.enabled=true\nmanagement.prometheus.metrics.export.enabled=true",
            ),
        ] {
            assert_eq!(found(file, text), [""; 0], "{text}");
        }
    }
}
