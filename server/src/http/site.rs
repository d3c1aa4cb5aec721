//! The built assets: trunk's index.html, whose head goes into every page, and the files beside it under `/pkg`.

use crate::failure::Failure;
use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::Response,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tower_http::services::ServeDir;

/// What Trunk.toml has trunk write in the place of a nonce.
pub const NONCE: &str = "{{nonce}}";

/// A folder of built assets.
#[derive(Clone, Debug)]
pub struct Site {
    root: Arc<Path>,
    head: Arc<str>,
}

impl Site {
    /// Looks into the folder. A console without its assets would show bare text, so it does not start.
    pub fn open(root: PathBuf) -> Result<Self, Failure> {
        let head = read_head(&root).ok_or_else(|| Failure::NoSite { path: root.clone() })?;
        // An inline script without the placeholder would be refused by every browser, and the page would stay dead.
        if head.contains("<script") && !head.contains(NONCE) {
            return Err(Failure::SiteWithoutNonce { path: root });
        }
        Ok(Self {
            root: root.into(),
            head: head.into(),
        })
    }

    /// What belongs into a page's `<head>`, with this response's nonce. In debug builds read anew each time, so that a rebuild by trunk
    /// shows without a restart.
    pub fn head(&self, nonce: &str) -> String {
        let fresh = if cfg!(debug_assertions) {
            read_head(&self.root)
        } else {
            None
        };
        fresh.as_deref().unwrap_or(&self.head).replace(NONCE, nonce)
    }

    /// `/pkg`: the files, compressed beforehand where there is a `.br` or `.gz` beside them.
    pub fn router(&self) -> Router {
        let files = ServeDir::new(&self.root)
            .append_index_html_on_directories(false)
            .precompressed_br()
            .precompressed_gzip();
        Router::new()
            .nest_service("/pkg", files)
            .layer(middleware::from_fn(keep))
    }
}

fn read_head(root: &Path) -> Option<String> {
    let index = std::fs::read_to_string(root.join("index.html")).ok()?;
    let (_, rest) = index.split_once("<head>")?;
    Some(rest.split_once("</head>")?.0.to_owned())
}

/// A file whose name carries the hash of its content never changes, and is kept for a year (the longest that RFC 9111 caches honour);
/// another one is asked for again after an hour.
async fn keep(request: Request, next: Next) -> Response {
    let policy = if hashed(request.uri().path()) {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=3600"
    };
    let mut response = next.run(request).await;
    if response.status().is_success() || response.status() == axum::http::StatusCode::NOT_MODIFIED {
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static(policy));
    }
    response
}

/// Whether trunk has put a hash into the name: `naru-0123456789abcdef.js`, `naru-0123456789abcdef_bg.wasm`.
fn hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or("");
    name.split(['-', '.', '_']).any(|part| {
        part.len() >= 8
            && part
                .bytes()
                .all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it))
    })
}

#[cfg(test)]
mod tests {
    use super::hashed;

    #[test]
    fn only_a_name_with_a_hash_is_kept_for_good() {
        for name in [
            "/pkg/naru-0e3aabf1c5d2b977.js",
            "/pkg/naru-0e3aabf1c5d2b977_bg.wasm",
            "/pkg/app-0e3aabf1.css",
        ] {
            assert!(hashed(name), "{name}");
        }
        for name in [
            "/pkg/index.html",
            "/pkg/fonts/pretendard.woff2",
            "/pkg/favicon.svg",
            "/pkg/",
            "/pkg/0e3a.js",
        ] {
            assert!(!hashed(name), "{name}");
        }
    }
}
