//! 4.3: named people were trained, and say so. An attestation is handed in.

use super::Check;
use crate::{Why, crossing::Item};

pub(super) const CHECK: Check = Check {
    name: "training",
    item: Item::Trained,
    codes: &[],
    run: |_, found| {
        found.unknown(Why::NoEvidence { of: "training".into() });
    },
};
