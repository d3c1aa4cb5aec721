//! Who asks. While there is no login, everybody who reaches the loopback address is the one fixed operator; pages, streams and server
//! functions already ask for a [`Viewer`], so that a login only has to put another one in its place.

use crate::rehearse;
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{StatusCode, request::Parts},
    middleware::Next,
    response::Response,
};
use naru_app::context::Preferences;
use naru_domain::actor::{Actor, Scope};

/// Who asks, and what they may see. Derived anew for each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// Who acts when something is written.
    pub actor: Actor,
    /// What may be shown.
    pub scope: Scope,
}

impl Viewer {
    /// The one viewer of a console without login.
    pub fn loopback() -> Self {
        Self {
            actor: Actor::loopback(),
            scope: Scope::all(),
        }
    }
}

/// Whether people say whom they play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Playing(pub bool);

/// Puts the viewer beside the request, where [`Viewer`]'s extractor and the pages' context find it. In a rehearsal it is whom somebody
/// plays, as their page says: no more than a choice of theirs, since nothing real can be touched.
pub async fn identify(State(Playing(playing)): State<Playing>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let viewer = if playing {
        rehearse::viewer(Preferences::of(&parts).persona)
    } else {
        Viewer::loopback()
    };
    parts.extensions.insert(viewer);
    next.run(Request::from_parts(parts, body)).await
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = StatusCode;

    /// A route that [`identify`] does not stand before knows nobody, and shows nothing: 401.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        parts.extensions.get().cloned().ok_or(StatusCode::UNAUTHORIZED)
    }
}

#[cfg(test)]
mod tests {
    use super::Viewer;
    use axum::{
        extract::FromRequestParts,
        http::{Request, StatusCode},
    };

    #[tokio::test]
    async fn nobody_is_a_viewer_by_default() {
        let (mut parts, ()) = Request::new(()).into_parts();
        assert_eq!(
            Viewer::from_request_parts(&mut parts, &()).await,
            Err(StatusCode::UNAUTHORIZED)
        );
        parts.extensions.insert(Viewer::loopback());
        assert_eq!(
            Viewer::from_request_parts(&mut parts, &()).await,
            Ok(Viewer::loopback())
        );
    }
}
