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
    let due = record.approved_at + grace;
    if let Some(live) = live.filter(|live| live.annotation(FENCE) == Some(&*record.key.name)) {
        return Next::Unfence(mark(live, None));
    }
    let stands = landed(record, live);
    if stands == Landed::After {
        let rv = live.map_or_else(|| "".into(), Object::resource_version);
        return Next::Settle(Phase::Landed { at: now, rv });
    }
    // What the journal tells is certain at any age.
    if let Some(phase) = told(record, journal).filter(|_| stands == Landed::Other) {
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
            .map(|other| other.approved_at + grace)
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

/// Other changes of ours on the same object.
fn others<'a>(record: &'a Record, journal: &'a [Record]) -> impl Iterator<Item = &'a Record> {
    let same =
        |other: &&Record| other.key != record.key && other.target == record.target && other.uid == record.uid;
    journal.iter().filter(same)
}

fn undecided<'a>(record: &'a Record, journal: &'a [Record]) -> impl Iterator<Item = &'a Record> {
    others(record, journal).filter(|other| other.phase == Phase::Intended)
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
mod tests {
    use super::{FENCE, GRACE, Landed, Next, landed, step};
    use crate::{
        actor::Actor,
        change::{
            plan::{Intent, plan},
            record::{Phase, Record},
        },
        example,
        object::{Kind, Object, Write},
    };
    use naru_view::canary::{RouteRef, SetWeights, WeightOf};
    use serde_json::{Value, json};

    fn record() -> (Record, Object) {
        let to = |subset: &str| WeightOf {
            host: "user-service".into(),
            subset: subset.into(),
            weight: 50,
        };
        let route = RouteRef {
            namespace: "user-service".into(),
            name: "user-service".into(),
            rule: 0,
        };
        let intent = Intent::SetWeights(SetWeights {
            route,
            weights: vec![to("v1"), to("v2")],
        });
        let objects = example::objects();
        let live = objects
            .object(Kind::VirtualService, "user-service", "user-service")
            .unwrap()
            .clone();
        let plan = plan(&intent, &example::snapshot(objects)).unwrap();
        (
            Record::intended(
                &plan,
                "w1".into(),
                Actor::loopback(),
                "test".into(),
                example::now(),
            ),
            live,
        )
    }

    fn edited(object: &Object, edit: impl FnOnce(&mut Value)) -> Object {
        let mut json = object.json().clone();
        json["metadata"]["resourceVersion"] = json!("9");
        edit(&mut json);
        Object::new(Kind::VirtualService, json).unwrap()
    }

    fn written(object: &Object, write: &Write) -> Object {
        let Write::Patch { ops, .. } = write else {
            panic!("{write:?}")
        };
        edited(object, |json| json_patch::patch(json, ops).unwrap())
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let (record, _) = record();
        let object = record.object().unwrap();
        assert_eq!(Record::read(&object), Some(record));
    }

    #[test]
    fn before_after_other() {
        let (record, before) = record();
        let after = written(&before, &record.write());
        assert_eq!(landed(&record, Some(&before)), Landed::Before);
        assert_eq!(landed(&record, Some(&after)), Landed::After);
        assert_eq!(landed(&record, None), Landed::Other);
        let other = edited(&before, |json| json["spec"]["hosts"] = json!(["x"]));
        assert_eq!(landed(&record, Some(&other)), Landed::Other);
        let recreated = edited(&before, |json| json["metadata"]["uid"] = json!("another"));
        assert_eq!(landed(&record, Some(&recreated)), Landed::Other);
    }

    #[test]
    fn landed_and_edited_by_others_since_is_proved_by_the_field_manager() {
        let (record, before) = record();
        let after = edited(&written(&before, &record.write()), |json| {
            json["spec"]["hosts"] = json!(["x"]);
            json["metadata"]["managedFields"] = json!([{"manager": "naru-w1"}, {"manager": "kubectl"}]);
        });
        assert_eq!(landed(&record, Some(&after)), Landed::After);
    }

    #[test]
    fn young_changes_are_left_alone_unless_they_landed() {
        let (record, before) = record();
        assert_eq!(
            step(&record, &[], Some(&before), example::now(), GRACE),
            Next::Wait(example::now() + GRACE)
        );
        let after = written(&before, &record.write());
        assert!(matches!(
            step(&record, &[], Some(&after), example::now(), GRACE),
            Next::Settle(Phase::Landed { .. })
        ));
    }

    #[test]
    fn the_fence_goes_up_and_comes_down_and_leaves_the_object_as_it_was() {
        let (record, before) = record();
        let late = example::now() + GRACE;
        let Next::Fence(fence) = step(&record, &[], Some(&before), late, GRACE) else {
            panic!()
        };
        let fenced = written(&before, &fence);
        assert_eq!(fenced.annotation(FENCE), Some("w1"));
        let Next::Unfence(unfence) = step(&record, &[], Some(&fenced), late, GRACE) else {
            panic!()
        };
        let unfenced = written(&fenced, &unfence);
        assert_eq!(unfenced.digest(), before.digest());
        assert!(matches!(
            step(&record, &[], Some(&unfenced), late, GRACE),
            Next::Settle(Phase::NotCarriedOut { .. })
        ));
    }

    #[test]
    fn a_fence_keeps_other_annotations() {
        let (record, before) = record();
        let mut with = edited(&before, |json| {
            json["metadata"]["annotations"] = json!({"team": "사용자"})
        });
        with = edited(&with, |json| json["metadata"]["resourceVersion"] = json!("7"));
        let mut record = record;
        record.before = with.digest();
        let late = example::now() + GRACE;
        let Next::Fence(fence) = step(&record, &[], Some(&with), late, GRACE) else {
            panic!()
        };
        let fenced = written(&with, &fence);
        let Next::Unfence(unfence) = step(&record, &[], Some(&fenced), late, GRACE) else {
            panic!()
        };
        assert_eq!(written(&fenced, &unfence).digest(), with.digest());
    }

    #[test]
    fn a_later_change_of_ours_tells_what_the_object_no_longer_shows() {
        let (record, before) = record();
        let late = example::now() + GRACE;
        let moved_on = edited(&before, |json| json["spec"]["hosts"] = json!(["x"]));
        let mut later = record.clone();
        later.key.name = "w2".into();
        later.phase = Phase::Landed {
            at: late,
            rv: "9".into(),
        };
        let same_guard = step(
            &record,
            &[record.clone(), later.clone()],
            Some(&moved_on),
            late,
            GRACE,
        );
        assert!(
            matches!(same_guard, Next::Settle(Phase::NotCarriedOut { .. })),
            "{same_guard:?}"
        );
        later.rv = "8".into();
        later.before = record.after.clone();
        let found_it = step(
            &record,
            &[record.clone(), later.clone()],
            Some(&moved_on),
            late,
            GRACE,
        );
        assert!(
            matches!(found_it, Next::Settle(Phase::Landed { .. })),
            "{found_it:?}"
        );
        later.uid = "another".into();
        let unrelated = step(&record, &[record.clone(), later], Some(&moved_on), late, GRACE);
        assert!(
            matches!(unrelated, Next::Settle(Phase::Stopped { .. })),
            "{unrelated:?}"
        );
    }

    #[test]
    fn a_younger_change_whose_end_is_not_known_is_waited_for() {
        let (record, before) = record();
        let late = example::now() + GRACE;
        let moved_on = edited(&before, |json| json["spec"]["hosts"] = json!(["x"]));
        let mut younger = record.clone();
        younger.key.name = "w2".into();
        younger.approved_at = example::now() + jiff::SignedDuration::from_secs(1);
        let journal = [younger.clone(), record.clone()];
        let due = younger.approved_at + GRACE;
        // Its `before` is not our `after`, so it tells nothing until it has ended.
        assert_eq!(
            step(&record, &journal, Some(&moved_on), late, GRACE),
            Next::Wait(due)
        );
        let stopped = step(&record, &journal, Some(&moved_on), due, GRACE);
        assert!(
            matches!(stopped, Next::Settle(Phase::Stopped { .. })),
            "{stopped:?}"
        );
    }

    #[test]
    fn anything_else_stops_and_calls_a_person() {
        let (record, before) = record();
        let late = example::now() + GRACE;
        let other = edited(&before, |json| json["spec"]["hosts"] = json!(["x"]));
        assert!(matches!(
            step(&record, &[], Some(&other), late, GRACE),
            Next::Settle(Phase::Stopped { .. })
        ));
        assert!(matches!(
            step(&record, &[], None, late, GRACE),
            Next::Settle(Phase::Stopped { .. })
        ));
    }
}
