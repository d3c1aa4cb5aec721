//! What a controller sees.

use crate::{
    Name, Timestamp,
    canary::status::Weights,
    judge::guardrail::{Judged, Said},
};

/// What is known now.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The route as it is, read after the status.
    pub live: Live,
    /// How the Change in flight ended, as the journal has it.
    pub change: Ended,
    /// A new name for a Change, should one be needed.
    pub next_change: Name,
    /// Why nothing may be moved: somebody froze all controllers, or it is not known whether somebody did.
    pub frozen: Option<Said>,
    /// Why the weights that were asked for cannot be set now, as far as that was tried. Who asks first, plans the move that comes out, and
    /// asks again with what stands against it, never writes down a move that will not be carried out.
    pub refused: Option<Said>,
    /// What the guardrail says, asked with [`Status::rules`](crate::canary::status::Status::rules); whatever it is before there are any.
    pub judged: Judged,
    /// What `spec.stable` can carry, to which a rollback gives the requests back: also after a promotion.
    pub capacity: Capacity,
}

/// The route's rule as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Live {
    /// It was read.
    Known {
        /// The weights of the two destinations, of 100.
        weights: Weights,
        /// The weights of all other destinations.
        others: u32,
        /// Who wrote it last, if that was not Naru: a field manager, or the controller that owns it.
        by: Option<Name>,
    },
    /// It is not there, or cannot be read.
    Unknown,
}

/// How the Change in flight ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The journal has no such entry: it was not begun.
    Absent,
    /// It is not known yet; recovery sees to it.
    Intended,
    /// It landed then.
    Landed(Timestamp),
    /// It was not carried out, and will not be.
    NotCarriedOut,
    /// A person must look.
    Stopped,
}

/// So many times what a pod was seen to carry well it is trusted to carry: a horizontal autoscaler with its usual target of two thirds leaves that much.
/// Without it a way back from the first step would wait for pods, for the stable version's own had a part of the requests only.
const SPARE: f64 = 1.5;

/// What a version can carry by its pods.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Capacity {
    /// Ready pods; None where it is not known.
    pub ready: Option<u32>,
    /// Pods that its owner wants.
    pub wanted: u32,
    /// The most requests per second that a ready pod of it was seen to carry well; None where it is not known.
    pub peak: Option<f64>,
    /// Requests per second over the route now, both versions; None where it is not known.
    pub rate: Option<f64>,
}

impl Capacity {
    /// Ready pods that all requests need; None where it is not known.
    pub(super) fn needed(&self) -> Option<u32> {
        let (peak, rate) = (self.peak.filter(|it| *it > 0.0)? * SPARE, self.rate?);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "kept between 1 and what u32 holds"
        )]
        let pods = (rate / peak).ceil().clamp(1.0, f64::from(u32::MAX)) as u32;
        Some(pods)
    }
}
