//! Who wrote what stands in an object, read off `managedFields`.
//!
//! Times there are to the second and belong to a manager, not to a field: the latest manager may have written something else. Who last changed a
//! field by an update owns it alone, until somebody else changes it (Kubernetes documentation, "Server-Side Apply", field management), so the
//! owner of the field is asked for first, and the latest manager only where nobody owns it.

use super::record::Record;
use crate::{Name, Timestamp, object::Object};
use naru_view::change::{Writer, Written};
use serde_json::Value;

/// Who wrote what stands at a path (RFC 6901 JSON pointer), or in the object where nobody is recorded there; None where nobody is recorded at
/// all. `journal` says who is behind Naru's own changes.
pub fn of<'a>(object: &Object, path: &str, journal: impl IntoIterator<Item = &'a Record>) -> Option<Writer> {
    let entries = object.list("/metadata/managedFields").iter();
    let entries: Vec<Entry<'_>> = entries.filter_map(Entry::read).collect();
    let owner = latest(entries.iter().filter(|it| it.owns(path)));
    let &Entry { manager, at, .. } = owner.or_else(|| latest(entries.iter()))?;
    let actor = |name: &str| {
        let mut journal = journal.into_iter();
        let entry = journal.find(|it| *it.key.name == *name && it.target == *object.key());
        entry.map_or_else(Name::default, |it| it.actor.name.clone())
    };
    Some(Writer {
        manager: manager.into(),
        at: at.map(Timestamp::as_millisecond),
        change: manager.strip_prefix(PREFIX).map(|name| Written {
            name: name.into(),
            actor: actor(name),
        }),
    })
}

/// What a change's field manager begins with; its name in the journal follows.
pub(super) const PREFIX: &str = "naru-";

/// What people call a writer: by name if the journal has it.
pub fn name(writer: &Writer) -> Name {
    let actor = writer.change.as_ref().map(|it| &it.actor);
    actor
        .filter(|it| !it.is_empty())
        .unwrap_or(&writer.manager)
        .clone()
}

fn latest<'e, 'a: 'e>(entries: impl Iterator<Item = &'e Entry<'a>>) -> Option<&'e Entry<'a>> {
    entries.max_by_key(|it| it.at)
}

/// One manager's fields.
struct Entry<'a> {
    manager: &'a str,
    at: Option<Timestamp>,
    fields: Option<&'a Value>,
}

impl<'a> Entry<'a> {
    /// None for who writes a subresource, such as a controller its status.
    fn read(json: &'a Value) -> Option<Self> {
        if json.get("subresource").is_some() {
            return None;
        }
        Some(Self {
            manager: json.get("manager")?.as_str()?,
            at: json
                .get("time")
                .and_then(Value::as_str)
                .and_then(|it| it.parse().ok()),
            fields: json.get("fieldsV1"),
        })
    }

    /// Whether it owns what is at the path, itself or with what holds it: lists of unknown keys are owned whole (`FieldsV1`).
    fn owns(&self, path: &str) -> bool {
        let Some(mut at) = self.fields else {
            return false;
        };
        for part in path.split('/').skip(1) {
            match at.get(format!("f:{part}")) {
                Some(below) => at = below,
                None => return at.as_object().is_some_and(serde_json::Map::is_empty),
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{name, of};
    use crate::object::{Kind, Object};
    use serde_json::{Value, json};

    const WEIGHT: &str = "/spec/http/0/route/1/weight";

    fn written(entries: &Value) -> Option<String> {
        let json = json!({"metadata": {"name": "v", "namespace": "n", "managedFields": entries}});
        let object = Object::new(Kind::VirtualService, json).unwrap();
        of(&object, WEIGHT, []).map(|it| name(&it).to_string())
    }

    fn entry(manager: &str, second: u32, fields: &Value) -> Value {
        json!({"manager": manager, "time": format!("2026-11-23T10:00:{second:02}Z"), "fieldsV1": fields})
    }

    #[test]
    fn who_owns_the_field_wrote_it_whoever_came_later() {
        let rules = || json!({"f:spec": {"f:http": {}}});
        let hosts =
            || json!({"f:spec": {".": {}, "f:hosts": {}}, "f:metadata": {"f:annotations": {"f:a": {}}}});
        let both = json!([
            entry("kubectl-patch", 3, &rules()),
            entry("kubectl-annotate", 9, &hosts())
        ]);
        assert_eq!(written(&both).as_deref(), Some("kubectl-patch"));
        // An apply and an update may own the same value.
        let twice = json!([entry("argocd", 3, &rules()), entry("kubectl-patch", 9, &rules())]);
        assert_eq!(written(&twice).as_deref(), Some("kubectl-patch"));
    }

    #[test]
    fn where_nobody_owns_it_the_latest_is_told() {
        let hosts = || json!({"f:spec": {"f:hosts": {}}});
        let others = json!([entry("a", 3, &hosts()), entry("b", 9, &hosts())]);
        assert_eq!(written(&others).as_deref(), Some("b"));
        assert_eq!(
            written(&json!([{"manager": "without-time"}])).as_deref(),
            Some("without-time")
        );
        let status = json!({"manager": "pilot", "subresource": "status", "time": "2026-11-23T10:00:09Z"});
        assert_eq!(written(&json!([status])), None);
        assert_eq!(written(&json!([])), None);
    }

    #[test]
    fn what_came_through_naru_is_the_change_s() {
        let object = |manager: &str| {
            let entries = json!([entry(manager, 1, &json!({"f:spec": {"f:http": {}}}))]);
            let json = json!({"metadata": {"name": "v", "namespace": "n", "managedFields": entries}});
            Object::new(Kind::VirtualService, json).unwrap()
        };
        let ours = of(&object("naru-weights-1"), WEIGHT, []).unwrap();
        assert_eq!(&*ours.change.as_ref().unwrap().name, "weights-1");
        // The entry is gone: what is left is what the API server calls it.
        assert_eq!(&*name(&ours), "naru-weights-1");
        assert_eq!(of(&object("kubectl"), WEIGHT, []).unwrap().change, None);
    }
}
