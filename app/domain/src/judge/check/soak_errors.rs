//! 2.2: while a service soaks, its errors stay within what they were before. What they were before is not kept.

use super::Check;
use crate::{Why, crossing::Item};

pub(super) const CHECK: Check = Check {
    name: "soak_errors",
    item: Item::ServicesInjected,
    codes: &[],
    run: |_, found| {
        found.unknown(Why::NotObserved {
            what: "errors before the injection".into(),
        });
    },
};
