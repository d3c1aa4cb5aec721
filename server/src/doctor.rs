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
    judged::judged,
    startup,
};
use anyhow::Context;
use naru_app::Lang;
use naru_domain::{
    Name, SourceName, Why,
    crossing::{Audited, Item, audited, guard::Guards},
    judge::{self, Judgement},
    object::Kind,
    snapshot::{KindState, Objects},
    traffic::{Dated, Reporter, Traffic},
};
use naru_ports::{Clock, Metrics as _, SystemClock};
use std::{collections::BTreeMap, process::ExitCode, sync::Arc};

/// What was found.
struct Diagnosis {
    /// Kinds that are read, and kinds that the API server does not have.
    read: usize,
    absent: Vec<&'static str>,
    /// Kinds that cannot be read, and why.
    unread: Vec<(&'static str, Why)>,
    metrics: Metrics,
    guards: Guards,
    /// What is not known, and the items that it leaves unknown.
    unknown: Vec<(Why, Vec<Item>)>,
}

/// What Prometheus shows.
enum Metrics {
    /// None was named.
    NotAsked,
    /// It did not answer.
    Silent(Why),
    /// It did.
    Answers {
        age_s: i64,
        window_s: u32,
        /// Pairs of workloads with traffic, by who counted.
        source: usize,
        destination: usize,
        gaps: Vec<Why>,
    },
}

/// Asks every source once, and says what is missing.
pub(crate) async fn run(options: &cli::Doctor, lang: Lang) -> Result<ExitCode, Failure> {
    let cluster = startup::cluster(&options.kubernetes).await?;
    let metrics = startup::metrics_of(&options.prometheus)?;
    let kinds: Vec<Kind> = judge::kinds()
        .chain(audited::KINDS)
        .chain([Kind::Change])
        .collect();
    let window = options.observing.window;
    let inquiries = startup::asked(Arc::clone(&cluster), metrics.clone(), &options.probing)?;
    let (objects, traffic) = futures::join!(inventory(&*cluster, &kinds), async {
        Some(metrics?.traffic(window).await)
    });
    let (objects, _) = objects.map_err(Failure::Source)?;
    let now = SystemClock.now();
    let flows = traffic.clone().and_then(Result::ok).map(Arc::new);
    let judgements = judged(
        &objects,
        flows.as_ref(),
        &Audited::of(&objects, None),
        &*inquiries,
        now,
    )
    .await;
    let diagnosis = diagnose(&objects, traffic.as_ref(), &kinds, judgements);
    files::print(&match options.output {
        Telling::Text => told::text(lang, &diagnosis),
        Telling::Json => told::json(lang, &diagnosis).context("printing")?,
    })?;
    Ok(ExitCode::from(u8::from(!diagnosis.well())))
}

fn diagnose(
    objects: &Objects,
    traffic: Option<&Result<Dated<Traffic>, Why>>,
    kinds: &[Kind],
    judgements: Vec<Judgement>,
) -> Diagnosis {
    let now = SystemClock.now();
    let metrics = match traffic {
        None => Metrics::NotAsked,
        Some(Err(why)) => Metrics::Silent(why.clone()),
        Some(Ok(dated)) => {
            let by = |reporter| {
                dated
                    .value
                    .flows
                    .keys()
                    .filter(|it| it.reporter == reporter)
                    .count()
            };
            Metrics::Answers {
                age_s: now.duration_since(dated.at).as_secs(),
                window_s: dated.value.window_s,
                source: by(Reporter::Source),
                destination: by(Reporter::Destination),
                gaps: dated.gaps.clone(),
            }
        }
    };
    let of = |state: fn(&KindState) -> bool| {
        let kinds = kinds.iter().copied();
        kinds.filter(move |kind| objects.kinds.get(kind).is_some_and(state))
    };
    let unread = kinds.iter().filter_map(|kind| match objects.kinds.get(kind) {
        Some(KindState::Lost(why)) => Some((kind.name(), why.clone())),
        _ => None,
    });
    Diagnosis {
        read: of(|it| *it == KindState::Known).count(),
        absent: of(|it| *it == KindState::Absent).map(Kind::name).collect(),
        unread: unread.collect(),
        metrics,
        guards: Guards::of(objects),
        unknown: unknown(judgements),
    }
}

/// Each reason once, with the items that it leaves unknown; those that leave most unknown first.
fn unknown(judgements: Vec<Judgement>) -> Vec<(Why, Vec<Item>)> {
    let mut by: BTreeMap<Why, Vec<Item>> = BTreeMap::new();
    // The last item goes by the others, and is unknown because they are.
    let items = judgements.into_iter().filter(|it| it.item != Item::Ready);
    for judgement in items {
        for (_, why) in judgement.unknown {
            let items = by.entry(why).or_default();
            if items.last() != Some(&judgement.item) {
                items.push(judgement.item);
            }
        }
    }
    // What follows from another item is that item's to tell.
    let follows = |why: &Why| matches!(why, Why::FollowsFrom { .. });
    let mut all: Vec<_> = by.into_iter().filter(|(why, _)| !follows(why)).collect();
    all.sort_by_key(|(_, items)| std::cmp::Reverse(items.len()));
    all
}

impl Diagnosis {
    /// Nothing is missing that the sources should show. What only people and reports can show is no fault of theirs.
    fn well(&self) -> bool {
        self.unread.is_empty() && self.guards.stand() && self.metrics.faults().is_empty()
    }
}

impl Metrics {
    /// What is wrong with what Prometheus shows.
    fn faults(&self) -> Vec<Why> {
        match self {
            Self::NotAsked => Vec::new(),
            Self::Silent(why) => vec![why.clone()],
            Self::Answers {
                source,
                destination,
                gaps,
                ..
            } => {
                let mut all = gaps.clone();
                let missing = |name: &str| Why::OneReporter {
                    missing: Name::from(name),
                };
                match (source, destination) {
                    (0, 0) => {}
                    (0, _) => all.push(missing("source")),
                    (_, 0) => all.push(missing("destination")),
                    _ => {}
                }
                all
            }
        }
    }
}

/// The source that figures come from.
const PROMETHEUS: SourceName = SourceName::Prometheus;
