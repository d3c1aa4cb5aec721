//! Where a case's request goes.

use crate::{Asks, Case, Document, standing::text};
use anyhow::{Context, Result, anyhow};
use serde_json::Value;

/// The workload that gateway cases ask.
pub const GATEWAY: (&str, &str) = ("case-gateway", "ingress");

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The address that is connected to.
    pub address: String,
    /// The port that is connected to.
    pub dialled: u16,
    /// The port as configuration has it: the Service's, or the Gateway server's.
    pub port: u16,
    /// The service's full name; empty for a pod's own address and for gateways.
    pub name: String,
}

/// The place of a case, by the standing objects (`all`, with their addresses).
///
/// # Errors
/// What is not there.
pub fn of(all: &[Value], document: &Document, case: &Case) -> Result<Place> {
    let to = document.to(case);
    if document.asks == Asks::Gateway {
        let port = to.parse().with_context(|| format!("the server's port: {to:?}"))?;
        let service = service(all, GATEWAY.0, GATEWAY.1)?;
        return Ok(Place {
            address: pod_address(all, GATEWAY.0, GATEWAY.1)?,
            dialled: target(service, port).unwrap_or(port),
            port,
            name: String::new(),
        });
    }
    let (path, port) = to
        .rsplit_once(':')
        .with_context(|| format!("no port in {to:?}"))?;
    let port: u16 = port.parse().with_context(|| format!("the port of {to:?}"))?;
    let place = |address: String, name: String| Place {
        address,
        dialled: port,
        port,
        name,
    };
    if let Some(pod) = path.strip_prefix("pod/") {
        let (namespace, workload) = split(pod)?;
        return Ok(place(pod_address(all, namespace, workload)?, String::new()));
    }
    let (namespace, name) = split(path)?;
    let service = service(all, namespace, name)?;
    let full = format!("{name}.{namespace}.svc.cluster.local");
    match text(service, "/spec/clusterIP") {
        "None" => {
            // A headless service's name leads to its pods.
            let app = text(service, "/spec/selector/app");
            Ok(place(pod_address(all, namespace, app)?, full))
        }
        address => Ok(place(address.to_owned(), full)),
    }
}

/// `namespace/name`.
///
/// # Errors
/// There is no dash of that kind in it.
pub fn split(path: &str) -> Result<(&str, &str)> {
    path.split_once('/')
        .with_context(|| format!("no namespace in {path:?}"))
}

fn service<'a>(all: &'a [Value], namespace: &str, name: &str) -> Result<&'a Value> {
    all.iter()
        .find(|it| it["kind"] == "Service" && is(it, namespace, name))
        .with_context(|| format!("there is no Service {namespace}/{name}"))
}

fn is(object: &Value, namespace: &str, name: &str) -> bool {
    object["metadata"]["namespace"] == namespace && object["metadata"]["name"] == name
}

fn target(service: &Value, port: u16) -> Option<u16> {
    let ports = service["spec"]["ports"].as_array()?;
    let port = ports.iter().find(|it| it["port"] == port)?;
    u16::try_from(port["targetPort"].as_u64()?).ok()
}

/// The address of a Deployment's pod.
///
/// # Errors
/// It has none.
pub fn pod_address(all: &[Value], namespace: &str, deployment: &str) -> Result<String> {
    let pods = all.iter().filter(|it| it["kind"] == "Pod");
    pods.filter(|it| {
        it["metadata"]["namespace"] == namespace && it["metadata"].get("deletionTimestamp").is_none()
    })
    .find(|it| workload(text(it, "/metadata/name")) == deployment)
    .map(|it| text(it, "/status/podIP").to_owned())
    .filter(|it| !it.is_empty())
    .ok_or_else(|| anyhow!("no pod of {namespace}/{deployment} has an address"))
}

/// The Deployment's name in a pod's: all but the last two parts.
pub fn workload(pod: &str) -> &str {
    let mut rest = pod;
    for _ in 0..2 {
        rest = rest.rsplit_once('-').map_or(rest, |(front, _)| front);
    }
    rest
}

/// Whether a Deployment's pod has a proxy.
pub fn meshed(all: &[Value], namespace: &str, deployment: &str) -> bool {
    let mut pods = all
        .iter()
        .filter(|it| it["kind"] == "Pod" && it["metadata"]["namespace"] == namespace)
        .filter(|it| workload(text(it, "/metadata/name")) == deployment);
    let named = |pod: &Value, list: &str| {
        let containers = pod["spec"][list].as_array();
        containers.is_some_and(|all| all.iter().any(|it| it["name"] == "istio-proxy"))
    };
    pods.any(|pod| named(pod, "initContainers") || named(pod, "containers"))
}
