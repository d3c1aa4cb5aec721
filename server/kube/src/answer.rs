//! What the API server's answers mean.

use crate::wire::{Answer, Trouble, retry_after};
use http::StatusCode;
use naru_domain::{Name, SourceName, Why, object::Kind};
use naru_ports::ClusterError;
use serde::Deserialize;

const KUBERNETES: SourceName = SourceName::Kubernetes;

/// People read it: an admission webhook may say whole pages.
const SAID_LIMIT: usize = 600;

/// The API server's own error (`metav1.Status`), as far as it is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub(crate) code: u16,
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl Answer {
    /// The error that it carries; if it carries none, only the status's own name is known.
    pub(crate) fn status(&self) -> Status {
        let read: Option<Status> = serde_json::from_slice(&self.body).ok();
        let mut read = read
            .filter(|status| !status.message.is_empty())
            .unwrap_or_default();
        if read.message.is_empty() {
            read.message = self.status.to_string();
        }
        read
    }

    /// The API server's words.
    pub(crate) fn said(&self) -> Name {
        shorten(&self.status().message)
    }
}

/// Cuts a text to a length that people read.
pub(crate) fn shorten(text: &str) -> Name {
    match text.char_indices().nth(SAID_LIMIT) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]).into(),
    }
}

/// Why a kind cannot be watched, after no answer.
pub(crate) fn unwatched(trouble: Trouble) -> Why {
    match trouble {
        Trouble::Unsent(detail) | Trouble::Cut(detail) => Why::Unreachable {
            source: KUBERNETES,
            detail,
        },
        Trouble::TimedOut(after) => Why::TimedOut {
            source: KUBERNETES,
            after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
        },
        Trouble::TooLarge(limit) => garbled(&format!("an answer of more than {limit} bytes")),
    }
}

/// Why a kind cannot be watched, after such an answer.
pub(crate) fn refused(kind: Kind, verb: &'static str, answer: &Answer) -> Why {
    match answer.status {
        StatusCode::FORBIDDEN => Why::Forbidden {
            verb: verb.into(),
            resource: kind.plural().into(),
            namespace: None,
        },
        status => Why::Failed {
            source: KUBERNETES,
            status: status.as_u16(),
            detail: answer.said(),
        },
    }
}

/// What should have been the Kubernetes API's JSON is something else. `detail` never repeats what was sent.
pub(crate) fn garbled(detail: &str) -> Why {
    Why::Garbled {
        source: KUBERNETES,
        detail: shorten(detail),
    }
}

/// What no answer to a write means. A dry run cannot have landed.
pub(crate) fn lost(trouble: Trouble, dry_run: bool) -> ClusterError {
    let (unsent, detail) = match trouble {
        Trouble::Unsent(detail) => (true, detail),
        Trouble::Cut(detail) => (false, detail),
        Trouble::TimedOut(after) => (false, format!("no answer within {after:?}").into()),
        Trouble::TooLarge(limit) => (false, format!("an answer of more than {limit} bytes").into()),
    };
    if unsent || dry_run {
        ClusterError::Unreachable(detail)
    } else {
        ClusterError::Unsure(detail)
    }
}

/// What a refused request means, apart from 422, of which the status alone does not tell.
pub(crate) fn error(answer: &Answer, dry_run: bool) -> ClusterError {
    let Status { reason, .. } = answer.status();
    let said = answer.said();
    match answer.status {
        StatusCode::CONFLICT if reason == "AlreadyExists" => ClusterError::Exists,
        StatusCode::CONFLICT => ClusterError::Conflict,
        StatusCode::NOT_FOUND => ClusterError::NotFound,
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => ClusterError::Forbidden(said),
        StatusCode::TOO_MANY_REQUESTS => ClusterError::Throttled(retry_after(&answer.headers)),
        status if status.is_client_error() => ClusterError::Invalid(said),
        // Admission comes before storage: a webhook that cannot be called has kept the write from landing.
        StatusCode::INTERNAL_SERVER_ERROR
            if said.starts_with("Internal error occurred: failed calling webhook") =>
        {
            ClusterError::Invalid(said)
        }
        _ if dry_run => ClusterError::Unreachable(said),
        _ => ClusterError::Unsure(said),
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, ClusterError, error, shorten};
    use http::{HeaderMap, StatusCode};

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.into(),
        }
    }

    #[test]
    fn a_server_error_after_a_write_is_unsure_unless_it_was_a_webhook_or_a_dry_run() {
        let html = answer(503, "<html>upstream connect error</html>");
        assert_eq!(
            error(&html, false),
            ClusterError::Unsure("503 Service Unavailable".into())
        );
        assert_eq!(
            error(&html, true),
            ClusterError::Unreachable("503 Service Unavailable".into())
        );
        let webhook = answer(
            500,
            r#"{"kind":"Status","message":"Internal error occurred: failed calling webhook \"v\": refused"}"#,
        );
        assert!(matches!(error(&webhook, false), ClusterError::Invalid(_)));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let cut = shorten(&"가".repeat(1000));
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (601, true));
        assert_eq!(&*shorten("short"), "short");
    }
}
