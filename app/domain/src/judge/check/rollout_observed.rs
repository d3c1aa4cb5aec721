//! 2.1: the rollout that brought the proxies lost no request at the edge. Only who counts there while it runs can tell.

use super::Check;
use crate::{Why, crossing::Item};

pub(super) const CHECK: Check = Check {
    name: "rollout_observed",
    item: Item::EntryInjected,
    codes: &[],
    run: |_, found| {
        found.unknown(Why::NotObserved {
            what: "requests lost at the edge during the rollout".into(),
        });
    },
};
