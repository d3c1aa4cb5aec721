//! The checklist judged by machine: values in, verdicts out.
//!
//! A [`check`] looks at one thing and says what it found, what it saw, and what it could not know. The checks of an [`Item`] together make
//! its [`Judgement`]: Met only if every check knew, and none found an error. What is not known is never Met.

mod ask;
pub mod check;
pub(crate) mod control_plane;
mod door;
mod edge;
mod finding;
pub mod fix;
pub mod guardrail;
mod injected;
mod last_change;
mod nginx;
mod preflight;
pub(crate) mod release;
mod routes;
pub mod settled;
mod steady;
mod sync;
#[cfg(test)]
mod systems;
#[cfg(test)]
pub(crate) mod testing;
mod verdict;
mod world;

pub(crate) use ask::scraped_proxies;
pub use check::{ALL, Check, OWN, OwnCheck, codes};
pub(crate) use check::{INSEPARABLE, OWN_MISSED, OWN_SERIES};
pub use finding::{Code, Fact, FactSource, Finding, Found, Severity};
pub use preflight::{Preflight, preflight};
pub(crate) use sync::Connected;
pub use sync::Sync;
pub use verdict::{Judgement, Verdict, judge};
pub use world::World;

use crate::{mesh, object::Kind};

/// The kinds that checks read beside those of the model.
pub const MORE_KINDS: [Kind; 17] = [
    Kind::MutatingWebhookConfiguration,
    Kind::ValidatingWebhookConfiguration,
    Kind::IstioOperator,
    Kind::Telemetry,
    Kind::Certificate,
    Kind::Application,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::Job,
    Kind::CronJob,
    Kind::ResourceQuota,
    Kind::LimitRange,
    Kind::NetworkPolicy,
    Kind::PodDisruptionBudget,
    Kind::HorizontalPodAutoscaler,
    Kind::Migration,
    Kind::Report,
];

/// The kinds that judging reads, the journal among them.
pub fn kinds() -> impl Iterator<Item = Kind> {
    mesh::KINDS.into_iter().chain(MORE_KINDS).chain([Kind::Change])
}
