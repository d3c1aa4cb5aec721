//! What may be used once: states of a sign-in, identifiers of logout tokens.

use naru_view::Millis;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// What is remembered. Beyond it the soonest to run out is forgotten; each is bound to a sealed cookie or a signed token besides.
const KEPT: usize = 4_096;

/// Remembers what was used, until it has run out anyway.
#[derive(Debug, Default)]
pub struct Once {
    used: Mutex<HashMap<String, Millis>>,
}

impl Once {
    /// Whether this was not used before; it is from now on.
    pub fn first(&self, what: &str, until: Millis, now: Millis) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, until| *until > now);
        if used.len() >= KEPT
            && let Some(soonest) = used
                .iter()
                .min_by_key(|(_, until)| **until)
                .map(|(what, _)| what.clone())
        {
            used.remove(&soonest);
        }
        used.insert(what.to_owned(), until).is_none()
    }

    /// It may be used again: what it was used for did not happen.
    pub fn forget(&self, what: &str) {
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(what);
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Once};

    #[test]
    fn nothing_is_used_twice_within_its_time() {
        let once = Once::default();
        assert!(once.first("a", 10, 0));
        assert!(!once.first("a", 10, 9));
        assert!(once.first("b", 10, 9));
        assert!(once.first("a", 30, 20), "it ran out, so it is another one");
        for n in 0..KEPT + 10 {
            assert!(once.first(&n.to_string(), 1_000, 20));
        }
        assert_eq!(once.used.lock().unwrap().len(), KEPT);
    }
}
