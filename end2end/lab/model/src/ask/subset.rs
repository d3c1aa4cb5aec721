//! `subset::endpoints`.

use crate::{Answer, Case, Document, answer::Gets};
use anyhow::Result;
use naru_domain::{
    mesh::subset::{Subset, endpoints},
    snapshot::Objects,
    traffic::ServiceId,
};

pub(super) fn ask(objects: &Objects, document: &Document, case: &Case) -> Result<Answer> {
    let (service, _) = super::service(objects, document, case)?;
    let (client, _) = crate::place::split(document.from(case))?;
    let service = ServiceId {
        namespace: service.namespace.clone(),
        name: service.name.clone(),
    };
    let gets: Gets = match endpoints(objects, &service, &case.subset, client) {
        Subset::Unknown(whys) => return Ok(super::unknown(&whys)),
        Subset::Undefined => [("503".to_owned(), 100.0)].into(),
        Subset::Pods(behind) if behind.ready == 0 => [("503".to_owned(), 100.0)].into(),
        Subset::Pods(behind) => {
            // Which of several has which part is not this function's to say: all that counts is who has any.
            let workloads = behind.workloads.iter();
            workloads
                .map(|(namespace, name)| (format!("{namespace}/{name}"), 1.0))
                .collect()
        }
    };
    Ok(Answer {
        gets,
        ..Answer::default()
    })
}
