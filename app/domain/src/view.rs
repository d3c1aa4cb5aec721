//! The only door out: what one viewer may see of a snapshot, as wire types. [`view`] is what there is; [`explanation`] answers a
//! question, [`judgements`] are the checklist's.

mod checklist;
mod explanation;
mod overview;
mod services;
mod sources;

pub use checklist::{SeenJudgement, judgements, seen_reopened};
pub use explanation::explanation;
pub(crate) use sources::failure;
pub use sources::{PROMETHEUS_STALE, sources};

use crate::{
    Name,
    actor::Scope,
    canary::{astray, canaries},
    change::{
        record::{Phase, Record, records, undone_by},
        touched,
    },
    freeze,
    snapshot::{Objects, Snapshot},
    topology::{self, Known, Layout},
};
use naru_view::{
    View,
    canary::{Canaries, Destination, Observed, Tag},
    change::{Change, Changes, Phase as Shown},
    freeze::Standstill,
    source::SourceState,
};
use std::{cmp::Reverse, sync::Arc};

/// Everything that this scope may see. `layout` is the graph's placing, kept from snapshot to snapshot so that nodes do not jump.
pub fn view(snapshot: &Snapshot, scope: &Scope, layout: &Layout) -> View {
    let version = snapshot.version;
    let sources = sources(snapshot);
    let topology = topology::topology(&Known::of(snapshot), layout, scope, sources.clone(), version);
    let mut routes = canaries(snapshot);
    routes.retain(|canary| scope.sees(&canary.route.namespace));
    for route in &mut routes {
        for destination in &mut route.destinations {
            redact(destination, scope);
        }
        if let Observed::Unknown { apart: Some(it), .. } = &mut route.observed {
            let all = it.names.len();
            it.names.retain(|wish| scope.sees(&wish.field.namespace));
            it.elsewhere = it.names.len() < all;
            if let Tag::Patch { of, .. } = &it.tag
                && !of
                    .split_once('/')
                    .is_some_and(|(namespace, _)| scope.sees(namespace))
            {
                it.tag = Tag::Elsewhere;
            }
        }
    }
    let mut astray = astray(&snapshot.objects.value);
    astray.retain(|it| scope.sees(&it.namespace));
    let mut changes = changes(&snapshot.objects.value);
    changes.retain(|change| scope.sees(&change.target.1));
    let overview = overview::overview(snapshot, scope, &topology, &routes, &changes);
    View {
        version,
        overview: Arc::new(overview),
        topology: Arc::new(topology),
        canaries: Arc::new(Canaries {
            version,
            sources: sources.clone(),
            routes,
            astray,
        }),
        changes: Arc::new(Changes {
            version,
            sources: sources.clone(),
            changes,
        }),
        standstill: Arc::new(standstill(snapshot, scope, sources)),
    }
}

/// A rule may lead into namespaces that its viewer may not see: what runs there, and how much of it, is not theirs to know.
fn redact(destination: &mut Destination, scope: &Scope) {
    let all = destination.workloads.len();
    let seen = |place: &Name| {
        place
            .split_once('/')
            .is_some_and(|(namespace, _)| scope.sees(namespace))
    };
    destination.workloads.retain(seen);
    if destination.workloads.len() < all {
        destination.ready = None;
        destination.arriving = None;
    }
}

/// Who froze is for everybody; of what stays only what they may see.
fn standstill(snapshot: &Snapshot, scope: &Scope, sources: Vec<SourceState>) -> Standstill {
    let frozen = freeze::in_force(&snapshot.objects.value).map(|mut frozen| {
        frozen.stays.retain(|it| scope.sees(&it.namespace));
        frozen
    });
    Standstill {
        version: snapshot.version,
        sources,
        frozen,
    }
}

/// The journal, newest first.
fn changes(objects: &Objects) -> Vec<Change> {
    let records = records(objects);
    let undone: Vec<_> = records.iter().map(|record| undone_by(&records, record)).collect();
    let mut changes: Vec<Change> = records
        .into_iter()
        .zip(undone)
        .map(|(record, undone)| shown(record, undone))
        .collect();
    changes.sort_by_key(|change| (Reverse(change.at), change.name.clone()));
    changes
}

fn shown(record: Record, undone_by: Option<Name>) -> Change {
    let (undoes, diff) = (record.undoes(), touched::of(&record));
    Change {
        name: record.key.name,
        target: (
            record.target.kind.name().into(),
            record.target.namespace,
            record.target.name,
        ),
        at: record.approved_at.as_millisecond(),
        by: record.actor.name,
        reason: record.reason,
        diff,
        phase: match record.phase {
            Phase::Intended => Shown::Intended,
            Phase::Landed { at, .. } => Shown::Landed {
                at: at.as_millisecond(),
            },
            Phase::NotCarriedOut { why } => Shown::NotCarriedOut { why },
            Phase::Stopped { why } => Shown::Stopped { why },
        },
        undoes,
        undone_by,
    }
}
