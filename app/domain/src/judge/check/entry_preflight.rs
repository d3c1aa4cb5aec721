//! 2.1: nothing stops the entry's pods from coming up with a proxy; what hurts is told.

use crate::{
    crossing::Item,
    judge::{
        Check,
        injected::{concerns, Concerns, Which, preflight},
    },
};

const CODES: &Concerns = concerns!("entry");

pub(super) const CHECK: Check = Check {
    name: "entry_preflight",
    item: Item::EntryInjected,
    codes: &CODES.all(),
    run: |world, found| preflight(world, Which::Entry, CODES, found),
};
