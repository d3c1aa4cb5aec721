//! The checks, one file each. A new one is a file here, a line in [`checks!`] below, and a sentence for each of its codes under `finding`
//! in both locales.

use super::{Code, Found, World};
use crate::crossing::Item;

/// Looks at one thing.
pub struct Check {
    /// The name of its file.
    pub name: &'static str,
    /// The item that it is part of.
    pub item: Item,
    /// What it can find.
    pub codes: &'static [&'static Code],
    /// Looks, and says what it found, saw, and could not know.
    pub run: fn(&World<'_>, &mut Found),
}

macro_rules! checks {
    ($($name:ident,)*) => {
        $(mod $name;)*

        /// All checks, in order of their items.
        pub const ALL: &[Check] = &[$($name::CHECK),*];
    };
}

checks! {
    gateway_selects,
    route_bound,
    regression,
}

#[cfg(test)]
mod tests;
