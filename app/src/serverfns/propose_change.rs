use crate::AppError;
use leptos::{prelude::server, server_fn::codec::Json};
#[cfg(feature = "ssr")]
use naru_domain::change::plan::Intent;
use naru_view::{Name, change::Wish};

/// Leaves what was confirmed for a second person, and says what the proposal is called.
#[server(prefix = "/api", endpoint = "propose_change", input = Json)]
pub async fn propose_change(
    /// The same as was planned.
    wish: Wish,
    /// The plan's digest: what the viewer confirmed.
    digest: String,
    /// For whoever carries it out, 1 to 500 characters.
    reason: String,
) -> Result<Name, AppError> {
    use super::inside;
    let propose = async {
        inside::names("digest", [&*digest])?;
        let reason = inside::reason(&reason)?;
        let (namespace, intent) = match wish {
            Wish::Weights(wish) => {
                inside::intent(&wish)?;
                (wish.route.namespace.clone(), Intent::SetWeights(wish))
            }
            Wish::Undo { namespace, change } => {
                inside::names("change", [&*namespace, &*change])?;
                (namespace.clone(), Intent::Undo { namespace, change })
            }
        };
        let (backend, viewer) = inside::enter(&namespace)?;
        inside::writable(&backend)?;
        Ok(backend
            .console
            .propose(&viewer.actor, &intent, &digest, reason)
            .await?)
    };
    inside::answer(propose.await)
}
