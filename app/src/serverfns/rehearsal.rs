use crate::{AppError, bar::Bar};
use leptos::{
    prelude::server,
    server_fn::codec::{GetUrl, Json},
};
use naru_view::rehearsal::Action;

/// The bar of the rehearsal as it stands now.
#[server(prefix = "/api", endpoint = "rehearsal", input = GetUrl)]
pub async fn rehearsal() -> Result<Bar, AppError> {
    super::inside::answer(Bar::here().ok_or(AppError::NotFound))
}

/// Does what the player asks for; the bar as it stands then.
#[server(prefix = "/api", endpoint = "rehearse", input = Json)]
pub async fn rehearse(
    /// What.
    action: Action,
) -> Result<Bar, AppError> {
    use super::inside;
    let act = || {
        if let Action::Move(name) | Action::Restart(name, _) = &action {
            inside::names("name", [&**name])?;
        }
        let (backend, viewer) = crate::context::backend()?;
        let rehearsal = backend.rehearsal.ok_or(AppError::NotFound)?;
        rehearsal
            .act(&viewer.actor, &action)
            .map_err(|why| AppError::Declined { why })?;
        Bar::here().ok_or(AppError::NotFound)
    };
    inside::answer(act())
}
