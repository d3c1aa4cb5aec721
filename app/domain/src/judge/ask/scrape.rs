//! Whether Prometheus scrapes a workload, and whether past its proxy.

use crate::{
    Name, Why,
    inquiry::ScrapedProxies,
    judge::World,
    mesh::{Decider, injection::Template},
    traffic::Dated,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// The pods whose proxies' figures are collected, by namespace and name.
///
/// # Errors
/// It is not known; so it is where there is none at all: they may stand under other labels than `namespace` and `pod`, which Prometheus' own
/// configurations give.
pub(crate) fn scraped_proxies<'w>(world: &'w World<'_>) -> Result<Dated<&'w BTreeSet<(Name, Name)>>, Why> {
    let none = || Why::NotObserved {
        what: "envoy_server_uptime{namespace, pod}".into(),
    };
    let scraped = world.reply(&ScrapedProxies)?;
    if scraped.value.is_empty() {
        Err(none())
    } else {
        Ok(scraped)
    }
}

/// How a workload's pods say that they are scraped.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::judge) struct Scraped {
    /// The application's own port.
    pub(in crate::judge) port: u16,
    /// The path; `/metrics` unless said otherwise.
    pub(in crate::judge) path: String,
    /// The annotation with the port.
    pub(in crate::judge) by: Decider,
    /// The proxy's agent answers for the application at its own port, which takes plaintext under STRICT too.
    pub(in crate::judge) merged: bool,
}

/// None where the pods do not ask to be scraped, or name no port. By the annotation `prometheus.istio.io/merge-metrics`, else by meshConfig's
/// `enablePrometheusMerge`, which is true unless set (`enablePrometheusMerge` in istio's `pkg/kube/inject`).
///
/// # Errors
/// Why it cannot be known.
pub(in crate::judge) fn scraped(world: &World<'_>, template: &Template) -> Result<Option<Scraped>, Why> {
    let said = |name: &str| template.annotation(name).map(|(value, _)| value);
    if said("prometheus.io/scrape") != Some("true") {
        return Ok(None);
    }
    let Some((port, by)) = template.annotation("prometheus.io/port") else {
        return Ok(None);
    };
    let Ok(port) = port.parse() else {
        return Ok(None);
    };
    let own = match said("prometheus.istio.io/merge-metrics") {
        Some("1" | "t" | "T" | "true" | "True" | "TRUE") => Some(true),
        Some("0" | "f" | "F" | "false" | "False" | "FALSE") => Some(false),
        _ => None,
    };
    let config = &world.mesh.config;
    let merged = match (own, &config.gap) {
        (Some(own), _) => own,
        (None, Some(why)) => return Err(why.clone()),
        (None, None) => config
            .json
            .get("enablePrometheusMerge")
            .and_then(Value::as_bool)
            .unwrap_or(true),
    };
    Ok(Some(Scraped {
        port,
        path: said("prometheus.io/path").unwrap_or("/metrics").to_owned(),
        by,
        merged,
    }))
}
