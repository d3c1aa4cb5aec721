//! A system large enough to feel its size.

use super::{Scenario, sized};
use crate::world;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "large",
    objects: || world::sized::sized(50, 10, 8),
    demand: || sized::demand(50, 10),
    story: None,
};
