use super::{order, plan_all};
use crate::{
    Refused,
    change::{
        example::Story,
        record::{Phase, Record},
    },
    object::Key,
};
use naru_view::canary::DiffLine;
use serde_json::json;

fn names(story: &Story, first: &str) -> Result<Vec<String>, Refused> {
    let journal = story.journal();
    let order = order(&journal, &Story::key(first))?;
    Ok(order.iter().map(|record| record.key.name.to_string()).collect())
}

fn three() -> Story {
    let mut story = Story::new();
    story.weights("a", 80);
    story.weights("b", 70);
    story.weights("c", 60);
    story
}

#[test]
fn all_since_is_taken_back_newest_first_and_nothing_before() {
    let story = three();
    assert_eq!(names(&story, "a").unwrap(), ["c", "b", "a"]);
    assert_eq!(names(&story, "b").unwrap(), ["c", "b"]);
}

#[test]
fn a_change_and_its_own_undo_cancel_each_other() {
    let mut story = three();
    story.undo("u", "c").unwrap();
    assert_eq!(names(&story, "a").unwrap(), ["b", "a"]);
    story.weights("d", 50);
    assert_eq!(names(&story, "a").unwrap(), ["d", "b", "a"]);
    assert_eq!(names(&story, "c").unwrap(), ["d"]);
}

#[test]
fn an_undo_that_was_taken_back_itself_cancels_nothing() {
    let mut story = three();
    story.undo("u", "c").unwrap();
    story.undo("uu", "u").unwrap();
    // c stands again, and by the one that brought it back it is taken back.
    assert_eq!(names(&story, "a").unwrap(), ["uu", "b", "a"]);
}

#[test]
fn the_undo_of_what_came_before_is_a_change_like_any_other() {
    let mut story = three();
    story.undo("u", "c").unwrap();
    story.weights("d", 50);
    assert_eq!(names(&story, "u").unwrap(), ["d", "u"]);
}

#[test]
fn what_was_all_taken_back_is_nothing_to_do() {
    let mut story = three();
    story.undo("u", "c").unwrap();
    assert_eq!(names(&story, "c"), Err(Refused::NothingToDo));
}

#[test]
fn what_is_not_there_or_has_not_landed_is_refused() {
    let mut story = three();
    assert!(matches!(names(&story, "x"), Err(Refused::NotFound { .. })));
    let mut open = story.journal().remove(0);
    open.key = Story::key("open");
    story.enter(&mut open, None, |_| {});
    assert_eq!(names(&story, "open"), Err(Refused::NotUndoable));
    assert_eq!(names(&story, "a").unwrap(), ["c", "b", "a"]);
}

#[test]
fn other_objects_and_recreated_namesakes_are_left_alone() {
    let mut story = three();
    for (name, pointer) in [("other", "/spec/target/name"), ("again", "/spec/target/uid")] {
        let mut record = story.journal().remove(2);
        record.key = Story::key(name);
        let end = record.phase.clone();
        story.enter(&mut record, Some(&end), |json| {
            *json.pointer_mut(pointer).unwrap() = json!("another")
        });
    }
    assert_eq!(story.journal().len(), 5);
    assert_eq!(names(&story, "a").unwrap(), ["c", "b", "a"]);
}

/// The three with other times and resourceVersions in their entries.
fn told(story: &mut Story, entries: [(&str, &str, i64); 3]) {
    for (name, rv, minute) in entries {
        let of = |record: &Record| &*record.key.name == name;
        let mut record = story.journal().into_iter().find(of).unwrap();
        record.rv = rv.into();
        record.approved_at = jiff::Timestamp::from_second(minute * 60).unwrap();
        let end = record.phase.clone();
        story.enter(&mut record, Some(&end), |_| {});
    }
}

#[test]
fn the_api_servers_order_holds_where_clocks_differ_and_times_where_there_is_none() {
    let mut story = three();
    told(&mut story, [("a", "9", 3), ("b", "10", 2), ("c", "11", 1)]);
    assert_eq!(names(&story, "a").unwrap(), ["c", "b", "a"]);
    told(&mut story, [("a", "x", 3), ("b", "10", 2), ("c", "11", 1)]);
    assert_eq!(names(&story, "c").unwrap(), ["a", "b", "c"]);
}

fn values(diff: &[DiffLine]) -> Vec<String> {
    let value = |it: &Option<naru_view::Name>| it.clone().unwrap_or_default();
    let line = |it: &DiffLine| format!("{} {} → {}", it.label, value(&it.before), value(&it.after));
    diff.iter().map(line).collect()
}

fn keys(story: &Story, first: &str) -> Vec<Key> {
    let journal = story.journal();
    let order = order(&journal, &Story::key(first)).unwrap();
    order.into_iter().map(|record| record.key.clone()).collect()
}

#[test]
fn each_step_is_planned_on_what_the_steps_before_leave() {
    let story = three();
    let steps = plan_all(&keys(&story, "a"), &story.snapshot());
    assert_eq!(steps.refused, None);
    let all: Vec<_> = steps.plans.iter().map(|plan| values(&plan.diff)).collect();
    assert_eq!(
        all,
        [
            ["v1 60 → 70", "v2 40 → 30"],
            ["v1 70 → 80", "v2 30 → 20"],
            ["v1 80 → 90", "v2 20 → 10"],
        ]
    );
}

#[test]
fn planning_stops_at_an_edit_of_somebody_elses_between() {
    let mut story = Story::new();
    story.weights("a", 80);
    story.edit(|json| json["spec"]["hosts"] = json!(["x"]));
    story.weights("b", 70);
    let steps = plan_all(&keys(&story, "a"), &story.snapshot());
    assert_eq!(steps.plans.len(), 1);
    assert!(
        matches!(steps.refused, Some(Refused::ForeignEdit { .. })),
        "{steps:?}"
    );
    // What a touched stands as a left it, once b is taken back.
    assert!(
        steps.apart.len() == 2 && steps.apart.iter().all(|it| it.left == it.now),
        "{steps:?}"
    );
}

#[test]
fn an_entry_whose_end_nobody_wrote_down_is_read_off_the_object() {
    let mut story = three();
    let mut last = story.journal().remove(2);
    last.phase = Phase::Intended;
    story.enter(&mut last, None, |_| {});
    assert_eq!(
        names(&story, "a").unwrap(),
        ["b", "a"],
        "not known to have landed"
    );
    let (live, now) = (story.live().clone(), last.approved_at);
    crate::change::ended::settle(&mut story.objects, &live, now);
    assert_eq!(names(&story, "a").unwrap(), ["c", "b", "a"]);
}
