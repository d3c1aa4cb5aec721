//! `protocol::of`.

use crate::{Answer, Case, Document};
use anyhow::{Context, Result};
use naru_domain::{
    mesh::protocol::{Reads, of_service},
    snapshot::Objects,
};

pub(super) fn ask(objects: &Objects, document: &Document, case: &Case) -> Result<Answer> {
    let (service, port) = super::service(objects, document, case)?;
    let (declared, _) = of_service(service, port).with_context(|| format!("no port {port}"))?;
    let reads = match declared.protocol.reads() {
        Reads::Http => "http",
        Reads::Sniffed => "sniffed",
        Reads::No => "no",
    };
    Ok(Answer::fact("reads", reads).with("http2", declared.protocol.http2()))
}
