//! `injection::will_inject`.

use crate::{Answer, Case, standing::text};
use anyhow::{Context, Result, anyhow};
use naru_domain::{
    mesh::{
        Mesh,
        injection::{WillInject, template_of, will_inject},
    },
    object::{Key, Kind},
};
use serde_json::Value;

pub(super) fn ask(standing: &[Value], own: &[Value], case: &Case) -> Result<Answer> {
    let pod = crate::real::pod_to_be(&case.pod);
    let (namespace, name) = (text(&pod, "/metadata/namespace"), text(&pod, "/metadata/name"));
    let key = Key::new(Kind::Pod, namespace, name);
    let all = standing.iter().chain(own).cloned().chain([pod.clone()]);
    let objects = naru_domain::manifests::objects(all).map_err(|(_, why)| anyhow!("{why}"))?;
    let template = template_of(&objects, &key).context("the pod is no template")?;
    let home = objects.namespaces.get(&Key::new(Kind::Namespace, "", namespace));
    let home = home.with_context(|| format!("no namespace {namespace}"))?;
    Ok(match will_inject(&Mesh::of(&objects), home, &template) {
        WillInject::Yes { .. } => Answer::fact("injected", true),
        WillInject::No(_) => Answer::fact("injected", false),
        WillInject::Unknown(whys) => super::unknown(&whys),
    })
}
