//! `mtls::server_mode`, told by who is let in how.

use crate::{Answer, Case, Document};
use anyhow::{Context, Result, anyhow};
use naru_domain::mesh::{
    Mesh, Proxy,
    mtls::{Mode, server_mode},
};

pub(super) fn ask(mesh: &Mesh<'_>, document: &Document, case: &Case) -> Result<Answer> {
    let (service, port) = super::service(mesh.objects, document, case)?;
    let port = service.ports.iter().find(|it| it.port == port);
    let target: u16 = port.context("no such port")?.target.parse()?;
    let chosen = mesh.objects.pods.values().find(|pod| {
        pod.namespace == service.namespace
            && service
                .selector
                .iter()
                .all(|(name, value)| pod.labels.get(name) == Some(value))
    });
    let pod = chosen.ok_or_else(|| anyhow!("nobody is behind it"))?;
    let proxy = Proxy::sidecar(pod.namespace.clone(), pod.labels.clone());
    Ok(match server_mode(mesh, &proxy, target) {
        Err(whys) => super::unknown(&whys),
        Ok((mode, _)) => Answer::fact(
            "mode",
            match mode {
                Mode::Strict => "strict",
                Mode::Permissive => "permissive",
                Mode::Disable => "disable",
            },
        ),
    })
}
