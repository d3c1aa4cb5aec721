use crate::AppError;
use leptos::{prelude::server, server_fn::codec::Json};
#[cfg(feature = "ssr")]
use naru_domain::change::plan::Intent;
use naru_view::canary::{Applied, SetWeights};

/// Sets the weights as confirmed.
#[server(prefix = "/api", endpoint = "apply_weights", input = Json)]
pub async fn apply_weights(
    /// The same as was planned.
    intent: SetWeights,
    /// The plan's digest: what the viewer confirmed.
    digest: String,
    /// For the journal, 1 to 500 characters.
    reason: String,
) -> Result<Applied, AppError> {
    use super::inside;
    let apply = async {
        inside::intent(&intent)?;
        inside::names("digest", [&*digest])?;
        let reason = inside::reason(&reason)?;
        let (backend, viewer) = inside::enter(&intent.route.namespace)?;
        inside::writable(&backend)?;
        Ok(backend
            .console
            .apply(&viewer.actor, &Intent::SetWeights(intent), &digest, reason)
            .await?)
    };
    inside::answer(apply.await)
}
