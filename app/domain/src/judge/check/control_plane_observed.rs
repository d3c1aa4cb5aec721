//! 1.1: what only istiod itself tells: how long its certificate authority lives, whether proxies refuse what it sends, and whether its webhooks
//! answer a trial.

use super::Check;
use crate::{Why, crossing::Item};

pub(super) const CHECK: Check = Check {
    name: "control_plane_observed",
    item: Item::Installed,
    codes: &[],
    run: |_, found| {
        for what in ["CA certificate", "istiod NACK", "dry-run create"] {
            found.unknown(Why::NotObserved { what: what.into() });
        }
    },
};
