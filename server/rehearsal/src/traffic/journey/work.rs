//! What a workload does with a request, and what it calls for that.

use super::{From, Outcome, Step, Way, place};
use crate::traffic::{demand::Work, peers::Peer, toll::Cause};

/// Calls within calls end here: a demand that calls in circles must not hang.
const DEPTH: u32 = 8;

impl Step<'_, '_> {
    /// What the workload itself does, and what it calls for that.
    pub(super) fn work(&mut self, way: &Way<'_>, end: Peer) -> Outcome {
        let (peers, works) = (self.peers, self.works);
        let workload = &peers.classes[end.class as usize].workload;
        let Some(planned) = works.get(workload) else {
            let ms = self.draw.duration(Work::default().ms);
            return Outcome { wrong: None, ms };
        };
        let work = &planned.work;
        let (mut failing, mut slower) = (work.failing, 1.0);
        if let Some(each) = work.capacity {
            #[expect(clippy::cast_precision_loss, reason = "pods are few")]
            let pods = peers.ready.get(workload).map_or(1, Vec::len) as f64;
            let strain = self.standing.loads.bear(workload, each * pods);
            failing = failing.max(strain.failing);
            slower = strain.slower;
        }
        let own = self.draw.happens(failing);
        let mut wrong = own.then(|| (Cause::OwnFault, place((&workload.0, &workload.1))));
        let mut ms = self.draw.duration(work.ms * slower);
        if way.from.depth >= DEPTH {
            return Outcome { wrong, ms };
        }
        let caller = From {
            peer: end,
            depth: way.from.depth + 1,
            ..way.from
        };
        for (call, target) in work.calls.iter().zip(&planned.targets) {
            let here = call
                .path
                .as_ref()
                .is_none_or(|it| way.from.shape.path.starts_with(&**it));
            if here && self.draw.happens(call.share) {
                let outcome = self.request(caller, *target);
                if call.essential {
                    wrong = wrong.or(outcome.wrong);
                }
                ms += outcome.ms;
            }
        }
        Outcome { wrong, ms }
    }
}
