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
use naru_view::canary::{RouteRef, RuleList, SetWeights, WeightOf};
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
        list: RuleList::Http,
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

#[test]
fn what_was_taken_back_has_landed_although_the_object_is_as_before() {
    let (record, before) = record();
    let mut undo = record.clone();
    undo.key.name = "u1".into();
    undo.rv = "9".into();
    undo.intent = Intent::Undo {
        namespace: record.key.namespace.clone(),
        change: record.key.name.clone(),
    };
    let moved = edited(&before, |json| json["metadata"]["resourceVersion"] = json!("10"));
    let late = example::now() + GRACE;
    let not = step(
        &record,
        &[record.clone(), undo.clone()],
        Some(&moved),
        late,
        GRACE,
    );
    assert!(
        matches!(not, Next::Settle(Phase::NotCarriedOut { .. })),
        "{not:?}"
    );
    undo.phase = Phase::Landed {
        at: late,
        rv: "10".into(),
    };
    for now in [example::now(), late] {
        let landed = step(&record, &[record.clone(), undo.clone()], Some(&moved), now, GRACE);
        assert!(matches!(landed, Next::Settle(Phase::Landed { .. })), "{landed:?}");
    }
}
