//! 1.2: a request for each host and path reaches the workload that the model names. Nobody sends one yet.

use super::Check;
use crate::{Why, crossing::Item};

pub(super) const CHECK: Check = Check {
    name: "probe_observed",
    item: Item::Routed,
    codes: &[],
    run: |_, found| {
        found.unknown(Why::NotObserved {
            what: "probe per host and path".into(),
        });
    },
};
