//! 2.1: the entry's proxies have acknowledged what istiod sent them. Only istiod's own status shows it.

use super::Check;
use crate::{Why, crossing::Item};

pub(super) const CHECK: Check = Check {
    name: "proxy_synced",
    item: Item::EntryInjected,
    codes: &[],
    run: |_, found| {
        found.unknown(Why::NotObserved {
            what: "istiod: proxy sync".into(),
        });
    },
};
