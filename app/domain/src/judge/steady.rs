//! State that has lasted: an auditor that flaps is not read.

use crate::{Timestamp, Why, fact::Pod};

/// What is not ready for so many seconds is not ready; what is so for less may be a rollout.
pub(super) const SECONDS: i64 = 600;

/// Whether a moment is too near to judge by.
pub(super) fn recent(now: Timestamp, moment: Timestamp) -> bool {
    now.duration_since(moment).as_secs() < SECONDS
}

/// Whether the pod has not been there long enough to be judged.
pub(super) fn young(now: Timestamp, pod: &Pod) -> bool {
    pod.created.is_some_and(|created| recent(now, created))
}

/// It is not known yet whether this will last.
pub(super) fn not_yet() -> Why {
    Why::NotObserved {
        what: "readiness for 10 min".into(),
    }
}
