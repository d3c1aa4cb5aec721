//! `naru check`: the checklist judged once, on a cluster, on files, or on files laid over a cluster.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | every item that was asked for is met |
//! | 1 | one is not met |
//! | 2 | the arguments or files are wrong |
//! | 3 | none is not met, and one is not known; or a source gave no usable answer |

mod json;
mod junit;
mod text;

use crate::{
    cli::{self, Report},
    failure::Failure,
    files,
    inventory::inventory,
    startup,
};
use anyhow::Context;
use naru_app::Lang;
use naru_domain::{
    Why,
    crossing::{Audited, Item, OwnItems, audited, standing::Standing},
    judge::{self, Judgement, Verdict, World, judge, settled::settled},
    mesh::Prepared,
    object::Kind,
    snapshot::Objects,
    traffic::{Dated, Traffic},
};
use naru_engine::judged;
use naru_ports::{Clock, Inquiries, Metrics, SystemClock};
use std::{process::ExitCode, sync::Arc};

/// Judges, prints, and says by the exit code how it stands.
pub(crate) async fn run(options: &cli::Check, lang: Lang) -> Result<ExitCode, Failure> {
    let wanted = wanted(options)?;
    let seen = look(options).await?;
    let now = SystemClock.now();
    // Files say what is found, not who has accepted it: that is a cluster's to know, where it is guarded.
    let audited = Audited::of(&seen.objects, None);
    let audited = if audited.guards.stand() {
        audited
    } else {
        Audited::default()
    };
    let judgements = match &seen.asked {
        Some(inquiries) => {
            let traffic = seen.traffic.as_ref();
            judged(&seen.objects, traffic, &audited, &**inquiries, now, judge).await
        }
        None if seen.running => {
            let world = World::of(&seen.objects, Prepared::of(&seen.objects), seen.traffic, now);
            judge(&world.imagined().trusting(&audited))
        }
        None => judge(&World::of_files(&seen.objects, now)),
    };
    let stands = |it: Judgement| {
        let standing = audited.standing(&it, now);
        (it, standing)
    };
    let mut judgements: Vec<Stood> = judgements.into_iter().map(stands).collect();
    let own = OwnItems::of(&seen.objects);
    if let Some(unasked) = wanted.missing(&own.all()) {
        return Err(no_such(unasked.id().into()));
    }
    judgements.retain(|(it, _)| wanted.includes(it.item));
    let out = match options.output {
        Report::Text => text::report(lang, &judgements, &own, &seen.gaps),
        Report::Json => json::report(lang, &judgements, &own, &seen.gaps).context("printing")?,
        Report::Junit => junit::report(lang, &judgements, &own),
    };
    files::print(&out)?;
    Ok(ExitCode::from(code(&judgements)))
}

/// Which items are asked for.
enum Wanted {
    All,
    Phase(u8),
    Named(Vec<Item>),
}

impl Wanted {
    fn includes(&self, item: Item) -> bool {
        match self {
            Self::All => true,
            Self::Phase(phase) => item.phase() == *phase,
            Self::Named(items) => items.contains(&item),
        }
    }

    /// One that is named and is none of the crossing's: only the Migration says which a team has added.
    fn missing(&self, all: &[Item]) -> Option<Item> {
        let Self::Named(items) = self else {
            return None;
        };
        items.iter().copied().find(|it| !all.contains(it))
    }
}

fn wanted(options: &cli::Check) -> Result<Wanted, Failure> {
    if let Some(phase) = options.phase {
        return Ok(Wanted::Phase(phase));
    }
    if options.items.is_empty() {
        return Ok(Wanted::All);
    }
    let read = |id: &String| id.parse::<Item>().map_err(|error| no_such(error.0));
    Ok(Wanted::Named(
        options.items.iter().map(read).collect::<Result<_, _>>()?,
    ))
}

fn no_such(detail: String) -> Failure {
    Failure::BadArgument {
        argument: "--item",
        detail,
    }
}

/// A judgement, and what people have accepted of it.
type Stood = (Judgement, Standing);

/// What is passed over fails nobody.
fn code(judgements: &[Stood]) -> u8 {
    let any = |verdict| {
        let mut all = judgements.iter();
        all.any(|(_, it)| it.judged.verdict == verdict && it.waived.is_none())
    };
    match () {
        () if any(Verdict::NotMet) => 1,
        () if any(Verdict::Unknown) => 3,
        () => 0,
    }
}

/// What is judged.
struct Seen {
    objects: Objects,
    running: bool,
    traffic: Option<Arc<Dated<Traffic>>>,
    /// Who finds out what checks ask; None of what is not so, or not yet.
    asked: Option<Arc<dyn Inquiries>>,
    gaps: Vec<Why>,
}

async fn look(options: &cli::Check) -> Result<Seen, Failure> {
    let alone = !options.files.is_empty() && options.kubernetes.kubeconfig.is_none();
    if alone {
        return Ok(Seen {
            objects: settled(files::objects(&options.files)?),
            running: false,
            traffic: None,
            asked: None,
            gaps: Vec::new(),
        });
    }
    let cluster = startup::cluster(&options.kubernetes).await?;
    let metrics = startup::metrics_of(&options.prometheus)?;
    let kinds: Vec<Kind> = judge::kinds().chain(audited::KINDS).collect();
    let inquiries = startup::asked(Arc::clone(&cluster), metrics.clone(), &options.probing)?;
    let (objects, traffic) = futures::join!(inventory(&*cluster, &kinds), async {
        Some(metrics?.traffic(options.observing.window).await)
    });
    let (mut objects, mut gaps) = objects.map_err(Failure::Source)?;
    let asked = options.files.is_empty().then_some(inquiries);
    if !options.files.is_empty() {
        for fact in files::facts(&options.files)? {
            objects.put(fact);
        }
        objects = settled(objects);
    }
    let traffic = match traffic {
        Some(Ok(dated)) => {
            gaps.extend(dated.gaps.iter().cloned());
            Some(Arc::new(dated))
        }
        // Without it what is measured is not known; what is configured can be judged all the same.
        Some(Err(why)) => {
            gaps.push(why);
            None
        }
        None => None,
    };
    gaps.sort();
    gaps.dedup();
    Ok(Seen {
        objects,
        running: true,
        traffic,
        asked,
        gaps,
    })
}

/// The Exception by which a finding does not count.
fn accepted(standing: &Standing, finding: usize) -> Option<&str> {
    let mut all = standing.judged.accepted.iter();
    all.find(|(it, _)| *it == finding).map(|(_, by)| &**by)
}

/// The verdict's name, for scripts.
fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "met",
        Verdict::NotMet => "not-met",
        Verdict::Unknown => "unknown",
    }
}
