//! 3.2: a canary was tried: enough requests to the new version, as split as was meant, and a forced abort under load. A report of it is handed in.

use super::Check;
use crate::{Why, crossing::Item};

pub(super) const CHECK: Check = Check {
    name: "canary_evidence",
    item: Item::Canaried,
    codes: &[],
    run: |_, found| {
        found.unknown(Why::NoEvidence { of: "canary".into() });
    },
};
