//! 2.4: a report of the regression test was handed in.

use super::Check;
use crate::{Why, crossing::Item};

pub(super) const CHECK: Check = Check {
    name: "regression",
    item: Item::Regressed,
    codes: &[],
    run: |_, found| {
        found.unknown(Why::NoEvidence { of: "junit".into() });
    },
};
