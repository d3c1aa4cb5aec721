use crate::AppError;
use leptos::{prelude::server, server_fn::codec::Json};
#[cfg(feature = "ssr")]
use naru_domain::change::plan::Intent;
use naru_view::canary::{PlanSheet, SetWeights};

/// Plans a change of weights and has the API server try it as this viewer, without doing it.
#[server(prefix = "/api", endpoint = "plan_weights", input = Json)]
pub async fn plan_weights(
    /// Which rule, and each destination's new weight.
    intent: SetWeights,
) -> Result<PlanSheet, AppError> {
    use super::inside;
    let plan = async {
        inside::intent(&intent)?;
        let (backend, viewer) = inside::enter(&intent.route.namespace)?;
        let intent = Intent::SetWeights(intent);
        let mut sheet = backend.console.plan(&viewer.actor, &intent).await?;
        sheet.hide_callers(|namespace| viewer.scope.sees(namespace));
        Ok(sheet)
    };
    inside::answer(plan.await)
}
