//! Worlds for the checks' tests, from manifests.

use super::{ALL, Found, World, settled};
use crate::{
    Timestamp,
    crossing::Ledger,
    inquiry::{Inquiry, Replies, Reply},
    manifests,
    mesh::Prepared,
    snapshot::Objects,
    traffic::{Dated, Flow, FlowKey, Party, Protocol, Reporter, ServiceId, Traffic},
};
use std::sync::Arc;

/// The moment of all running worlds.
pub(crate) fn now() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

/// The objects of YAML documents, as they would come up.
pub(crate) fn objects(yaml: &str) -> Objects {
    let documents = serde_saphyr::from_multiple::<serde_json::Value>(yaml).unwrap();
    settled::settled(manifests::objects(documents).unwrap())
}

/// What one check finds in files.
pub(crate) fn judged(check: &str, yaml: &str) -> Found {
    let objects = objects(yaml);
    of(check, &World::of_files(&objects, now()))
}

/// What one check finds in the same objects as if they ran, without any traffic known.
pub(crate) fn judged_running(check: &str, yaml: &str) -> Found {
    let objects = objects(yaml);
    of(check, &World::of(&objects, Prepared::of(&objects), None, now()))
}

/// The same with what the proxies counted over the last 600 seconds.
pub(crate) fn judged_with(
    check: &str,
    yaml: &str,
    flows: impl IntoIterator<Item = (FlowKey, Flow)>,
) -> Found {
    let objects = objects(yaml);
    let value = Traffic {
        window_s: 600,
        flows: flows.into_iter().collect(),
    };
    let traffic = Dated {
        value,
        at: now(),
        gaps: Vec::new(),
    };
    let prepared = Prepared::of(&objects);
    of(
        check,
        &World::of(&objects, prepared, Some(Arc::new(traffic)), now()),
    )
}

/// What one check finds in a cluster that is exactly so, by the replies to what it asks.
pub(crate) fn judged_asking(
    check: &str,
    yaml: &str,
    replies: impl IntoIterator<Item = (Inquiry, Reply)>,
) -> Found {
    let documents = serde_saphyr::from_multiple::<serde_json::Value>(yaml).unwrap();
    let objects = manifests::objects(documents).unwrap();
    let dated = |value| Dated {
        value,
        at: now(),
        gaps: Vec::new(),
    };
    let replies = replies
        .into_iter()
        .map(|(inquiry, reply)| (inquiry, Ok(dated(reply))));
    let replies: Replies = replies.collect();
    let world = World::of(&objects, Prepared::of(&objects), None, now());
    let ledger = Arc::new(Ledger::of(&objects));
    of(check, &world.knowing(Arc::new(replies)).remembering(ledger))
}

/// What one check finds in a world.
pub(crate) fn of(check: &str, world: &World<'_>) -> Found {
    let check = ALL.iter().find(|it| it.name == check).unwrap();
    let mut found = Found::default();
    (check.run)(world, &mut found);
    for (code, ..) in &found.findings {
        assert!(check.codes.contains(code), "{} is not listed", code.name);
    }
    found
}

/// Requests a second from one workload to a Service's workload of the same name, both as `namespace/name`, by one side's proxy.
pub(crate) fn flow(from: &str, to: &str, reporter: Reporter, rate: f64, failed: f64) -> (FlowKey, Flow) {
    let split = |place: &str| {
        let (namespace, name) = place.split_once('/').unwrap_or(("", place));
        (crate::Name::from(namespace), crate::Name::from(name))
    };
    let party = |place: &str| {
        let (namespace, workload) = split(place);
        Party {
            namespace,
            workload,
            ..Party::default()
        }
    };
    let (namespace, name) = split(to);
    let key = FlowKey {
        source: party(from),
        target: party(to),
        service: ServiceId { namespace, name },
        reporter,
        protocol: Protocol::Http,
    };
    let flow = Flow {
        rate,
        failed,
        ..Flow::default()
    };
    (key, flow)
}

/// The names of the codes that were found, in order, each once.
pub(crate) fn codes(found: &Found) -> Vec<&'static str> {
    let mut codes: Vec<&str> = found.findings.iter().map(|(code, ..)| code.name).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// What one check finds in a cluster that is exactly so: no pods or injectors are made up.
pub(crate) fn judged_as_it_is(check: &str, yaml: &str) -> Found {
    let documents = serde_saphyr::from_multiple::<serde_json::Value>(yaml).unwrap();
    let objects = manifests::objects(documents).unwrap();
    of(check, &World::of(&objects, Prepared::of(&objects), None, now()))
}
