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
    if others_apply(object) {
        return Leaves::Nothing;
    }
    let application = called.as_str().into();
    if objects.gap(Kind::Application).is_some() {
        return Leaves::Unread { application };
    }
    // In another namespace than Argo CD's own it is called NAMESPACE_NAME.
    let is_it = |it: &&Object| {
        let key = it.key();
        (*key.name == *called && is_home(objects, &key.namespace))
            || format!("{}_{}", key.namespace, key.name) == called
    };
    let mut found = objects.of_kind(Kind::Application).filter(is_it);
    let (Some(it), None) = (found.next(), found.next()) else {
        return Leaves::Unread { application };
    };
    let application: Name = format!("{}/{}", it.key().namespace, it.key().name).into();
    let ignored = it.list("/spec/ignoreDifferences").iter();
    let ignored: Vec<&Value> = ignored.filter(|it| is_about(it, object)).collect();
    if !paths
        .iter()
        .all(|path| ignored.iter().any(|it| covers(it, object, path)))
    {
        return Leaves::Takes { application };
    }
    let options = it.list("/spec/syncPolicy/syncOptions");
    match options.iter().any(|it| it.as_str() == Some(RESPECT)) {
        true => Leaves::Kept { application },
        false => Leaves::UntilSync { application },
    }
}

/// Whether Argo CD itself is in a namespace: the usual one, or where its controller runs.
fn is_home(objects: &Objects, namespace: &str) -> bool {
    let controller = |it: &Object| {
        *it.key().namespace == *namespace
            && it.label("app.kubernetes.io/name") == Some("argocd-application-controller")
    };
    namespace == "argocd" || objects.of_kind(Kind::StatefulSet).any(controller)
}

/// Whether somebody else applies it too, and would take back what Argo CD leaves alone.
fn others_apply(object: &Object) -> bool {
    super::FLUX.iter().any(|it| object.label(it).is_some())
}

/// The name by which Argo CD knows its Application; None of an annotation that came along with a copy of another object.
fn application(object: &Object) -> Option<String> {
    if let Some(id) = object.annotation(TRACKING) {
        let (name, about) = id.split_once(':')?;
        let key = object.key();
        let here = format!(
            "{}/{}:{}/{}",
            key.kind.group(),
            key.kind.name(),
            key.namespace,
            key.name
        );
        return (about == here).then(|| name.to_owned());
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
fn covers(entry: &Value, object: &Object, path: &str) -> bool {
    let texts = |field: &str| {
        let list = entry.get(field).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    };
    let tokens: Vec<&str> = path.split('/').skip(1).collect();
    let within = |it: &str| {
        path.strip_prefix(it)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    texts("jsonPointers").any(|it| it.starts_with('/') && within(it))
        || texts("jqPathExpressions").filter_map(parse).any(|steps| {
            steps.len() <= tokens.len()
                && steps.iter().zip(&tokens).all(|(step, token)| step.part.is(token))
                && runs(object.json(), &steps)
        })
}

/// One step of a jq path.
#[derive(Debug, PartialEq)]
struct Step {
    part: Part,
    /// What it does not fit is passed over (`?`), rather than an error.
    lenient: bool,
}

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

/// Whether a path runs to its end on a value. An expression that fails anywhere takes nothing out anywhere: `.spec.http[].route[].weight` fails where one
/// rule redirects, and has no `route` (jq manual: null can be asked for a field, and not for each of its values).
fn runs(value: &Value, steps: &[Step]) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return true;
    };
    match (&step.part, value) {
        (Part::Field(name), Value::Object(fields)) => runs(fields.get(name).unwrap_or(&Value::Null), rest),
        (Part::Index(index), Value::Array(all)) => runs(all.get(*index).unwrap_or(&Value::Null), rest),
        (Part::Field(_) | Part::Index(_), Value::Null) => runs(&Value::Null, rest),
        (Part::Each, Value::Array(all)) => all.iter().all(|it| runs(it, rest)),
        (Part::Each, Value::Object(fields)) => fields.values().all(|it| runs(it, rest)),
        _ => step.lenient,
    }
}

/// A jq expression that is nothing but a path (jq manual, "Object Identifier-Index" to "Array/Object Value Iterator"); None for all others, whose meaning
/// would have to be worked out on the object.
fn parse(expression: &str) -> Option<Vec<Step>> {
    let mut rest = expression.trim();
    let mut steps: Vec<Step> = Vec::new();
    if !rest.starts_with('.') {
        return None;
    }
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('?') {
            steps.last_mut()?.lenient = true;
            rest = after;
            continue;
        }
        let after_dot = rest.strip_prefix('.');
        let part;
        if let Some(inside) = after_dot.unwrap_or(rest).strip_prefix('[') {
            let (index, after) = inside.split_once(']')?;
            part = match index.trim() {
                "" => Part::Each,
                index => match index.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
                    Some(name) if !name.contains(['"', '\\']) => Part::Field(name.to_owned()),
                    Some(_) => return None,
                    None => Part::Index(index.parse().ok()?),
                },
            };
            rest = after;
        } else {
            let field = after_dot?;
            let end = field.find(|it: char| !(it.is_ascii_alphanumeric() || it == '_'));
            let (name, after) = field.split_at(end.unwrap_or(field.len()));
            if name.is_empty() {
                return None;
            }
            part = Part::Field(name.to_owned());
            rest = after;
        }
        let lenient = false;
        steps.push(Step { part, lenient });
    }
    (!steps.is_empty()).then_some(steps)
}

#[cfg(test)]
mod tests;
