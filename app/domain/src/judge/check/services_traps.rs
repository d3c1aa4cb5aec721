//! 2.2: what is written at the other services to steer injection does what it seems to say.

use crate::{
    crossing::Item,
    judge::{
        Check,
        injected::{traps, Traps, Which, trapped},
    },
};

const CODES: &Traps = traps!("service");

pub(super) const CHECK: Check = Check {
    name: "services_traps",
    item: Item::ServicesInjected,
    codes: &CODES.all(),
    run: |world, found| trapped(world, Which::Services, CODES, found),
};
