//! What open pages live on: `GET /live` is a doorbell (an event stream of `epoch:seq`), `GET /live/{part}` the body behind it.
//!
//! A viewer costs bytes, not work: bodies are encoded and compressed once for each scope and version.

mod doorbell;
mod encoded;

pub use doorbell::{Doorbell, STREAMS};
pub use encoded::{Encoded, Encoding};

use crate::sessions::Viewer;
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use naru_domain::{actor::Scope, object::Digest};
use naru_ports::Console;
use naru_view::{View, version::Version};
use std::sync::Arc;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The front page's.
    Overview,
    /// The graph.
    Topology,
    /// The weighted routes.
    Canaries,
    /// The journal.
    Changes,
    /// Whether everything stands still.
    Standstill,
}

impl Part {
    /// Each of them.
    pub const ALL: [Self; 5] = [
        Self::Overview,
        Self::Topology,
        Self::Canaries,
        Self::Changes,
        Self::Standstill,
    ];

    /// As it is called in the path.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Topology => "topology",
            Self::Canaries => "canaries",
            Self::Changes => "changes",
            Self::Standstill => "standstill",
        }
    }

    fn json(self, view: &View) -> std::io::Result<bytes::Bytes> {
        let json = match self {
            Self::Overview => serde_json::to_vec(&*view.overview),
            Self::Topology => serde_json::to_vec(&*view.topology),
            Self::Canaries => serde_json::to_vec(&*view.canaries),
            Self::Changes => serde_json::to_vec(&*view.changes),
            Self::Standstill => serde_json::to_vec(&*view.standstill),
        };
        Ok(json?.into())
    }
}

/// What the routes need.
#[derive(Clone)]
pub struct Live {
    console: Arc<dyn Console>,
    doorbell: Doorbell,
    encoded: Arc<Encoded>,
}

impl Live {
    /// On this console, with this bell.
    pub fn new(console: Arc<dyn Console>, doorbell: Doorbell) -> Self {
        Self {
            console,
            doorbell,
            encoded: Arc::default(),
        }
    }

    /// `/live` and `/live/{part}`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/live", get(ring))
            .route("/live/{part}", get(part))
            .with_state(self)
    }
}

async fn ring(State(live): State<Live>, viewer: Viewer) -> Response {
    match live.doorbell.stream(viewer.left) {
        // Nginx would else hold events back until its buffer is full.
        Some(stream) => ([("x-accel-buffering", "no")], stream).into_response(),
        None => (
            StatusCode::SERVICE_UNAVAILABLE,
            [(header::RETRY_AFTER, "10")],
            "too many streams\n",
        )
            .into_response(),
    }
}

async fn part(
    State(live): State<Live>,
    viewer: Viewer,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(part) = Part::ALL.into_iter().find(|part| part.name() == name) else {
        return (StatusCode::NOT_FOUND, "no such part\n").into_response();
    };
    let text = |name| headers.get(name).and_then(|it: &HeaderValue| it.to_str().ok());
    let view = live.console.view(&viewer.scope);
    let held = text(header::IF_NONE_MATCH);
    if held.is_some_and(|held| matches(held, &tag(view.version, &viewer.scope))) {
        return tagged(
            StatusCode::NOT_MODIFIED.into_response(),
            view.version,
            &viewer.scope,
        );
    }
    let encoding = Encoding::best(text(header::ACCEPT_ENCODING));
    match live.encoded.body(view, &viewer.scope, part, encoding).await {
        Ok((version, body)) => {
            let mut response = ([(header::CONTENT_TYPE, "application/json")], body).into_response();
            if let Some(name) = encoding.name() {
                response
                    .headers_mut()
                    .insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
            }
            tagged(response, version, &viewer.scope)
        }
        Err(error) => {
            tracing::error!(%error, part = part.name(), "a part could not be encoded");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The entity tag: the version, and who sees less than everything adds what they see, lest a browser that changes hands be told that
/// nothing has changed. Weak, because the same tag stands for each encoding (RFC 9110, 8.8.3.3).
fn tag(version: Version, scope: &Scope) -> String {
    match &scope.namespaces {
        None => format!("W/\"{version}\""),
        Some(names) => format!(
            "W/\"{version}:{}\"",
            Digest::of(&names.iter().map(|name| &**name).collect()).short()
        ),
    }
}

/// Whether `If-None-Match` names this tag, by weak comparison.
fn matches(held: &str, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    held.trim() == "*" || held.split(',').any(|one| opaque(one) == opaque(tag))
}

fn tagged(mut response: Response, version: Version, scope: &Scope) -> Response {
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::try_from(tag(version, scope)) {
        headers.insert(header::ETAG, tag);
    }
    // The browser may keep it, nobody else; and it asks each time.
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding, cookie"));
    response
}

#[cfg(test)]
mod tests {
    use super::{matches, tag};
    use naru_domain::{Name, actor::Scope};
    use naru_view::version::Version;
    use std::sync::Arc;

    #[test]
    fn a_tag_stands_for_a_version_and_for_what_is_seen() {
        let of = |seq, names: Option<&[&str]>| {
            let namespaces = names.map(|names| {
                names
                    .iter()
                    .map(|name| Name::from(*name))
                    .collect::<Arc<[Name]>>()
            });
            tag(Version { epoch: 7, seq }, &Scope { namespaces })
        };
        assert_eq!(of(1, None), "W/\"7:1\"");
        let tags = [
            of(1, None),
            of(2, None),
            of(1, Some(&[])),
            of(1, Some(&["a"])),
            of(1, Some(&["a", "b"])),
        ];
        for (i, one) in tags.iter().enumerate() {
            for (j, other) in tags.iter().enumerate() {
                assert_eq!(matches(one, other), i == j, "{one} {other}");
            }
        }
    }

    #[test]
    fn if_none_match_is_a_list_compared_weakly() {
        for held in ["\"7:1\"", "W/\"7:1\"", "\"x\", W/\"7:1\"", "*", " W/\"7:1\" "] {
            assert!(matches(held, "W/\"7:1\""), "{held}");
        }
        for held in ["", "7:1", "\"7:10\"", "W/\"7\"", "\"7:2\""] {
            assert!(!matches(held, "W/\"7:1\""), "{held}");
        }
    }
}
