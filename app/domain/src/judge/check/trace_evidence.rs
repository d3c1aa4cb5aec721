//! 4.1: one request gives one trace across every declared hop. A report of it is handed in.

use super::Check;
use crate::{Why, crossing::Item};

pub(super) const CHECK: Check = Check {
    name: "trace_evidence",
    item: Item::Observed,
    codes: &[],
    run: |_, found| {
        found.unknown(Why::NoEvidence { of: "trace".into() });
    },
};
