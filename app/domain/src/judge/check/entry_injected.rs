//! 2.1: the pods behind the entry get a proxy when they are made.

use crate::{
    crossing::Item,
    judge::{
        Check,
        injected::{reasons, Reasons, Which, injected},
    },
};

const CODES: &Reasons = reasons!("entry");

pub(super) const CHECK: Check = Check {
    name: "entry_injected",
    item: Item::EntryInjected,
    codes: &CODES.all(),
    run: |world, found| injected(world, Which::Entry, CODES, found),
};
