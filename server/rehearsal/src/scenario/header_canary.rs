//! The guide's canary with its header rule: some requests go to v2 whatever the weights, and the metrics do not tell which.

use super::{Scenario, guide::demand};
use crate::world::guide::guide;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "header-canary",
    objects: || guide(true),
    demand: || demand(0.05),
    story: None,
};
