use crate::AppError;
use leptos::{prelude::server, server_fn::codec::Json};
#[cfg(feature = "ssr")]
use naru_domain::change::plan::Intent;
use naru_view::{
    canary::{Applied, PlanSheet},
    change::Mend,
};

/// Plans to mend a finding by the edits that its check offers, and has the API server try them as this viewer, without doing it.
#[server(prefix = "/api", endpoint = "plan_mend", input = Json)]
pub async fn plan_mend(
    /// Which finding.
    finding: Mend,
) -> Result<PlanSheet, AppError> {
    use super::inside;
    let plan = async {
        inside::mend(&finding)?;
        let (backend, viewer) = inside::enter(&finding.field.namespace)?;
        let intent = Intent::Mend(finding);
        Ok(backend.console.plan(&viewer.actor, &intent).await?)
    };
    inside::answer(plan.await)
}

/// Mends it as confirmed.
#[server(prefix = "/api", endpoint = "mend_finding", input = Json)]
pub async fn mend_finding(
    /// The same as was planned.
    finding: Mend,
    /// The plan's digest: what the viewer confirmed.
    digest: String,
    /// For the journal, 1 to 500 characters.
    reason: String,
) -> Result<Applied, AppError> {
    use super::inside;
    let apply = async {
        inside::mend(&finding)?;
        inside::names("digest", [&*digest])?;
        let reason = inside::reason(&reason)?;
        let (backend, viewer) = inside::enter(&finding.field.namespace)?;
        inside::writable(&backend)?;
        let intent = Intent::Mend(finding);
        Ok(backend
            .console
            .apply(&viewer.actor, &intent, &digest, reason)
            .await?)
    };
    inside::answer(apply.await)
}
