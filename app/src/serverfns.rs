//! What a page asks the server to do. A public interface: each call checks its bounds, acts as the viewer, never redirects, and
//! answers a failure as [`AppError`] under the status that fits.

mod apply_weights;
mod begin_canary;
mod checklist;
mod explain;
mod freeze;
mod ledger;
mod mend;
mod mesh;
mod plan_undo;
mod plan_weights;
mod propose_change;
mod reached;
mod rehearsal;
mod steer_canary;
mod undo_change;

pub use apply_weights::{ApplyWeights, apply_weights};
pub use begin_canary::{BeginCanary, begin_canary};
pub use checklist::{ReadChecklist, ReadItem, read_checklist, read_item};
#[cfg(feature = "ssr")]
pub use checklist::{fact, title};
#[cfg(feature = "ssr")]
pub(crate) use explain::explained;
pub use explain::{Explain, explain};
pub use freeze::{Freeze, LiftFreeze, freeze, lift_freeze};
pub use ledger::{PutName, ReadSignSheet, put_name, read_sign_sheet};
pub use mend::{MendFinding, PlanMend, mend_finding, plan_mend};
pub use mesh::{ReadMesh, read_mesh};
#[cfg(feature = "ssr")]
pub use mesh::{in_short, sections};
pub use plan_undo::{PlanUndo, plan_undo};
pub use plan_weights::{PlanWeights, plan_weights};
pub use propose_change::{ProposeChange, propose_change};
pub use reached::{ReadReached, read_reached};
pub use rehearsal::{Rehearsal, Rehearse, rehearsal, rehearse};
pub use steer_canary::{SteerCanary, steer_canary};
pub use undo_change::{UndoChange, undo_change};

#[cfg(feature = "ssr")]
mod inside {
    use crate::{
        AppError,
        context::{Backend, Viewer, backend},
    };
    use naru_view::{
        canary::SetWeights,
        change::Mend,
        ledger::Deed,
        order::{Begin, STEPS},
        why::{ApplyError, Refused},
    };

    /// A number of things as it crosses the wire.
    pub(super) fn count(n: usize) -> u32 {
        u32::try_from(n).unwrap_or(u32::MAX)
    }

    /// Characters of a reason; the journal keeps no more.
    const REASON: u32 = 500;
    /// Kubernetes names have at most 253 bytes (DNS-1123 subdomain); hosts in routes may carry a wildcard, digests are 64.
    const NAME: usize = 256;
    /// A JSON pointer; the journal's definition takes no longer one.
    const PATH: usize = 1_024;
    /// Destinations of one rule. Istio sets no limit; nobody shifts traffic among more.
    const DESTINATIONS: usize = 64;

    /// Where and as whom a call acts, if `namespace` may be seen at all.
    pub(super) fn enter(namespace: &str) -> Result<(Backend, Viewer), AppError> {
        let (backend, viewer) = backend()?;
        if viewer.scope.sees(namespace) {
            Ok((backend, viewer))
        } else {
            Err(AppError::NotFound)
        }
    }

    pub(super) fn names<'a>(field: &str, names: impl IntoIterator<Item = &'a str>) -> Result<(), AppError> {
        let fits = names.into_iter().all(|name| name.len() <= NAME);
        if fits {
            Ok(())
        } else {
            Err(AppError::BadRequest { field: field.into() })
        }
    }

    pub(super) fn intent(intent: &SetWeights) -> Result<(), AppError> {
        let route = &intent.route;
        names("route", [&*route.namespace, &*route.name])?;
        names(
            "weights",
            intent.weights.iter().flat_map(|w| [&*w.host, &*w.subset]),
        )?;
        let bounded = intent.weights.len() <= DESTINATIONS && intent.weights.iter().all(|w| w.weight <= 100);
        if bounded {
            Ok(())
        } else {
            Err(AppError::BadRequest {
                field: "weights".into(),
            })
        }
    }

    pub(super) fn mend(finding: &Mend) -> Result<(), AppError> {
        let at = &finding.field;
        names("finding", [&*finding.code, &*at.kind, &*at.namespace, &*at.name])?;
        if at.path.len() <= PATH {
            Ok(())
        } else {
            Err(AppError::BadRequest {
                field: "finding".into(),
            })
        }
    }

    /// The domain says whether the order can be meant; here only that it is no longer than one.
    pub(super) fn order(wish: &Begin) -> Result<(), AppError> {
        names("route", [&*wish.route.namespace, &*wish.route.name])?;
        if wish.steps.len() <= STEPS as usize {
            Ok(())
        } else {
            Err(AppError::BadRequest {
                field: "steps".into(),
            })
        }
    }

    /// Nothing is longer than what is kept of it; the console says which text is too long.
    pub(super) fn deed(deed: &Deed) -> Result<(), AppError> {
        match deed {
            Deed::Sign { item, digest, .. } => names("deed", [&**item, &**digest]),
            Deed::Countersign { name, link } => names("deed", [&**name, &**link]),
            Deed::Revoke { name, .. } => names("deed", [&**name]),
            Deed::Waive { item, .. } => names("deed", [&**item]),
            Deed::Except { code, field, .. } => {
                names("deed", [&**code, &*field.kind, &*field.namespace, &*field.name])
            }
        }
    }

    pub(super) fn reason(reason: &str) -> Result<&str, AppError> {
        let reason = reason.trim();
        let fits = !reason.is_empty() && reason.chars().count() <= REASON as usize;
        let refused = || ApplyError::Refused {
            refused: Refused::Reason { limit: REASON },
        };
        if fits { Ok(reason) } else { Err(refused().into()) }
    }

    pub(super) fn writable(backend: &Backend) -> Result<(), AppError> {
        if backend.console.read_only() {
            Err(ApplyError::ReadOnly.into())
        } else {
            Ok(())
        }
    }

    /// Gives a failure the HTTP status that says the same.
    pub(super) fn answer<T>(result: Result<T, AppError>) -> Result<T, AppError> {
        if let (Err(error), Some(response)) = (
            &result,
            leptos::prelude::use_context::<leptos_axum::ResponseOptions>(),
        ) && let Ok(status) = http::StatusCode::from_u16(error.status())
        {
            response.set_status(status);
        }
        result
    }
}
