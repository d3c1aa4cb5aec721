//! After a crash or a lost answer: did an intended change land?
//!
//! The live object is asked one thing: is it as before, as after, or something else? *After* means it landed. *Something else* stops
//! and calls a person. *Before* means that it has not landed — yet: the server that intended it may be asleep between writing the
//! journal and sending the patch, and wake up later. So nothing is declared undone while that patch could still land. Since it is
//! guarded by a resourceVersion, moving the object's resourceVersion on makes it land never: that is the *fence*, an annotation put on
//! and taken off again, which leaves the object as it was. Nothing of a person's is ever carried out for them while they are away.

use super::record::{Phase, Record};
use crate::{
    Timestamp, Why,
    object::{Object, Write},
};
use jiff::SignedDuration;
use json_patch::{AddOperation, Patch, PatchOperation, RemoveOperation, jsonptr::PointerBuf};
use serde_json::{Value, json};

/// Before this age an intended change is left to the server that intended it: long enough for its own attempts and retries (the API
/// server gives up on a request after 60 s), so that recovery does not race with a healthy server.
pub const GRACE: SignedDuration = SignedDuration::from_secs(75);

/// The annotation that fences; it never stays.
pub const FENCE: &str = "naru.dev/fence";

/// How the live object stands to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landed {
    /// As it was before.
    Before,
    /// As it should be after.
    After,
    /// Neither.
    Other,
}

/// How the live object (None: it is gone) stands to a change. Where others have edited it since, the change's own field manager in
/// `managedFields` still proves that it landed.
pub fn landed(record: &Record, live: Option<&Object>) -> Landed {
    let Some(live) = live.filter(|live| live.uid() == record.uid) else {
        return Landed::Other;
    };
    let digest = live.digest();
    if digest == record.after {
        Landed::After
    } else if digest == record.before {
        Landed::Before
    } else if live.managers().contains(&record.manager().as_str()) {
        Landed::After
    } else {
        Landed::Other
    }
}

/// What recovery does next with an intended change.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Write down how it ended.
    Settle(Phase),
    /// Move the target's resourceVersion on, then ask again.
    Fence(Write),
    /// Take the fence's mark off again, then ask again.
    Unfence(Write),
    /// Ask again then.
    Wait(Timestamp),
}

/// Decides from the live object, and from what else the journal tells, what to do with an intended change. `grace` is [`GRACE`] outside
/// tests.
pub fn step(
    record: &Record,
    journal: &[Record],
    live: Option<&Object>,
    now: Timestamp,
    grace: SignedDuration,
) -> Next {
    let due = due(record, grace);
    if let Some(live) = live.filter(|live| live.annotation(FENCE) == Some(&*record.key.name)) {
        return Next::Unfence(mark(live, None));
    }
    let stands = landed(record, live);
    if stands == Landed::After {
        let rv = live.map_or_else(|| "".into(), Object::resource_version);
        return Next::Settle(Phase::Landed { at: now, rv });
    }
    // What the journal tells is certain at any age.
    let told = || told(record, journal).filter(|_| stands == Landed::Other);
    if let Some(phase) = taken_back(record, journal).or_else(told) {
        return Next::Settle(phase);
    }
    if now < due {
        return Next::Wait(due);
    }
    match (stands, live) {
        (Landed::Before, Some(live)) if live.resource_version() == record.rv => {
            Next::Fence(mark(live, Some(&record.key.name)))
        }
        (Landed::Before, _) => Next::Settle(Phase::NotCarriedOut {
            why: Why::Interrupted,
        }),
        // A younger change whose end is not known yet may be what moved the object.
        _ => match undecided(record, journal)
            .map(|other| self::due(other, grace))
            .filter(|due| now < *due)
            .max()
        {
            Some(due) => Next::Wait(due),
            None => Next::Settle(Phase::Stopped {
                why: Why::ChangedMeanwhile,
            }),
        },
    }
}

/// When an entry is old enough to be judged.
fn due(record: &Record, grace: SignedDuration) -> Timestamp {
    record.approved_at.checked_add(grace).unwrap_or(Timestamp::MAX)
}

/// Other changes of ours on the same object.
fn others<'a>(record: &'a Record, journal: &'a [Record]) -> impl Iterator<Item = &'a Record> {
    let same =
        |other: &&Record| other.key != record.key && other.target == record.target && other.uid == record.uid;
    journal.iter().filter(same)
}

fn undecided<'a>(record: &'a Record, journal: &'a [Record]) -> impl Iterator<Item = &'a Record> {
    others(record, journal).filter(|other| other.phase == Phase::Intended)
}

/// Only what has landed can be taken back, so that an undo that landed tells of what it undid, whatever the object looks like since.
fn taken_back(record: &Record, journal: &[Record]) -> Option<Phase> {
    let undo = others(record, journal).find(|other| {
        matches!(other.phase, Phase::Landed { .. }) && other.undoes().as_ref() == Some(&record.key.name)
    })?;
    Some(Phase::Landed {
        at: undo.approved_at,
        rv: undo.rv.clone(),
    })
}

/// What later changes of ours on the same object tell about this one: of two writes that demand the same resourceVersion only one can
/// land; and one that found the object as this one leaves it came after it.
fn told(record: &Record, journal: &[Record]) -> Option<Phase> {
    let landed = |other: &&Record| matches!(other.phase, Phase::Landed { .. });
    if others(record, journal)
        .filter(landed)
        .any(|other| other.rv == record.rv)
    {
        return Some(Phase::NotCarriedOut {
            why: Why::Interrupted,
        });
    }
    let after = others(record, journal)
        .filter(landed)
        .find(|other| other.before == record.after && other.approved_at >= record.approved_at)?;
    Some(Phase::Landed {
        at: after.approved_at,
        rv: after.rv.clone(),
    })
}

/// Puts the fence's annotation on an object, or takes it off, guarded by the object as it is.
fn mark(live: &Object, change: Option<&str>) -> Write {
    let annotations = || PointerBuf::from_tokens(["metadata", "annotations"]);
    let path = || PointerBuf::from_tokens(["metadata", "annotations", FENCE]);
    let there = live.get("/metadata/annotations").and_then(Value::as_object);
    let op = match (change, there) {
        (Some(change), Some(_)) => PatchOperation::Add(AddOperation {
            path: path(),
            value: change.into(),
        }),
        (Some(change), None) => PatchOperation::Add(AddOperation {
            path: annotations(),
            value: json!({FENCE: change}),
        }),
        // A map that only held our mark was not there before.
        (None, Some(map)) if map.len() == 1 => {
            PatchOperation::Remove(RemoveOperation { path: annotations() })
        }
        (None, _) => PatchOperation::Remove(RemoveOperation { path: path() }),
    };
    Write::Patch {
        key: live.key().clone(),
        rv: live.resource_version(),
        ops: Patch(vec![op]),
    }
}

#[cfg(test)]
mod tests;
