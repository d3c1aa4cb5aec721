//! `naru doctor`: what Naru sees of its sources, what it does not, and which verdicts each gap leaves unknown.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | nothing that Naru asks for is missing |
//! | 1 | a source answers and shows less than it should, or a policy that signatures rest on is not in force |
//! | 3 | the API server gave no usable answer |

mod told;

use crate::{
    cli::{self, Telling},
    failure::Failure,
    files,
    inventory::inventory,
    startup,
};
use anyhow::Context;
use naru_app::Lang;
use naru_domain::{
    crossing::{Audited, audited},
    judge::{self, World, judge},
    object::Kind,
    survey::{Metrics, Survey, unknown},
};
use naru_engine::judged;
use naru_ports::{Clock, Metrics as _, SystemClock};
use std::{process::ExitCode, sync::Arc};

/// Asks every source once, and says what is missing.
pub(crate) async fn run(options: &cli::Doctor, lang: Lang) -> Result<ExitCode, Failure> {
    let cluster = startup::cluster(&options.kubernetes).await?;
    let metrics = startup::metrics_of(&options.prometheus)?;
    let kinds: Vec<Kind> = judge::kinds().chain(audited::KINDS).collect();
    let window = options.observing.window;
    let inquiries = startup::asked(Arc::clone(&cluster), metrics.clone(), &options.probing)?;
    let (objects, traffic) = futures::join!(inventory(&*cluster, &kinds), async {
        Some(metrics?.traffic(window).await)
    });
    let (objects, _) = objects.map_err(Failure::Source)?;
    let now = SystemClock.now();
    let flows = traffic.clone().and_then(Result::ok).map(Arc::new);
    let audited = Audited::of(&objects, None);
    let look = |world: &World<'_>| Survey {
        unknown: unknown(&judge(world)),
        ..Survey::of(world)
    };
    let survey = Survey {
        metrics: traffic.as_ref().map(|it| Metrics::of(it.as_ref())),
        guards: audited.guards.clone(),
        ..judged(&objects, flows.as_ref(), &audited, &*inquiries, now, look).await
    };
    files::print(&match options.output {
        Telling::Text => told::text(lang, &survey, now),
        Telling::Json => told::json(lang, &survey, now).context("printing")?,
    })?;
    Ok(ExitCode::from(u8::from(!well(&survey))))
}

/// Nothing is missing that the sources should show. What only people and reports can show is no fault of theirs.
fn well(it: &Survey) -> bool {
    let faults = it.metrics.as_ref().is_some_and(|it| !it.faults().is_empty());
    it.kinds.unread.is_empty() && it.guards.stand() && !faults
}
