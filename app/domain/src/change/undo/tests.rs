use crate::{
    Refused,
    change::{
        example::Story,
        plan::{Intent, Plan, plan},
        record::{Phase, undone_by},
        recovery::{GRACE, step},
        touched::{apart, of},
    },
    object::{Kind, Object},
};
use naru_view::canary::DiffLine;
use serde_json::{Value, json};

fn undo(story: &Story) -> Result<Plan, Refused> {
    let intent = Intent::Undo {
        namespace: "user-service".into(),
        change: "a".into(),
    };
    plan(&intent, &story.snapshot())
}

/// A change that landed, of whose entry something is not true.
fn forged(wrong: impl FnOnce(&mut Value)) -> Story {
    let mut story = Story::new();
    story.weights("a", 80);
    let mut record = story.journal().remove(0);
    let end = record.phase.clone();
    story.enter(&mut record, Some(&end), wrong);
    story
}

fn line(position: u32, label: &str, before: &str, after: &str) -> DiffLine {
    DiffLine {
        path: format!("/spec/http/0/route/{position}/weight").into(),
        label: label.into(),
        before: Some(before.into()),
        after: Some(after.into()),
    }
}

#[test]
fn what_is_shown_is_what_would_be_done_whatever_the_entry_claims() {
    let honest = [line(0, "v1", "80", "90"), line(1, "v2", "20", "10")];
    for claim in [
        json!([]),
        json!([{"path": "/metadata/labels/harmless", "label": "x", "after": "1"}]),
    ] {
        let story = forged(|json| json["spec"]["diff"] = claim);
        assert_eq!(undo(&story).unwrap().diff, honest);
    }
}

#[test]
fn an_undo_that_does_more_than_bring_back_what_was_before_is_refused() {
    let story = forged(|json| {
        let more = json!({"op": "replace", "path": "/spec/hosts", "value": ["evil.example"]});
        json["spec"]["undo"].as_array_mut().unwrap().push(more);
    });
    assert_eq!(undo(&story), Err(Refused::NotUndoable));
}

#[test]
fn nothing_but_virtual_services_is_taken_back() {
    let story = forged(|json| json["spec"]["target"]["kind"] = json!("AuthorizationPolicy"));
    assert_eq!(undo(&story), Err(Refused::NotUndoable));
}

#[test]
fn after_an_edit_both_are_told_what_was_left_and_what_stands() {
    let mut story = forged(|json| json["spec"]["diff"] = json!([]));
    story.edit(|json| json["spec"]["http"][0]["route"][0]["weight"] = json!(55));
    let record = story.journal().remove(0);
    let both: Vec<_> = apart(&record.key, &story.objects)
        .into_iter()
        .map(|it| (it.left.unwrap().to_string(), it.now.unwrap().to_string()))
        .collect();
    assert_eq!(both, [("80".into(), "55".into()), ("20".into(), "20".to_owned())]);
    assert_eq!(
        of(&record),
        [line(0, "v1", "90", "80"), line(1, "v2", "10", "20")]
    );
}

#[test]
fn operations_that_naru_never_writes_are_named() {
    let story = forged(|json| {
        json["spec"]["ops"] = json!([{"op": "move", "from": "/spec/a", "path": "/spec/b"},
            {"op": "remove", "path": "/spec/c"}])
    });
    let told = of(&story.journal()[0]);
    let line = |path: &str, label: &str| DiffLine {
        path: path.into(),
        label: label.into(),
        before: None,
        after: None,
    };
    assert_eq!(told, [line("/spec/b", "move /spec/a"), line("/spec/c", "")]);
}

#[test]
fn who_edited_is_told_whatever_naru_wrote_after_them() {
    let mut story = Story::new();
    story.weights("a", 80);
    let at = |second: u32, manager: &str| json!({"manager": manager, "time": format!("2026-11-23T02:{second}:00Z")});
    let managers = |all: Vec<Value>| {
        move |json: &mut Value| {
            json["spec"]["hosts"] = json!(["x"]);
            json["metadata"]["managedFields"] = all.into();
        }
    };
    let refused = |story: &Story| match undo(story) {
        Err(Refused::ForeignEdit { manager }) => manager.to_string(),
        other => panic!("{other:?}"),
    };
    story.edit(managers(vec![
        at(10, "helm"),
        at(15, "kubectl-edit"),
        at(16, "naru-undo-b"),
    ]));
    assert_eq!(refused(&story), "kubectl-edit");
    story.edit(managers(vec![at(10, "helm"), at(16, "naru-weights-b")]));
    assert_eq!(refused(&story), "naru-weights-b");
}

#[test]
fn an_entry_of_another_namespace_says_nothing_of_what_was_taken_back_here() {
    for (field, value) in [
        ("/metadata/namespace", "elsewhere"),
        ("/spec/target/name", "another-service"),
        ("/spec/target/uid", "another-uid"),
    ] {
        let mut story = Story::new();
        story.weights("a", 80);
        story.undo("b", "a").unwrap();
        let journal = story.journal();
        let whole = |name: &str| journal.iter().find(|it| &*it.key.name == name).unwrap();
        assert_eq!(undone_by(&journal, whole("a")).as_deref(), Some("b"));
        let mut json = story.objects.whole[&Story::key("b")].json().clone();
        *json.pointer_mut(field).unwrap() = value.into();
        let forged = Object::new(Kind::Change, json).unwrap();
        story.objects.whole.remove(&Story::key("b"));
        story.objects.whole.insert(forged.key().clone(), forged);
        assert_eq!(undone_by(&story.journal(), whole("a")), None, "{field}");
    }
}

#[test]
fn a_time_far_from_the_api_servers_is_not_believed() {
    for (said, made, is) in [
        (
            "9999-12-30T21:59:59Z",
            Some("2026-01-01T00:00:00Z"),
            "2026-01-01T00:00:00Z",
        ),
        (
            "2026-01-01T00:01:15Z",
            Some("2026-01-01T00:00:00Z"),
            "2026-01-01T00:00:00Z",
        ),
        (
            "2026-01-01T00:00:00.5Z",
            Some("2026-01-01T00:00:01Z"),
            "2026-01-01T00:00:00.5Z",
        ),
        ("9999-12-30T21:59:59Z", None, "9999-12-30T21:59:59Z"),
    ] {
        let story = forged(|json| {
            json["spec"]["approvedAt"] = said.into();
            json["metadata"]["creationTimestamp"] = made.into();
        });
        let record = story.journal().remove(0);
        assert_eq!(record.approved_at.to_string(), is);
        // Whatever it is, nobody breaks on it.
        let open = crate::change::record::Record {
            phase: Phase::Intended,
            ..record
        };
        let _next = step(&open, &[], Some(story.live()), crate::example::now(), GRACE);
    }
}
