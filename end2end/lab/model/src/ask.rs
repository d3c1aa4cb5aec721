//! The model's side: what it says to a case, from objects alone.

mod host;
mod injection;
mod mtls;
mod policy;
mod protocol;
mod request;
mod subset;

use crate::{Answer, Asks, By, Case, Document};
use anyhow::{Result, anyhow};
use naru_domain::{
    Name, Why,
    mesh::{Mesh, Proxy},
    object::{Key, Kind},
    snapshot::Objects,
};
use serde_json::Value;

/// What the model says. `standing` are the objects that all cases share, `own` those of the case.
///
/// # Errors
/// What the case names and is not there, or objects that are none.
pub fn model(standing: &[Value], own: &[Value], document: &Document, case: &Case) -> Result<Answer> {
    let all = standing.iter().chain(own).cloned();
    let objects = naru_domain::manifests::objects(all).map_err(|(_, why)| anyhow!("{why}"))?;
    let mesh = Mesh::of(&objects);
    match (document.asks, document.by) {
        (Asks::Host, _) => Ok(host::ask(&objects, case)),
        (Asks::Protocol, _) => protocol::ask(&objects, document, case),
        (Asks::Subset, By::Dump) => policy::ask(&mesh, document, case),
        (Asks::Subset, _) => subset::ask(&objects, document, case),
        (Asks::Injection, _) => injection::ask(standing, own, case),
        (Asks::Mtls, _) if case.expect.contains_key("mode") => mtls::ask(&mesh, document, case),
        _ => request::ask(&mesh, standing, document, case),
    }
}

/// The sidecar of a Deployment's pod.
fn sidecar(objects: &Objects, path: &str) -> Result<Proxy> {
    let (namespace, workload) = crate::place::split(path)?;
    let pods = objects.pods.values();
    let mut pods =
        pods.filter(|it| &*it.namespace == namespace && crate::place::workload(&it.name) == workload);
    let pod = pods.next().ok_or_else(|| anyhow!("no pod of {path}"))?;
    Ok(Proxy::sidecar(pod.namespace.clone(), pod.labels.clone()))
}

/// The service that a case is about, with its port.
fn service<'a>(
    objects: &'a Objects,
    document: &Document,
    case: &Case,
) -> Result<(&'a naru_domain::fact::Service, u16)> {
    let to = document.to(case);
    let (path, port) = to.rsplit_once(':').ok_or_else(|| anyhow!("no port in {to:?}"))?;
    let (namespace, name) = crate::place::split(path)?;
    let service = objects.services.get(&Key::new(Kind::Service, namespace, name));
    Ok((
        service.ok_or_else(|| anyhow!("no Service {path}"))?,
        port.parse()?,
    ))
}

/// An answer that is no guess.
fn unknown(whys: &[Why]) -> Answer {
    let whys: Vec<String> = whys.iter().map(|why| format!("{why:?}")).collect();
    Answer::fact("unknown", whys.join(", "))
}

fn name(text: &str) -> Name {
    text.into()
}
