//! 2.1: what is written at the entry to steer injection does what it seems to say.

use crate::{
    crossing::Item,
    judge::{
        Check,
        injected::{traps, Traps, Which, trapped},
    },
};

const CODES: &Traps = traps!("entry");

pub(super) const CHECK: Check = Check {
    name: "entry_traps",
    item: Item::EntryInjected,
    codes: &CODES.all(),
    run: |world, found| trapped(world, Which::Entry, CODES, found),
};
