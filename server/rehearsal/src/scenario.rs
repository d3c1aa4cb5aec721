//! Situations, each with a name. A new one is a file and a line in [`ALL`].

use crate::{traffic::Demand, world::Manifests};

mod before;
mod guide;
mod header_canary;
mod large;
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
pub const ALL: [Scenario; 4] = [
    guide::SCENARIO,
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
