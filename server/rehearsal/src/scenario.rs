//! Situations, each with a name. A new one is a file and a line in [`ALL`].

use crate::{
    story::{Story, TOO_LATE},
    traffic::Demand,
    world::Manifests,
};
use naru_domain::Timestamp;

mod argo_applies;
mod before;
mod blind;
mod build;
mod canary_dead;
mod canary_fails;
mod crossing_1;
mod crossing_2;
mod crossing_3;
mod guide;
mod header_canary;
mod large;
mod night_job;
mod not_restarted;
mod rollouts_owns;
mod sized;

pub use sized::sized;

/// A system and what is asked of it.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its objects.
    pub objects: fn() -> Manifests,
    /// What is asked of it.
    pub demand: fn() -> Demand,
    /// What is to be done; None where one only looks around.
    pub story: Option<&'static Story>,
}

impl Scenario {
    /// When its clock begins; None where it begins at the present.
    pub fn starts(&self) -> Option<Timestamp> {
        // A test holds every story to a moment that can be read.
        self.story?.starts.parse().ok()
    }

    /// Everything that has a sentence in the locales, as part (`title`, `brief`, `goal`, `harm`, `move`, `hint`, `event`) and name.
    pub fn names(&self) -> Vec<(&'static str, &'static str)> {
        let mut names = vec![("title", ""), ("brief", "")];
        if let Some(story) = self.story {
            names.extend(story.goals.iter().map(|it| ("goal", it.name)));
            names.extend(story.harms.iter().map(|it| ("harm", it.name)));
            names.push(("harm", TOO_LATE));
            names.extend(story.moves.iter().map(|it| ("move", it.name)));
            names.extend(story.hints.iter().map(|it| ("hint", it.name)));
            names.extend(story.events.iter().map(|it| ("event", it.name)));
        }
        names
    }
}

/// A system of one's own, and what is asked of it.
#[derive(Clone, Debug, Default)]
pub struct System {
    /// Its objects.
    pub objects: Manifests,
    /// What is asked of it.
    pub demand: Demand,
}

impl From<&Scenario> for System {
    fn from(scenario: &Scenario) -> Self {
        Self {
            objects: (scenario.objects)(),
            demand: (scenario.demand)(),
        }
    }
}

/// All of them; the first is the usual one.
pub const ALL: [Scenario; 14] = [
    guide::SCENARIO,
    crossing_1::SCENARIO,
    crossing_2::SCENARIO,
    crossing_3::SCENARIO,
    canary_fails::SCENARIO,
    canary_dead::SCENARIO,
    night_job::SCENARIO,
    not_restarted::SCENARIO,
    rollouts_owns::SCENARIO,
    argo_applies::SCENARIO,
    blind::SCENARIO,
    header_canary::SCENARIO,
    before::SCENARIO,
    large::SCENARIO,
];

/// A scenario by its name.
pub fn by_name(name: &str) -> Option<Scenario> {
    ALL.into_iter().find(|scenario| scenario.name == name)
}

/// The guide's system midway on its crossing, user-service split 90 to 10.
pub const GUIDE: Scenario = guide::SCENARIO;
/// The same, where the header `canary: true` leads to v2 as well.
pub const HEADER_CANARY: Scenario = header_canary::SCENARIO;
/// The guide's system before its crossing: nothing in the mesh.
pub const BEFORE: Scenario = before::SCENARIO;
/// 50 namespaces, 500 services, about 4,000 pods.
pub const LARGE: Scenario = large::SCENARIO;
