//! 3.1: connections that mutual TLS refuses are counted on the refusing side, over the longest cycle of a batch job. Envoy's own counters show them, which are not read.

use super::Check;
use crate::{Why, crossing::Item};

pub(super) const CHECK: Check = Check {
    name: "refusals_observed",
    item: Item::Secured,
    codes: &[],
    run: |_, found| {
        found.unknown(Why::NotObserved {
            what: "refused connections".into(),
        });
    },
};
