use crate::AppError;
use leptos::{prelude::server, server_fn::codec::Json};
use naru_view::order::Steer;

/// Writes into a canary what this viewer wants of it.
#[server(prefix = "/api", endpoint = "steer_canary", input = Json)]
pub async fn steer_canary(
    /// Which canary, what it had, and what it shall have.
    wish: Steer,
) -> Result<(), AppError> {
    use super::inside;
    let steer = async {
        inside::names("canary", [&*wish.namespace, &*wish.name])?;
        let (backend, viewer) = inside::enter(&wish.namespace)?;
        inside::writable(&backend)?;
        Ok(backend.console.steer(&viewer.actor, &wish).await?)
    };
    inside::answer(steer.await)
}
