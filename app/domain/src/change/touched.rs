//! What a change touches: by its operations, and by the objects that they are carried out on.
//!
//! An entry of the journal says it too, in `spec.diff`, in words that whoever wrote the entry chose. What people decide by is read here.

use super::record::Record;
use crate::{
    Name,
    object::{Key, Object, canonical},
    snapshot::Objects,
};
use json_patch::{Patch, PatchOperation, jsonptr::Pointer};
use naru_view::canary::DiffLine;
use serde_json::Value;

/// Touched paths that an entry can name; the definition's.
pub(super) const MOST: usize = 256;

/// A touched path, as a change has left it and as it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apart {
    /// RFC 6901 JSON pointer.
    pub path: Name,
    /// The value that the change left, as JSON; None where it left none.
    pub left: Option<Name>,
    /// The value that stands there now, as JSON; None where there is none.
    pub now: Option<Name>,
}

/// Each path at which what was written into the two objects differs. None if there are more than an entry can name.
pub(super) fn between(before: &Object, after: &Object) -> Option<Vec<DiffLine>> {
    let paths = before.differences(after, MOST + 1);
    let line = |path: &Name| DiffLine {
        path: path.clone(),
        label: label(path, |beside| before.get(beside)),
        before: before.get(path).map(text),
        after: after.get(path).map(text),
    };
    (paths.len() <= MOST).then(|| paths.iter().map(line).collect())
}

/// Each path that an entry's operations touch, with the values that its undo and its operations put there.
pub fn of(record: &Record) -> Vec<DiffLine> {
    let tested = |beside: &str| {
        record.ops.0.iter().find_map(|op| match op {
            PatchOperation::Test(test) if test.path.as_str() == beside => Some(&test.value),
            _ => None,
        })
    };
    let line = |(path, what): (&str, What<'_>)| DiffLine {
        path: path.into(),
        label: match what {
            What::From(verb, from) => format!("{verb} {from}").into(),
            What::Value(_) => label(path, tested),
        },
        before: put(&record.undo, path).map(text),
        after: match what {
            What::Value(value) => value.map(text),
            What::From(..) => None,
        },
    };
    edits(&record.ops).map(line).collect()
}

/// The first touched path at which another value stands than the change left; None while all that it set stands.
pub fn moved(record: &Record, live: &Object) -> Option<DiffLine> {
    of(record)
        .into_iter()
        .find(|it| live.get(&it.path).map(text) != it.after)
}

/// The paths that a change touched, each as it was left and as it is in the object; none where the change or the object is not known.
pub fn apart(change: &Key, objects: &Objects) -> Vec<Apart> {
    let whole = &objects.whole;
    let record = whole.get(change).and_then(Record::read);
    let live = record.as_ref().and_then(|record| whole.get(&record.target));
    let (Some(record), Some(live)) = (&record, live) else {
        return Vec::new();
    };
    let each = |line: DiffLine| Apart {
        now: live.get(&line.path).map(text),
        left: line.after,
        path: line.path,
    };
    of(record).into_iter().map(each).collect()
}

/// What an operation puts at its path.
enum What<'a> {
    /// This; None takes away what is there.
    Value(Option<&'a Value>),
    /// What is at another path. Naru writes no such operation.
    From(&'static str, &'a Pointer),
}

fn edits(ops: &Patch) -> impl Iterator<Item = (&str, What<'_>)> {
    ops.0.iter().filter_map(|op| {
        let what = match op {
            PatchOperation::Test(_) => return None,
            PatchOperation::Add(op) => What::Value(Some(&op.value)),
            PatchOperation::Replace(op) => What::Value(Some(&op.value)),
            PatchOperation::Remove(_) => What::Value(None),
            PatchOperation::Move(op) => What::From("move", &op.from),
            PatchOperation::Copy(op) => What::From("copy", &op.from),
        };
        Some((op.path().as_str(), what))
    })
}

/// The value that operations leave at a path.
fn put<'a>(ops: &'a Patch, path: &str) -> Option<&'a Value> {
    match edits(ops).filter(|(at, _)| *at == path).last() {
        Some((_, What::Value(value))) => value,
        _ => None,
    }
}

/// Of a weight, the subset, the host or the backend that it belongs to.
fn label<'a>(path: &str, beside: impl Fn(&str) -> Option<&'a Value>) -> Name {
    let Some(entry) = path.strip_suffix("/weight") else {
        return "".into();
    };
    let text = |field: &str| beside(&format!("{entry}/{field}")).and_then(Value::as_str);
    let destination = beside(&format!("{entry}/destination"));
    let field = |name| destination.and_then(|it| it.get(name)?.as_str());
    let named = field("subset").or_else(|| field("host"));
    named.or_else(|| text("name")).unwrap_or("").into()
}

fn text(value: &Value) -> Name {
    canonical(value).into()
}

#[cfg(test)]
mod tests {
    use super::{MOST, between};
    use crate::object::{Kind, Object};
    use serde_json::json;

    #[test]
    fn more_paths_than_an_entry_can_name_are_not_half_shown() {
        let object = |hosts: usize| {
            let hosts: Vec<String> = (0..hosts).map(|n| format!("h{n}")).collect();
            let json = json!({"metadata": {"namespace": "n", "name": "a"}, "spec": {"hosts": hosts}});
            Object::new(Kind::VirtualService, json).unwrap()
        };
        let paths = |hosts| between(&object(0), &object(hosts)).map(|lines| lines.len());
        assert_eq!(paths(MOST), Some(MOST));
        assert_eq!(paths(MOST + 1), None);
    }
}
