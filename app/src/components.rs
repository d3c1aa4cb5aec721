//! Parts that several pages share.

pub(crate) mod age;
pub(crate) mod dialog;
pub(crate) mod icon;
pub(crate) mod in_force;
pub(crate) mod page;
pub(crate) mod plan_sheet;
pub(crate) mod sign;
pub(crate) mod split;
pub(crate) mod states;
pub(crate) mod whys;
