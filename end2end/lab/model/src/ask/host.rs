//! `host::resolve`.

use crate::{Answer, Case};
use naru_domain::{
    mesh::host::{Host, resolve},
    snapshot::Objects,
};

pub(super) fn ask(objects: &Objects, case: &Case) -> Answer {
    match resolve(objects, &case.written, &case.namespace) {
        Host::Service(service) => Answer::fact("names", format!("{}/{}", service.namespace, service.name)),
        Host::Absent { .. } => Answer::fact("names", "absent"),
        Host::Unknown(why) => super::unknown(&[why]),
    }
}
