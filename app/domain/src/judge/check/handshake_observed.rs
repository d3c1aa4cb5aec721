//! 1.4: what only a handshake shows: the chain that each gateway pod presents for the name, and how long it lives.

use super::Check;
use crate::{Why, crossing::Item};

pub(super) const CHECK: Check = Check {
    name: "handshake_observed",
    item: Item::Certified,
    codes: &[],
    run: |_, found| {
        found.unknown(Why::NotObserved {
            what: "TLS handshake".into(),
        });
    },
};
