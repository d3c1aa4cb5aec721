//! 3.3: faults were injected and the objective held, and somebody handed in the drill's report.

use super::Check;
use crate::{Why, crossing::Item};

pub(super) const CHECK: Check = Check {
    name: "drill",
    item: Item::Resilient,
    codes: &[],
    run: |_, found| {
        found.unknown(Why::NoEvidence { of: "drill".into() });
        found.unknown(Why::NotObserved {
            what: "ejection".into(),
        });
    },
};
