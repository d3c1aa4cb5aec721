use crate::AppError;
use leptos::{prelude::server, server_fn::codec::Json};
use naru_view::explanation::{Ask, Explanation};

/// Explains one request, as far as this viewer may see.
#[server(prefix = "/api", endpoint = "explain", input = Json)]
pub async fn explain(
    /// Who calls, and what.
    ask: Ask,
) -> Result<Explanation, AppError> {
    super::inside::answer(explained(&ask))
}

/// The same without a status of its own: for the page, which says in words what is wrong.
#[cfg(feature = "ssr")]
pub(crate) fn explained(ask: &Ask) -> Result<Explanation, AppError> {
    use naru_view::why::{ApplyError, Refused};
    let (backend, viewer) = crate::context::backend()?;
    let told = backend.console.explain(&viewer.scope, ask);
    told.map_err(|refused| match refused {
        Refused::BadInput { field } => AppError::BadRequest { field },
        refused => ApplyError::Refused { refused }.into(),
    })
}
