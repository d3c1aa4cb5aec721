//! 2.2: every pod of the other services is what would be admitted now.

use crate::{
    crossing::Item,
    judge::{
        Check,
        injected::{restarts, Restarts, Which, restarted},
    },
};

const CODES: &Restarts = restarts!("service");

pub(super) const CHECK: Check = Check {
    name: "services_restarted",
    item: Item::ServicesInjected,
    codes: &CODES.all(),
    run: |world, found| restarted(world, Which::Services, CODES, found),
};
