//! 3.4: what the mesh costs was measured, and lies within the budget. A report is handed in; what the proxies use is not read.

use super::Check;
use crate::{Why, crossing::Item};

pub(super) const CHECK: Check = Check {
    name: "benchmark",
    item: Item::Benchmarked,
    codes: &[],
    run: |_, found| {
        found.unknown(Why::NoEvidence {
            of: "benchmark".into(),
        });
        found.unknown(Why::NotObserved {
            what: "CPU and memory of the proxies".into(),
        });
    },
};
