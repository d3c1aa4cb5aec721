//! 1.3: what only the old ingress's own metrics tell: how much of each host's requests went to the gateway, and how that compares with before.

use super::Check;
use crate::{Why, crossing::Item};

pub(super) const CHECK: Check = Check {
    name: "ingress_observed",
    item: Item::Entered,
    codes: &[],
    run: |_, found| {
        for what in ["nginx requests per host", "baseline of errors and latency at the edge"] {
            found.unknown(Why::NotObserved { what: what.into() });
        }
    },
};
