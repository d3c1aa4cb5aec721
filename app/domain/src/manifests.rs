//! Objects from files, as `kubectl apply -f` takes them: no cluster is asked.

use crate::{
    fact::Fact,
    object::{Kind, Malformed},
    snapshot::Objects,
};
use serde_json::{Value, json};

/// Puts documents together. Kinds without a document are known to have none; documents of kinds that Naru does not know are passed over, `List`s are
/// taken apart, and a namespaced object without a namespace is in `default`. The last document of a name stands.
///
/// # Errors
/// The index of a document that is no object, and why.
pub fn objects(documents: impl IntoIterator<Item = Value>) -> Result<Objects, (usize, Malformed)> {
    let mut objects = Objects::all_known();
    for (index, document) in documents.into_iter().enumerate() {
        for (kind, json) in objects_of(document).map_err(|why| (index, why))? {
            objects.put(Fact::read(kind, json).map_err(|why| (index, why))?);
        }
    }
    Ok(objects)
}

/// One document's objects of kinds that Naru knows, each with its namespace: one, those of a `List`, or none.
///
/// # Errors
/// Why it is no object.
pub fn objects_of(mut document: Value) -> Result<Vec<(Kind, Value)>, Malformed> {
    if document.is_null() {
        return Ok(Vec::new());
    }
    let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or("");
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    if !document.is_object() {
        return Err(Malformed("the document is no map"));
    }
    if kind.is_empty() || api_version.is_empty() {
        return Err(Malformed("apiVersion or kind is missing"));
    }
    if kind.ends_with("List") {
        let items = document.get_mut("items").and_then(Value::as_array_mut);
        let items = items.map(std::mem::take).unwrap_or_default();
        let each: Vec<_> = items.into_iter().map(objects_of).collect::<Result<_, _>>()?;
        return Ok(each.into_iter().flatten().collect());
    }
    let Some(kind) = Kind::named(api_version, kind) else {
        return Ok(Vec::new());
    };
    if kind.namespaced()
        && let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut)
    {
        let namespace = metadata.entry("namespace").or_insert(json!("default"));
        if namespace.as_str().is_none_or(str::is_empty) {
            *namespace = json!("default");
        }
    }
    // What cannot be read is told now, before anything is made of it.
    Fact::read(kind, document.clone())?;
    Ok(vec![(kind, document)])
}

#[cfg(test)]
mod tests {
    use super::objects;
    use crate::object::Kind;
    use serde_json::json;

    #[test]
    fn kinds_are_told_by_group_lists_are_taken_apart_and_the_rest_is_passed_over() {
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}});
        let route = json!({"apiVersion": "networking.istio.io/v1beta1", "kind": "VirtualService", "metadata": {"name": "r", "namespace": "n"}});
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}});
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [service, secret]});
        let objects = objects([list, route, json!(null)]).unwrap();
        assert!(objects.service("default", "s").is_some());
        assert!(objects.object(Kind::VirtualService, "n", "r").is_some());
        assert_eq!(objects.gap(Kind::AuthorizationPolicy), None);
    }

    #[test]
    fn what_is_no_object_is_told_by_its_place() {
        let good = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}});
        for bad in [
            json!(3),
            json!([]),
            json!({"kind": "Service"}),
            json!({"apiVersion": "v1", "kind": "Service"}),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": []}),
        ] {
            let (index, _) = objects([good.clone(), bad.clone()]).unwrap_err();
            assert_eq!(index, 1, "{bad}");
        }
    }
}
