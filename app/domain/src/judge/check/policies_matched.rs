//! 3.1: each ALLOW rule has taken a request, and each 403 is explained. Which rule took a request the proxies do not count.

use super::Check;
use crate::{Why, crossing::Item};

pub(super) const CHECK: Check = Check {
    name: "policies_matched",
    item: Item::Secured,
    codes: &[],
    run: |_, found| {
        found.unknown(Why::NotObserved {
            what: "requests by policy rule".into(),
        });
    },
};
