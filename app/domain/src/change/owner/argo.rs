//! What an Argo CD Application leaves alone of an object that it applies.
//!
//! `spec.ignoreDifferences` takes fields out of the comparison, so that self-healing passes them over; a sync still writes the whole object, unless the
//! sync option `RespectIgnoreDifferences=true` has Argo CD take the live values of those fields first (Argo CD user guide, "Diffing Customization" and
//! "Sync Options"). For kinds that come with a CustomResourceDefinition it does so by a JSON merge patch (RFC 7386), in which a list is one value: a
//! weight that is ignored keeps the whole list of rules as it is in the cluster (argo-cd issue 17694).
//!
//! What is set for all Applications in `argocd-cm` is not read: Naru asks for no ConfigMap of others. Where only that ignores the weights, Naru
//! refuses, which is false on the safe side.

use crate::{
    Name,
    object::{Kind, Object},
    snapshot::Objects,
};
use naru_view::why::Leaves;
use serde_json::Value;

/// The annotation by which Argo CD knows what it applies: `APPLICATION:GROUP/KIND:NAMESPACE/NAME`.
pub(super) const TRACKING: &str = "argocd.argoproj.io/tracking-id";

/// Labels with the Application's name, for installations that track by label.
const LABELS: [&str; 2] = ["argocd.argoproj.io/instance", "app.kubernetes.io/instance"];

const RESPECT: &str = "RespectIgnoreDifferences=true";

/// What the Application that applies this object does with the fields at these JSON pointers.
pub(super) fn leaves(objects: &Objects, object: &Object, paths: &[String]) -> Leaves {
    let Some(called) = application(object) else {
        return Leaves::Nothing;
    };
    let application = called.as_str().into();
    if objects.gap(Kind::Application).is_some() {
        return Leaves::Unread { application };
    }
    // In another namespace than Argo CD's own it is called NAMESPACE_NAME.
    let is_it = |it: &&Object| {
        let key = it.key();
        *key.name == *called || format!("{}_{}", key.namespace, key.name) == called
    };
    let mut found = objects.of_kind(Kind::Application).filter(is_it);
    let (Some(it), None) = (found.next(), found.next()) else {
        return Leaves::Unread { application };
    };
    let application: Name = format!("{}/{}", it.key().namespace, it.key().name).into();
    let ignored = it.list("/spec/ignoreDifferences").iter();
    let ignored: Vec<&Value> = ignored.filter(|it| is_about(it, object)).collect();
    if !paths.iter().all(|path| ignored.iter().any(|it| covers(it, path))) {
        return Leaves::Takes { application };
    }
    let options = it.list("/spec/syncPolicy/syncOptions");
    match options.iter().any(|it| it.as_str() == Some(RESPECT)) {
        true => Leaves::Kept { application },
        false => Leaves::UntilSync { application },
    }
}

fn application(object: &Object) -> Option<String> {
    if let Some(id) = object.annotation(TRACKING) {
        return Some(id.split_once(':').map_or(id, |(name, _)| name).to_owned());
    }
    let label = LABELS.into_iter().find_map(|it| object.label(it));
    label.map(ToOwned::to_owned)
}

/// Whether an entry of `ignoreDifferences` is about this object. Patterns other than `*` are taken to be about others.
fn is_about(entry: &Value, object: &Object) -> bool {
    let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or("");
    let key = object.key();
    let any = |pattern: &str, is: &str| pattern == "*" || pattern == is;
    let exact = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
    any(text("group"), key.kind.group())
        && any(text("kind"), key.kind.name())
        && exact(text("name"), &key.name)
        && exact(text("namespace"), &key.namespace)
}

/// Whether an entry takes the field at this JSON pointer out, or something that it is in.
fn covers(entry: &Value, path: &str) -> bool {
    let texts = |field: &str| {
        let list = entry.get(field).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    };
    let tokens: Vec<&str> = path.split('/').skip(1).collect();
    let pointer = |it: &str| path == it || path.strip_prefix(it).is_some_and(|rest| rest.starts_with('/'));
    texts("jsonPointers").any(pointer)
        || texts("jqPathExpressions").filter_map(parse).any(|parts| {
            parts.len() <= tokens.len() && parts.iter().zip(&tokens).all(|(part, token)| part.is(token))
        })
}

/// One step of a jq path.
#[derive(Debug, PartialEq)]
enum Part {
    Field(String),
    Index(usize),
    Each,
}

impl Part {
    fn is(&self, token: &str) -> bool {
        match self {
            Self::Field(name) => name == token,
            Self::Index(index) => token.parse() == Ok(*index),
            Self::Each => token.parse::<usize>().is_ok(),
        }
    }
}

/// A jq expression that is nothing but a path (jq manual, "Object Identifier-Index" to "Array/Object Value Iterator"); None for all others, whose meaning
/// would have to be worked out on the object.
fn parse(expression: &str) -> Option<Vec<Part>> {
    let mut rest = expression.trim();
    let mut parts = Vec::new();
    if !rest.starts_with('.') {
        return None;
    }
    while !rest.is_empty() {
        rest = rest.strip_prefix('?').unwrap_or(rest);
        let after_dot = rest.strip_prefix('.');
        if let Some(inside) = after_dot.unwrap_or(rest).strip_prefix('[') {
            let (index, after) = inside.split_once(']')?;
            parts.push(match index.trim() {
                "" => Part::Each,
                index => match index.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
                    Some(name) if !name.contains(['"', '\\']) => Part::Field(name.to_owned()),
                    Some(_) => return None,
                    None => Part::Index(index.parse().ok()?),
                },
            });
            rest = after;
        } else if let Some(field) = after_dot {
            let end = field.find(|it: char| !(it.is_ascii_alphanumeric() || it == '_'));
            let (name, after) = field.split_at(end.unwrap_or(field.len()));
            if name.is_empty() {
                return None;
            }
            parts.push(Part::Field(name.to_owned()));
            rest = after;
        } else if !rest.is_empty() {
            return None;
        }
    }
    (!parts.is_empty()).then_some(parts)
}

#[cfg(test)]
mod tests;
