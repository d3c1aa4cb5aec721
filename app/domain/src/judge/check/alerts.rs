//! 4.2: dashboards are loaded, and a test alert reached a person. A report of it is handed in.

use super::Check;
use crate::{Why, crossing::Item};

pub(super) const CHECK: Check = Check {
    name: "alerts",
    item: Item::Alerted,
    codes: &[],
    run: |_, found| {
        found.unknown(Why::NoEvidence { of: "alert".into() });
    },
};
