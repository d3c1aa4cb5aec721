//! What may go wrong between Naru and the API server, arranged beforehand by a test or a scenario.

use super::ObjectStore;
use std::time::Duration;

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Reading one object.
    Get,
    /// Asking what a write would do.
    DryRun,
    /// A write that is meant.
    Write,
    /// Asking for rights.
    May,
}

/// What happens to a call.
pub enum Fault {
    /// It does not arrive: `Unreachable`, and nothing has landed.
    Before,
    /// It is carried out, and the answer is lost: `Unsure` for a write.
    After,
    /// It is turned away for this time.
    Throttled(Duration),
    /// It never returns, and is not carried out. Drop it, as a kill would.
    HangBefore,
    /// It is carried out and never returns. Drop it, as a kill would.
    HangAfter,
    /// Somebody else acts just before it arrives.
    Meanwhile(Box<dyn FnOnce(&ObjectStore) + Send>),
}

impl std::fmt::Debug for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Before => f.write_str("Before"),
            Self::After => f.write_str("After"),
            Self::Throttled(wait) => f.debug_tuple("Throttled").field(wait).finish(),
            Self::HangBefore => f.write_str("HangBefore"),
            Self::HangAfter => f.write_str("HangAfter"),
            Self::Meanwhile(_) => f.write_str("Meanwhile"),
        }
    }
}

#[derive(Debug)]
struct Planned {
    call: Call,
    skip: u32,
    fault: Fault,
}

#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Planned>);

impl Faults {
    pub(super) fn plan(&mut self, call: Call, skip: u32, fault: Fault) {
        self.0.push(Planned { call, skip, fault });
    }

    /// The faults that this call meets, in the order in which they were planned.
    pub(super) fn meet(&mut self, call: Call) -> Vec<Fault> {
        let mut met = Vec::new();
        let mut left = Vec::with_capacity(self.0.len());
        for mut planned in self.0.drain(..) {
            if planned.call != call {
                left.push(planned);
            } else if planned.skip == 0 {
                met.push(planned.fault);
            } else {
                planned.skip -= 1;
                left.push(planned);
            }
        }
        self.0 = left;
        met
    }
}
