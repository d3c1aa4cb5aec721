use crate::AppError;
use leptos::{prelude::server, server_fn::codec::Json};
#[cfg(feature = "ssr")]
use naru_domain::change::plan::Intent;
use naru_view::{Name, canary::Applied};

/// Takes a change back, as confirmed.
#[server(prefix = "/api", endpoint = "undo_change", input = Json)]
pub async fn undo_change(
    /// The change's namespace.
    namespace: Name,
    /// Its name in the journal.
    change: Name,
    /// The plan's digest: what the viewer confirmed.
    digest: String,
    /// For the journal, 1 to 500 characters.
    reason: String,
) -> Result<Applied, AppError> {
    use super::inside;
    let undo = async {
        inside::names("change", [&*namespace, &*change, &*digest])?;
        let reason = inside::reason(&reason)?;
        let (backend, viewer) = inside::enter(&namespace)?;
        inside::writable(&backend)?;
        let intent = Intent::Undo { namespace, change };
        Ok(backend
            .console
            .apply(&viewer.actor, &intent, &digest, reason)
            .await?)
    };
    inside::answer(undo.await)
}
