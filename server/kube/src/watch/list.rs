//! All objects of a kind, page by page: never more than one page of JSON is held.

use super::event;
use crate::{
    answer::{garbled, refused, unwatched},
    path,
    wire::{Trouble, Wire, retry_after},
};
use http::{Request, StatusCode};
use naru_domain::{Name, Why, fact::Fact, object::Kind};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

/// A page that is larger is asked for again with fewer objects.
const PAGE_LIMIT: usize = 64 << 20;

/// Everything, or nothing.
pub(super) enum Listed {
    /// All that can be read, and what cannot; changes follow from `version`.
    All {
        facts: Vec<Fact>,
        gaps: Vec<Why>,
        version: Name,
    },
    /// The API server does not serve this kind.
    Absent,
}

/// Why not, and how long the API server asks to wait.
pub(super) struct Failed {
    pub(super) why: Why,
    pub(super) wait: Duration,
}

impl From<Why> for Failed {
    fn from(why: Why) -> Self {
        Self {
            why,
            wait: Duration::ZERO,
        }
    }
}

#[derive(Deserialize)]
struct Page<'a> {
    metadata: Metadata,
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    resource_version: Name,
    #[serde(default)]
    r#continue: String,
}

/// Reads all pages of one consistent list. `page` is lowered for good if the objects are too large for it.
pub(super) async fn all(wire: &Wire, kind: Kind, page: &mut usize) -> Result<Listed, Failed> {
    let (mut facts, mut gaps) = (Vec::new(), Vec::new());
    let mut from = String::new();
    // A list's continuation expires after some minutes (410). A mesh that cannot be read within one is begun anew a few times.
    let mut begun = 1;
    loop {
        let mut url = format!("{}limit={page}", path::watched(kind));
        if !from.is_empty() {
            url = format!("{url}&continue={}", path::encode(&from));
        }
        let request = Request::get(url)
            .body(Vec::new())
            .map_err(|error| garbled(&error.to_string()))?;
        let answer = match wire.ask(request, PAGE_LIMIT).await {
            Err(Trouble::TooLarge(_)) if *page > 1 => {
                *page = (*page / 8).max(1);
                continue;
            }
            answer => answer.map_err(unwatched)?,
        };
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(Listed::Absent),
            StatusCode::GONE if begun < 3 => {
                begun += 1;
                from.clear();
                facts.clear();
                gaps.clear();
                continue;
            }
            status => {
                let wait = if status == StatusCode::TOO_MANY_REQUESTS {
                    retry_after(&answer.headers)
                } else {
                    Duration::ZERO
                };
                return Err(Failed {
                    why: refused(kind, "list", &answer),
                    wait,
                });
            }
        }
        let read: Page<'_> =
            serde_json::from_slice(&answer.body).map_err(|error| garbled(&format!("no list: {error}")))?;
        for item in read.items.unwrap_or_default() {
            match event::object(kind, item) {
                Ok(fact) => facts.push(fact),
                Err((_, why)) => gaps.push(why),
            }
        }
        if read.metadata.r#continue.is_empty() {
            return Ok(Listed::All {
                facts,
                gaps,
                version: read.metadata.resource_version,
            });
        }
        from = read.metadata.r#continue;
    }
}
