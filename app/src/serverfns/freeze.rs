use crate::AppError;
use leptos::{prelude::server, server_fn::codec::Json};

/// Stops every controller of Naru, as this viewer.
#[server(prefix = "/api", endpoint = "freeze", input = Json)]
pub async fn freeze(
    /// For whoever meets it, 1 to 500 characters.
    reason: String,
) -> Result<(), AppError> {
    use super::inside;
    let freeze = async {
        let reason = inside::reason(&reason)?;
        let (backend, viewer) = crate::context::backend()?;
        inside::writable(&backend)?;
        Ok(backend.console.freeze(&viewer.actor, reason).await?)
    };
    inside::answer(freeze.await)
}

/// Lets them go on, as this viewer.
#[server(prefix = "/api", endpoint = "lift_freeze", input = Json)]
pub async fn lift_freeze() -> Result<(), AppError> {
    use super::inside;
    let lift = async {
        let (backend, viewer) = crate::context::backend()?;
        inside::writable(&backend)?;
        Ok(backend.console.lift(&viewer.actor).await?)
    };
    inside::answer(lift.await)
}
