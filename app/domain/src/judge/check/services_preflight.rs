//! 2.2: nothing stops the other services' pods from coming up with a proxy; what hurts is told.

use crate::{
    crossing::Item,
    judge::{
        Check,
        injected::{concerns, Concerns, Which, preflight},
    },
};

pub(in crate::judge) const CODES: &Concerns = concerns!("service");

pub(in crate::judge) const CHECK: Check = Check {
    name: "services_preflight",
    item: Item::ServicesInjected,
    codes: &CODES.all(),
    run: |world, found| preflight(world, Which::Services, CODES, found),
};
