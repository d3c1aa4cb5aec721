use crate::AppError;
use leptos::{prelude::server, server_fn::codec::Json};
#[cfg(feature = "ssr")]
use naru_domain::change::plan::Intent;
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
        let intent = Intent::Undo { namespace, change };
        Ok(backend.console.plan(&viewer.actor, &intent).await?)
    };
    inside::answer(plan.await)
}
