//! Questions about rights: SubjectAccessReviews of a person, as they would be impersonated.

use crate::{
    answer::{error, lost},
    identity::{ISSUER, PERSON, SUB, groups},
    wire::Wire,
};
use futures::{StreamExt as _, TryStreamExt as _};
use http::{Request, header};
use naru_domain::actor::Actor;
use naru_ports::{Access, ClusterError};
use serde_json::{Value, json};

/// An answer is a few hundred bytes.
const LIMIT: usize = 1 << 20;

/// Asked at once: a scope of a hundred namespaces must not crowd out the watches.
const TOGETHER: usize = 16;

/// One answer for each question, in order.
pub(crate) async fn may(wire: &Wire, who: &Actor, asks: &[Access]) -> Result<Vec<bool>, ClusterError> {
    groups(who).map_err(|error| ClusterError::Forbidden(error.to_string().into()))?;
    let questions: Vec<_> = asks.iter().map(|ask| one(wire, review(who, ask))).collect();
    futures::stream::iter(questions)
        .buffered(TOGETHER)
        .try_collect()
        .await
}

/// `system:authenticated` is what impersonation adds by itself.
fn review(who: &Actor, ask: &Access) -> Value {
    let mut groups: Vec<&str> = who.groups.iter().map(|group| &**group).collect();
    groups.push("system:authenticated");
    json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": PERSON, "groups": groups, "extra": {SUB: [who.sub], ISSUER: [who.issuer]},
            "resourceAttributes": {"verb": ask.verb, "group": ask.kind.group(), "version": ask.kind.version(),
                "resource": ask.kind.plural(), "namespace": ask.namespace.as_deref().unwrap_or(""),
                "name": ask.name.as_deref().unwrap_or("")},
        }
    })
}

/// Whether the review's subject may.
pub(crate) async fn one(wire: &Wire, review: Value) -> Result<bool, ClusterError> {
    let answer = ask(
        wire,
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        &review,
    )
    .await?;
    let allowed = answer.pointer("/status/allowed").and_then(Value::as_bool);
    allowed.ok_or_else(|| ClusterError::Unreachable("the answer is no SubjectAccessReview".into()))
}

/// Posts a review, and reads it back with its status.
pub(crate) async fn ask(wire: &Wire, path: &'static str, review: &Value) -> Result<Value, ClusterError> {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(review.to_string().into_bytes())
        .map_err(|error| ClusterError::Invalid(error.to_string().into()))?;
    // A question leaves nothing behind, like a dry run.
    let answer = wire
        .ask(request, LIMIT)
        .await
        .map_err(|trouble| lost(trouble, true))?;
    if !answer.status.is_success() {
        return Err(error(&answer, true));
    }
    serde_json::from_slice(&answer.body)
        .map_err(|_| ClusterError::Unreachable("the answer is no review".into()))
}
