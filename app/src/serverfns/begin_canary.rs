use crate::AppError;
use leptos::{prelude::server, server_fn::codec::Json};
use naru_view::{Name, order::Begin};

/// Orders a canary of a rule as this viewer, and says what it is called.
#[server(prefix = "/api", endpoint = "begin_canary", input = Json)]
pub async fn begin_canary(
    /// Which rule, and what it goes through.
    wish: Begin,
) -> Result<Name, AppError> {
    use super::inside;
    let begin = async {
        inside::order(&wish)?;
        let (backend, viewer) = inside::enter(&wish.route.namespace)?;
        inside::writable(&backend)?;
        Ok(backend.console.begin(&viewer.actor, &wish).await?)
    };
    inside::answer(begin.await)
}
