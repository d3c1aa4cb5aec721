//! 2.1: every pod of the entry is what would be admitted now. A label at a namespace changes nothing until pods are made anew.

use crate::{
    crossing::Item,
    judge::{
        Check,
        injected::{restarts, Restarts, Which, restarted},
    },
};

const CODES: &Restarts = restarts!("entry");

pub(super) const CHECK: Check = Check {
    name: "entry_restarted",
    item: Item::EntryInjected,
    codes: &CODES.all(),
    run: |world, found| restarted(world, Which::Entry, CODES, found),
};
