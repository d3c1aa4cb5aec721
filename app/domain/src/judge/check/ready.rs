//! 4.4: all other items are met and signed, and a rollback was tried. What the other items came to is put to it once they are judged.

use crate::{
    Why,
    crossing::Item,
    judge::{Check, verdict::ITEMS_OPEN},
};

pub(super) const CHECK: Check = Check {
    name: "ready",
    item: Item::Ready,
    codes: &[&ITEMS_OPEN],
    run: |_, found| {
        found.unknown(Why::NoEvidence {
            of: "rollback".into(),
        });
        // Signatures and waivers are the ledger's.
        found.unknown(Why::NoEvidence {
            of: "signatures".into(),
        });
    },
};
