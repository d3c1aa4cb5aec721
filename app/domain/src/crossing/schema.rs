//! The definitions in `k8s/crds` say what the types say: fields, which of them must be there, and their types. Bounds and rules are the
//! definitions' own.

use super::{
    act::Revocable, evidence::EvidenceSpec, exception::ExceptionSpec, migration::Migration,
    report::ReportSpec, signoff::SignOffSpec, signoff::SignOffStatus, waiver::WaiverSpec,
};
use crate::{
    canary::{spec::Spec, status::Status},
    freeze::Freeze,
};
use schemars::{JsonSchema, schema_for};
use serde_json::{Map, Value, json};

/// A schema without what only one of the two sides says.
fn shape(schema: &Value, all: &Value, field: &str) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.strip_prefix('#').unwrap();
        return shape(all.pointer(pointer).unwrap(), all, field);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let some: Vec<&Value> = any.iter().filter(|it| it["type"] != "null").collect();
        assert_eq!(some.len(), 1, "{field} is more than one thing");
        return shape(some[0], all, field);
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|it| **it != "null").unwrap().clone(),
        Value::Null => json!("string"),
        kind => kind.clone(),
    };
    let mut shape_of = Map::from_iter([("type".to_owned(), kind)]);
    if schema["format"] == "date-time" {
        shape_of.insert("format".into(), json!("date-time"));
    }
    if let Some(fields) = variants(schema) {
        let each = fields.map(|(name, schema)| (name.clone(), shape(schema, all, name)));
        return json!({"type": "object", "properties": Map::from_iter(each)});
    }
    let mut words: Vec<Value> = schema["enum"].as_array().cloned().unwrap_or_default();
    words.extend(
        schema["oneOf"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|one| match &one["enum"] {
                Value::Array(words) => words.clone(),
                _ => vec![one["const"].clone()],
            }),
    );
    // Naru's own list of kinds grows; the API server need not know it.
    if !words.is_empty() && field != "kind" {
        words.sort_by_key(Value::to_string);
        shape_of.insert("enum".into(), words.into());
    }
    if let Some(fields) = schema["properties"].as_object() {
        let each = fields
            .iter()
            .map(|(name, schema)| (name.clone(), shape(schema, all, name)));
        let mut each: Vec<_> = each.collect();
        each.sort_by(|a, b| a.0.cmp(&b.0));
        shape_of.insert("properties".into(), Value::Object(each.into_iter().collect()));
    }
    if let Some(required) = schema["required"].as_array().filter(|it| !it.is_empty()) {
        let mut required = required.clone();
        required.sort_by_key(Value::to_string);
        shape_of.insert("required".into(), required.into());
    }
    for inner in ["items", "additionalProperties"] {
        if schema[inner].is_object() {
            shape_of.insert(inner.into(), shape(&schema[inner], all, field));
        }
    }
    Value::Object(shape_of)
}

/// An enum whose variants hold something, each under its name: in a definition a property each, of which one is there.
fn variants(schema: &Value) -> Option<impl Iterator<Item = (&String, &Value)>> {
    let each = schema["oneOf"].as_array()?;
    let fields = each.iter().map(|it| it["properties"].as_object());
    let fields: Option<Vec<_>> = fields.collect();
    Some(fields?.into_iter().flatten())
}

fn held<T: JsonSchema>(definition: &str, part: &str) {
    let definition: Value = serde_saphyr::from_str(definition).unwrap();
    let written = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][part];
    let typed = serde_json::to_value(schema_for!(T)).unwrap();
    let (written, typed) = (shape(written, written, part), shape(&typed, &typed, part));
    let apart = crate::object::differences(&written, &typed, 10);
    assert!(apart.is_empty(), "{part}: {apart:?}\n{written:#}\n{typed:#}");
}

#[test]
fn the_definitions_say_what_the_types_say() {
    held::<Migration>(include_str!("../../../../k8s/crds/migrations.yaml"), "spec");
    held::<EvidenceSpec>(include_str!("../../../../k8s/crds/evidences.yaml"), "spec");
    held::<SignOffSpec>(include_str!("../../../../k8s/crds/signoffs.yaml"), "spec");
    held::<SignOffStatus>(include_str!("../../../../k8s/crds/signoffs.yaml"), "status");
    held::<WaiverSpec>(include_str!("../../../../k8s/crds/waivers.yaml"), "spec");
    held::<Revocable>(include_str!("../../../../k8s/crds/waivers.yaml"), "status");
    held::<ExceptionSpec>(include_str!("../../../../k8s/crds/exceptions.yaml"), "spec");
    held::<Revocable>(include_str!("../../../../k8s/crds/exceptions.yaml"), "status");
    held::<ReportSpec>(include_str!("../../../../k8s/crds/reports.yaml"), "spec");
    held::<Spec>(include_str!("../../../../k8s/crds/canaries.yaml"), "spec");
    held::<Status>(include_str!("../../../../k8s/crds/canaries.yaml"), "status");
    held::<Freeze>(include_str!("../../../../k8s/crds/freezes.yaml"), "spec");
}

/// A definition without a bound lets one object fill etcd, and its rules cost more than the API server allows.
#[test]
fn every_text_list_and_map_of_the_definitions_is_bounded() {
    fn unbounded(schema: &Value, path: &str, found: &mut Vec<String>) {
        let bound = match schema["type"].as_str() {
            Some("string") if schema["enum"].is_null() && schema["format"].is_null() => "maxLength",
            Some("array") => "maxItems",
            Some("object") if schema["additionalProperties"].is_object() => "maxProperties",
            _ => "type",
        };
        if schema[bound].is_null() {
            found.push(format!("{path}: {bound}"));
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            unbounded(inner, &format!("{path}/{name}"), found);
        }
        for inner in ["items", "additionalProperties"] {
            if schema[inner].is_object() {
                unbounded(&schema[inner], &format!("{path}/{inner}"), found);
            }
        }
    }
    let mut found = Vec::new();
    for definition in [
        include_str!("../../../../k8s/crds/migrations.yaml"),
        include_str!("../../../../k8s/crds/evidences.yaml"),
        include_str!("../../../../k8s/crds/signoffs.yaml"),
        include_str!("../../../../k8s/crds/waivers.yaml"),
        include_str!("../../../../k8s/crds/exceptions.yaml"),
        include_str!("../../../../k8s/crds/reports.yaml"),
        include_str!("../../../../k8s/crds/canaries.yaml"),
        include_str!("../../../../k8s/crds/freezes.yaml"),
    ] {
        let definition: Value = serde_saphyr::from_str(definition).unwrap();
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let name = definition["metadata"]["name"].as_str().unwrap();
        unbounded(schema, name, &mut found);
    }
    assert_eq!(found, Vec::<String>::new());
}
