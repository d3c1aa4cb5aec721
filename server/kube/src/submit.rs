//! Reading and writing one object.

use crate::{
    answer::{error, lost},
    identity::impersonate,
    path,
    wire::{Answer, Wire},
};
use http::{HeaderValue, Method, Request, StatusCode, header};
use naru_domain::{
    Name,
    object::{Key, Kind, Object, Write, guarded},
};
use naru_ports::{As, ClusterError, Submitted};
use serde_json::{Value, json};

/// The API server takes objects up to 3 MB, and stores up to 1.5 MB.
const OBJECT_LIMIT: usize = 8 << 20;

/// Reads one object under Naru's own identity.
pub(crate) async fn get(wire: &Wire, key: &Key) -> Result<Object, ClusterError> {
    // A name that no object can have is one that is not there.
    let url = path::object(key).ok_or(ClusterError::NotFound)?;
    let request = build(Request::get(url).body(Vec::new()))?;
    // Nothing is written, so that no answer leaves a doubt.
    let answer = wire
        .ask(request, OBJECT_LIMIT)
        .await
        .map_err(|trouble| lost(trouble, true))?;
    if answer.status != StatusCode::OK {
        return Err(error(&answer, true));
    }
    object(key.kind, &answer).map_err(ClusterError::Unreachable)
}

/// Writes, or asks what writing would do.
pub(crate) async fn submit(
    wire: &Wire,
    who: As<'_>,
    write: &Write,
    dry_run: bool,
    manager: &str,
) -> Result<Submitted, ClusterError> {
    let mut request = request(write, dry_run, manager)?;
    if let As::Person(who) = who {
        impersonate(request.headers_mut(), who)
            .map_err(|error| ClusterError::Forbidden(error.to_string().into()))?;
    }
    let answer = wire
        .ask(request, OBJECT_LIMIT)
        .await
        .map_err(|trouble| lost(trouble, dry_run))?;
    if answer.status == StatusCode::UNPROCESSABLE_ENTITY {
        return Err(unprocessable(wire, write, &answer).await);
    }
    if !answer.status.is_success() {
        return Err(error(&answer, dry_run));
    }
    // The answer to the one is a Status or the object, to the other a Scale.
    if let Write::Delete { .. } | Write::Scale { .. } = write {
        return Ok(Submitted { object: None });
    }
    match object(write.key().kind, &answer) {
        Ok(object) => Ok(Submitted { object: Some(object) }),
        Err(detail) if dry_run => Err(ClusterError::Unreachable(detail)),
        Err(detail) => Err(ClusterError::Unsure(detail)),
    }
}

/// 422 is the answer to a failed `test` as well as to a refused result. If the object is no longer as it was when the write was
/// planned, that is what went wrong, whatever else did.
async fn unprocessable(wire: &Wire, write: &Write, answer: &Answer) -> ClusterError {
    if let Write::Patch { key, rv, .. } | Write::PatchStatus { key, rv, .. } = write {
        match get(wire, key).await {
            Ok(now) if now.resource_version() != *rv => return ClusterError::Conflict,
            Err(ClusterError::NotFound) => return ClusterError::NotFound,
            _ => {}
        }
    }
    if let Write::Scale { key, from, .. } = write {
        match get(wire, key).await {
            Ok(now) if replicas(&now) != u64::from(*from) => return ClusterError::Conflict,
            Err(ClusterError::NotFound) => return ClusterError::NotFound,
            _ => {}
        }
    }
    ClusterError::Invalid(answer.said())
}

/// How many pods a workload wants; the API server writes the field out.
fn replicas(workload: &Object) -> u64 {
    workload
        .get("/spec/replicas")
        .and_then(Value::as_u64)
        .unwrap_or_default()
}

fn request(write: &Write, dry_run: bool, manager: &str) -> Result<Request<Vec<u8>>, ClusterError> {
    let invalid = |what: &str| ClusterError::Invalid(what.into());
    let query = format!(
        "?fieldManager={}{}",
        path::encode(manager),
        if dry_run { "&dryRun=All" } else { "" }
    );
    let at = |key: &Key| path::object(key).ok_or_else(|| invalid("no object can have this name"));
    let (method, url, media, body) = match write {
        Write::Create(object) => {
            let key = object.key();
            at(key)?;
            // Strict: a misspelt field is refused instead of dropped.
            let url = format!(
                "{}{query}&fieldValidation=Strict",
                path::collection(key.kind, Some(&key.namespace))
            );
            (Method::POST, url, "application/json", object.json().clone())
        }
        Write::Patch { key, rv, ops } | Write::PatchStatus { key, rv, ops } => {
            // To the API server an empty resourceVersion, or 0, means "whatever is there".
            if matches!(&**rv, "" | "0") {
                return Err(invalid("a patch without a resourceVersion"));
            }
            let part = if let Write::PatchStatus { .. } = write {
                "/status"
            } else {
                ""
            };
            let ops = serde_json::to_value(guarded(rv, ops)).map_err(|error| invalid(&error.to_string()))?;
            (
                Method::PATCH,
                format!("{}{part}{query}", at(key)?),
                "application/json-patch+json",
                ops,
            )
        }
        Write::Scale { key, from, to } => {
            // A Scale of 0 leaves the field out.
            let before = if *from == 0 {
                json!({})
            } else {
                json!({ "replicas": from })
            };
            let ops = json!([{"op": "test", "path": "/spec", "value": before},
                {"op": "add", "path": "/spec/replicas", "value": to}]);
            let url = format!("{}/scale{query}", at(key)?);
            (Method::PATCH, url, "application/json-patch+json", ops)
        }
        Write::Delete { key, uid, rv } => {
            if uid.is_empty() || rv.is_empty() {
                return Err(invalid("a deletion without uid and resourceVersion"));
            }
            let dry: &[&str] = if dry_run { &["All"] } else { &[] };
            let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background",
                "preconditions": {"uid": uid, "resourceVersion": rv}, "dryRun": dry});
            (Method::DELETE, at(key)?, "application/json", options)
        }
    };
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header(header::CONTENT_TYPE, HeaderValue::from_static(media));
    build(request.body(body.to_string().into_bytes()))
}

fn build(request: Result<Request<Vec<u8>>, http::Error>) -> Result<Request<Vec<u8>>, ClusterError> {
    request.map_err(|error| ClusterError::Invalid(error.to_string().into()))
}

fn object(kind: Kind, answer: &Answer) -> Result<Object, Name> {
    let json: Value =
        serde_json::from_slice(&answer.body).map_err(|error| format!("no JSON in the answer: {error}"))?;
    Object::new(kind, json).map_err(|error| error.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::{Key, Kind, Write, request};
    use naru_ports::ClusterError;

    #[test]
    fn a_write_without_its_guard_is_not_sent() {
        let key = || Key::new(Kind::VirtualService, "n", "a");
        let ops = || naru_patch("[]");
        for rv in ["", "0"] {
            for write in [
                Write::Patch {
                    key: key(),
                    rv: rv.into(),
                    ops: ops(),
                },
                Write::PatchStatus {
                    key: key(),
                    rv: rv.into(),
                    ops: ops(),
                },
            ] {
                assert!(
                    matches!(request(&write, false, "m"), Err(ClusterError::Invalid(_))),
                    "{write:?}"
                );
            }
        }
        let write = Write::Delete {
            key: key(),
            uid: "".into(),
            rv: "1".into(),
        };
        assert!(matches!(
            request(&write, false, "m"),
            Err(ClusterError::Invalid(_))
        ));
    }

    #[test]
    fn dry_runs_and_the_manager_are_said() {
        let write = Write::PatchStatus {
            key: Key::new(Kind::Change, "n", "a"),
            rv: "5".into(),
            ops: naru_patch("[]"),
        };
        let request = request(&write, true, "naru-a b").unwrap();
        let url = "/apis/naru.dev/v1alpha1/namespaces/n/changes/a/status?fieldManager=naru-a%20b&dryRun=All";
        assert_eq!(request.uri(), url);
        let body = r#"[{"op":"replace","path":"/metadata/resourceVersion","value":"5"}]"#;
        assert_eq!(std::str::from_utf8(request.body()).unwrap(), body);
    }

    fn naru_patch<T: serde::de::DeserializeOwned>(json: &str) -> T {
        serde_json::from_str(json).unwrap()
    }
}
