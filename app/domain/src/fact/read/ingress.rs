//! Ingresses, with what they tell their controllers.

use super::{Ingress, IngressRoute, Labels, at, list, text};
use crate::Name;
use serde_json::Value;

pub(super) fn read(it: &Value, namespace: Name, name: Name) -> Ingress {
    let class = match at(it, "/spec/ingressClassName") {
        class if !class.is_empty() => class,
        _ => it
            .pointer("/metadata/annotations")
            .and_then(|a| a.get("kubernetes.io/ingress.class"))
            .map_or_else(|| "".into(), text),
    };
    let rules = list(it, "/spec/rules").iter().flat_map(|rule| {
        let host = at(rule, "/host");
        list(rule, "/http/paths").iter().map(move |path| IngressRoute {
            host: host.clone(),
            path: at(path, "/path"),
            service: at(path, "/backend/service/name"),
        })
    });
    let default = it
        .pointer("/spec/defaultBackend/service/name")
        .map(|service| IngressRoute {
            host: "".into(),
            path: "".into(),
            service: text(service),
        });
    let routes = rules
        .chain(default)
        .filter(|route| !route.service.is_empty())
        .collect();
    let tls = list(it, "/spec/tls").iter().flat_map(|entry| {
        let secret = at(entry, "/secretName");
        let hosts = list(entry, "/hosts").iter().map(text);
        hosts.map(move |host| (host, secret.clone()))
    });
    Ingress {
        namespace,
        name,
        class,
        routes,
        annotations: controllers(it),
        tls: tls.collect(),
    }
}

/// Longer values are snippets of configuration, of which only the beginning is kept.
const ANNOTATION: usize = 4_096;

fn controllers(it: &Value) -> Labels {
    let all = it.pointer("/metadata/annotations").and_then(Value::as_object);
    let theirs = all.into_iter().flatten().filter(|(name, _)| {
        let domain = name.split_once('/').map_or("", |(domain, _)| domain);
        domain.ends_with("ingress.kubernetes.io") || domain == "nginx.org"
    });
    theirs
        .filter_map(|(name, value)| {
            let value = value.as_str()?;
            let end = value.floor_char_boundary(ANNOTATION);
            Some((name.as_str().into(), value[..end].into()))
        })
        .collect()
}
