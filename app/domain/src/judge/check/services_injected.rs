//! 2.2: the pods behind the other services get a proxy when they are made.

use crate::{
    crossing::Item,
    judge::{
        Check,
        injected::{reasons, Reasons, Which, injected},
    },
};

const CODES: &Reasons = reasons!("service");

pub(super) const CHECK: Check = Check {
    name: "services_injected",
    item: Item::ServicesInjected,
    codes: &CODES.all(),
    run: |world, found| injected(world, Which::Services, CODES, found),
};
