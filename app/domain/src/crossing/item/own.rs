//! How an item of a team's own is called.

use std::fmt;

/// The longest name, in bytes: with its phase it is a name of RBAC and a label's value too.
pub(super) const LONGEST: usize = 40;

/// An item of a team's own, by its phase and name: `2.checkout-success`. A name begins with a letter, so that it is none of the sixteen.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OwnItem {
    /// The phase's digit, a dot, and the name.
    bytes: [u8; LONGEST + 2],
    length: u8,
}

impl OwnItem {
    /// None if the phase is not 1 to 4, or the name is no lower-case DNS label of at most [`LONGEST`] bytes that begins with a letter.
    pub fn new(phase: u8, name: &str) -> Option<Self> {
        let bytes = name.as_bytes();
        let inner = |it: &u8| it.is_ascii_lowercase() || it.is_ascii_digit() || *it == b'-';
        let named = bytes.len() <= LONGEST
            && bytes.first().is_some_and(u8::is_ascii_lowercase)
            && bytes.last() != Some(&b'-')
            && bytes.iter().all(inner);
        if !named || !(1..=4).contains(&phase) {
            return None;
        }
        let mut own = Self {
            bytes: [0; LONGEST + 2],
            length: u8::try_from(bytes.len() + 2).ok()?,
        };
        own.bytes[0] = b'0' + phase;
        own.bytes[1] = b'.';
        own.bytes[2..bytes.len() + 2].copy_from_slice(bytes);
        Some(own)
    }

    /// Reads what [`id`](Self::id) says.
    pub fn read(id: &str) -> Option<Self> {
        let (phase, name) = id.split_once('.')?;
        let [digit] = phase.as_bytes() else {
            return None;
        };
        Self::new(digit.checked_sub(b'0')?, name)
    }

    /// The phase, a dot, the name.
    pub fn id(&self) -> &str {
        // Only ASCII was put there.
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl fmt::Debug for OwnItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.id(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, OwnItem};
    use crate::crossing::Item;

    #[test]
    fn what_is_named_is_read_back() {
        let longest = "a".repeat(LONGEST);
        for (phase, name) in [(1, "a"), (2, "checkout-success"), (4, "p99"), (3, &longest)] {
            let own = OwnItem::new(phase, name).unwrap();
            assert_eq!(own.id(), format!("{phase}.{name}"));
            let item = Item::Own(own);
            assert_eq!((item.phase(), item.to_string()), (phase, own.id().to_owned()));
            assert_eq!(own.id().parse(), Ok(item));
            let json = serde_json::to_value(item).unwrap();
            assert_eq!(json, own.id());
            assert_eq!(serde_json::from_value::<Item>(json).unwrap(), item);
        }
    }

    #[test]
    fn what_is_no_name_is_no_item() {
        let longer = format!("2.{}", "a".repeat(LONGEST + 1));
        for id in [
            "0.a", "5.a", "2.", "2.3a", "2.-a", "2.a-", "2.A", "2.a.b", "2.a_b", "2.가", "22.a", ".a", "a",
            "2.a ", "2.a\0", &longer,
        ] {
            assert!(id.parse::<Item>().is_err(), "{id:?}");
        }
        assert_eq!((OwnItem::new(0, "a"), OwnItem::new(209, "a")), (None, None));
    }
}
