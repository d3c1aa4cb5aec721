//! One file a page.

mod canary;
mod canary_list;
mod changes;
mod checklist;
mod checklist_item;
mod login;
mod mesh;
mod not_found;
mod overview;
mod topology;
mod why;

pub(crate) use canary::{canary, http_route};
pub(crate) use canary_list::canary_list;
pub(crate) use changes::changes;
pub(crate) use checklist::checklist;
pub(crate) use checklist_item::checklist_item;
pub(crate) use login::login;
pub(crate) use mesh::mesh;
pub(crate) use not_found::{missing, not_found};
pub(crate) use overview::overview;
pub(crate) use topology::topology;
pub(crate) use why::why;
