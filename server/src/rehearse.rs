//! `naru rehearse`: the console on a world of its own, with the hand on its time.

mod persona;
mod record;
mod scraped;
mod stage;

pub(crate) use persona::viewer;

use crate::{
    cli::Rehearse,
    config::Auth,
    failure::Failure,
    files,
    sessions::Identity,
    startup::{self, Door},
};
use naru_app::context::Mode;
use naru_domain::object::Kind;
use naru_engine::{Engine, Setup};
use naru_ports::{Clock, SystemClock};
use naru_rehearsal::{
    Rehearsal, Settings,
    scenario::{self, Scenario},
    time::{Control, Monotonic, Pace},
};
use record::Records;
use serde_json::Value;
use stage::{Run, Stage};
use std::sync::Arc;

/// Seconds of traffic before the start of a system of any size: its first page is to come soon.
const HISTORY_S: u32 = 60;

/// What a system of any size is called.
const SIZED: &str = "sized";

/// Services of a namespace, and namespaces, where only the other is given.
const SERVICES: u32 = 10;
const NAMESPACES: u32 = 10;

/// What is played.
#[derive(Clone, Copy, Debug)]
enum Played {
    Scenario(Scenario),
    /// A system of so many namespaces, with so many services each.
    Sized(u32, u32),
}

impl Played {
    fn of(options: &Rehearse) -> Result<Self, Failure> {
        if options.namespaces.is_some() || options.services.is_some() {
            let services = options.services.unwrap_or(SERVICES);
            return Ok(Self::Sized(options.namespaces.unwrap_or(NAMESPACES), services));
        }
        scenario::by_name(&options.scenario)
            .map(Self::Scenario)
            .ok_or_else(|| Failure::NoScenario {
                name: options.scenario.clone(),
                known: scenario::ALL.map(|scenario| scenario.name).join(", "),
            })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Scenario(scenario) => scenario.name,
            Self::Sized(..) => SIZED,
        }
    }

    fn begin(self, seed: u64, clock: Arc<dyn Clock>) -> Rehearsal {
        match self {
            Self::Scenario(scenario) => Rehearsal::start(&scenario, seed, clock),
            Self::Sized(namespaces, services) => {
                let settings = Settings {
                    seed,
                    history_s: HISTORY_S,
                    ..Settings::default()
                };
                Rehearsal::of(scenario::sized(namespaces, services), settings, clock)
            }
        }
    }
}

pub(crate) async fn rehearse(options: Rehearse) -> Result<(), Failure> {
    let played = Played::of(&options)?;
    let own = files::manifests(&options.files)?;
    let door = Door::open(&options.listening, Auth::None, None).await?;
    let scraped = match options.metrics_listen {
        Some(address) => Some(scraped::listen(address).await?),
        None => None,
    };
    let name = options.standing.name.clone();
    let (seed, pace, records) = (options.seed, options.speed, options.records.clone());
    let begin = move |played, seed, pace| begin(played, seed, pace, &options, &own);
    let first = begin(played, seed, pace)?;
    // Whoever begins anew wants to read first, at the pace of the world outside.
    let again = move |name: &str, seed| {
        let next = if name == played.name() {
            Some(played)
        } else {
            scenario::by_name(name).map(Played::Scenario)
        };
        begin(next?, seed, Pace::Real).ok()
    };
    let stage = Arc::new(Stage::new(first, Box::new(again), Records::new(records)));
    let system = name.unwrap_or_else(|| played.name().to_owned());
    let counters = async {
        match scraped {
            Some(listener) => scraped::serve(listener, stage.clone()).await,
            None => std::future::pending().await,
        }
    };
    let opened = startup::open(
        stage.clone(),
        stage.clone(),
        Some(stage.clone()),
        door,
        &system,
        Mode::Rehearsal,
        Identity::Playing,
    );
    let served = tokio::select! {
        served = opened => served,
        () = counters => Ok(()),
    };
    stage.stop().await;
    served
}

/// One run, from its first moment on.
fn begin(
    played: Played,
    seed: u64,
    pace: Pace,
    options: &Rehearse,
    own: &[(Kind, Value)],
) -> Result<Run, Failure> {
    let starts = match played {
        Played::Scenario(scenario) => scenario.starts(),
        Played::Sized(..) => None,
    };
    let begun = starts.unwrap_or_else(|| SystemClock.now());
    let clock = Arc::new(Control::new(Arc::new(Monotonic::start()), begun, pace));
    let rehearsal = played.begin(seed, clock.clone());
    for (kind, json) in own {
        let loaded = rehearsal
            .cluster
            .load(*kind, json.clone(), "kubectl-client-side-apply");
        loaded.map_err(|error| Failure::BadArgument {
            argument: "--file",
            detail: error.to_string(),
        })?;
    }
    persona::grant(&rehearsal.cluster);
    let going = {
        let cluster = rehearsal.cluster.clone();
        tokio::spawn(async move { cluster.run().await })
    };
    let shown: Arc<dyn Clock> = clock.clone();
    let engine = Engine::start(Setup {
        cluster: rehearsal.cluster.clone(),
        metrics: rehearsal.metrics.clone(),
        inquiries: rehearsal.metrics.clone(),
        clock: shown,
        settings: startup::settings(options.observing.window, &options.standing),
    });
    Ok(Run {
        engine,
        rehearsal,
        clock,
        begun,
        scenario: played.name().into(),
        seed,
        going,
    })
}
