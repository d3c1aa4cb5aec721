use crate::AppError;
use leptos::{prelude::server, server_fn::codec::Json};
use naru_view::{Name, canary::PlanSheet};

/// Plans to take a change back.
#[server(prefix = "/api", endpoint = "plan_undo", input = Json)]
pub async fn plan_undo(
    /// The change's namespace.
    namespace: Name,
    /// Its name in the journal.
    change: Name,
) -> Result<PlanSheet, AppError> {
    use super::inside;
    let plan = async {
        inside::names("change", [&*namespace, &*change])?;
        let (backend, viewer) = inside::enter(&namespace)?;
        Ok(backend
            .console
            .plan_undo(&viewer.actor, &namespace, &change)
            .await?)
    };
    inside::answer(plan.await)
}
