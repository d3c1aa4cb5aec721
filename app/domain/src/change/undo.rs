//! Taking a change back.

use super::{
    plan::{Intent, KINDS, Plan, patched, put_together},
    record::{Phase, Record, records, undone_by},
    touched, writer,
};
use crate::{
    Name, Refused, Why,
    object::{Digest, Kind, Object},
    snapshot::{Objects, Snapshot},
};
use naru_view::canary::Prediction;

/// Plans the inverse of a change that landed. Refused if the object is no longer exactly as the change left it: taking back would then
/// tread on somebody's edit.
///
/// What it would do is read off the operations and the object, never taken from what the entry says of itself: it may have been written by
/// hand.
pub(super) fn plan(namespace: &Name, change: &Name, snapshot: &Snapshot) -> Result<Plan, Refused> {
    let objects = &*snapshot.objects.value;
    let record = find(objects, namespace, change)?;
    let journal = records(objects);
    if !matches!(record.phase, Phase::Landed { .. }) || undone_by(&journal, &record).is_some() {
        return Err(Refused::NotUndoable);
    }
    let target = &record.target;
    // Naru changes nothing else, and who wrote the entry was asked for the right to no other kind.
    if !KINDS.contains(&target.kind) {
        return Err(Refused::NotUndoable);
    }
    if let Some(why) = objects.gap(target.kind) {
        return Err(Refused::Unknown { whys: vec![why] });
    }
    let live = objects
        .whole
        .get(target)
        .ok_or_else(|| not_found(target.kind.name(), &target.namespace, &target.name))?;
    check_untouched(&record, live, &journal)?;
    let intent = Intent::Undo {
        namespace: namespace.clone(),
        change: change.clone(),
    };
    let after = patched(live, &record.undo)?;
    let diff = touched::between(live, &after).ok_or(Refused::NotUndoable)?;
    let prediction = Prediction {
        window_s: 0,
        rate: None,
        moved: None,
        destinations: Vec::new(),
        whys: Vec::<Why>::new(),
    };
    let plan = put_together(
        intent,
        live,
        record.undo.clone(),
        record.ops.clone(),
        diff,
        prediction,
        Vec::new(),
    )?;
    // The record's own `before` is what undoing must lead to; anything else means that the record was tampered with.
    if plan.after == record.before {
        Ok(plan)
    } else {
        Err(Refused::NotUndoable)
    }
}

fn find(objects: &Objects, namespace: &Name, change: &Name) -> Result<Record, Refused> {
    if let Some(why) = objects.gap(Kind::Change) {
        return Err(Refused::Unknown { whys: vec![why] });
    }
    objects
        .object(Kind::Change, namespace, change)
        .and_then(Record::read)
        .ok_or_else(|| not_found(Kind::Change.name(), namespace, change))
}

fn not_found(kind: &str, namespace: &Name, name: &Name) -> Refused {
    Refused::NotFound {
        kind: kind.into(),
        namespace: namespace.clone(),
        name: name.clone(),
    }
}

fn check_untouched(record: &Record, live: &Object, journal: &[Record]) -> Result<(), Refused> {
    let digest: Digest = live.digest();
    if live.uid() == record.uid && digest == record.after {
        return Ok(());
    }
    let ours = record.manager();
    let who = touched::moved(record, live).and_then(|line| writer::of(live, &line.path, journal));
    if let Some(who) = who.filter(|it| *it.manager != *ours) {
        return Err(Refused::ForeignEdit {
            manager: writer::name(&who),
        });
    }
    let named = |manager: &&str| !manager.starts_with("naru-");
    let since = live.managers_since(record.approved_at).into_iter().find(named);
    // The API server keeps the times of managers to the second, so that ours may stand before the one who came after.
    let latest = || live.managers().into_iter().find(|manager| *manager != ours);
    let manager = since.or_else(latest).unwrap_or("").into();
    Err(Refused::ForeignEdit { manager })
}

#[cfg(test)]
mod tests;
