//! How fresh each source is.

use crate::{
    SourceName, Timestamp, Why,
    judge::MORE_KINDS,
    object::Kind,
    snapshot::{KindState, Snapshot},
};
use jiff::SignedDuration;
use naru_view::source::{Freshness, SourceState};
use std::collections::BTreeSet;

/// Traffic older than this is stale: three refreshes of five seconds, so that one lost answer does not alarm.
pub const PROMETHEUS_STALE: SignedDuration = SignedDuration::from_secs(14);

/// The state of each source at the time of the snapshot.
pub fn sources(snapshot: &Snapshot) -> Vec<SourceState> {
    vec![kubernetes(snapshot), prometheus(snapshot)]
}

fn kubernetes(snapshot: &Snapshot) -> SourceState {
    let section = &snapshot.objects;
    let kinds = &section.value.kinds;
    let mut whys: BTreeSet<Why> = kinds
        .iter()
        .filter_map(|(kind, state)| match state {
            KindState::Known => None,
            // The Gateway API is one of two ways, and most meshes do without it; checks do without what is not installed.
            KindState::Absent if kind.group() == Kind::HttpRoute.group() || MORE_KINDS.contains(kind) => None,
            KindState::Absent => Some(Why::KindAbsent {
                kind: kind.name().into(),
            }),
            KindState::Lost(why) => Some(why.clone()),
            KindState::NotYet => Some(Why::NotYet {
                source: SourceName::Kubernetes,
            }),
        })
        .collect();
    whys.extend(section.gaps.iter().cloned());
    let forbidden = |why: &Why| matches!(why, Why::Forbidden { .. });
    let lost = kinds
        .values()
        .filter(|state| matches!(state, KindState::Lost(why) if !forbidden(why)))
        .count();
    let absent_only = whys.iter().all(|why| matches!(why, Why::KindAbsent { .. }));
    let state = match () {
        () if section.at.is_none() => Freshness::Unreachable,
        () if lost > 0 => Freshness::Stale,
        () if absent_only => Freshness::Fresh,
        () => Freshness::Partial,
    };
    SourceState {
        source: SourceName::Kubernetes,
        state,
        at: millis(section.at),
        whys: whys.into_iter().collect(),
    }
}

fn prometheus(snapshot: &Snapshot) -> SourceState {
    let section = &snapshot.traffic;
    let state = match section.at {
        None => Freshness::Unreachable,
        Some(at) if snapshot.taken.duration_since(at) > PROMETHEUS_STALE => Freshness::Stale,
        // The last question failed: what is shown is the last known, however young.
        Some(_) if section.gaps.iter().any(failure) => Freshness::Stale,
        Some(_) if section.gaps.is_empty() => Freshness::Fresh,
        Some(_) => Freshness::Partial,
    };
    let mut whys: Vec<Why> = section.gaps.to_vec();
    if section.at.is_none() && whys.is_empty() {
        whys.push(Why::NotYet {
            source: SourceName::Prometheus,
        });
    }
    SourceState {
        source: SourceName::Prometheus,
        state,
        at: millis(section.at),
        whys,
    }
}

/// The source gave no answer.
pub(crate) fn failure(why: &Why) -> bool {
    matches!(
        why,
        Why::Unreachable { .. } | Why::TimedOut { .. } | Why::Garbled { .. } | Why::Failed { .. }
    )
}

fn millis(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::{PROMETHEUS_STALE, sources};
    use crate::{
        SourceName, Why, example,
        object::Kind,
        snapshot::{KindState, Snapshot},
    };
    use jiff::SignedDuration;
    use naru_view::source::Freshness::{self, Fresh, Partial, Stale, Unreachable};
    use std::sync::Arc;

    fn states(change: impl FnOnce(&mut Snapshot)) -> [Freshness; 2] {
        let mut snapshot = example::snapshot(example::objects());
        change(&mut snapshot);
        let sources = sources(&snapshot);
        [sources[0].state, sources[1].state]
    }

    fn kind(snapshot: &mut Snapshot, kind: Kind, state: KindState) {
        let mut objects = (*snapshot.objects.value).clone();
        objects.kinds.insert(kind, state);
        snapshot.objects.value = Arc::new(objects);
    }

    #[test]
    fn istios_kinds_are_missed_and_the_gateway_apis_are_not() {
        let missed = |absent: Kind| {
            let mut snapshot = example::snapshot(example::objects());
            kind(&mut snapshot, absent, KindState::Absent);
            sources(&snapshot)[0].whys.len()
        };
        assert_eq!((missed(Kind::Gateway), missed(Kind::GatewayApiGateway)), (1, 0));
        assert_eq!((missed(Kind::Sidecar), missed(Kind::HttpRoute)), (1, 0));
    }

    #[test]
    fn each_state_has_its_cause() {
        assert_eq!(states(|_| ()), [Fresh, Fresh]);
        assert_eq!(
            states(|s| kind(s, Kind::Gateway, KindState::Absent)),
            [Fresh, Fresh]
        );
        let forbidden = Why::Forbidden {
            verb: "list".into(),
            resource: "pods".into(),
            namespace: None,
        };
        assert_eq!(
            states(|s| kind(s, Kind::Pod, KindState::Lost(forbidden))),
            [Partial, Fresh]
        );
        let gone = Why::Unreachable {
            source: SourceName::Kubernetes,
            detail: "refused".into(),
        };
        assert_eq!(
            states(|s| kind(s, Kind::Pod, KindState::Lost(gone))),
            [Stale, Fresh]
        );
        assert_eq!(
            states(|s| kind(s, Kind::Pod, KindState::NotYet)),
            [Partial, Fresh]
        );
        assert_eq!(states(|s| s.objects.at = None), [Unreachable, Fresh]);
        assert_eq!(states(|s| s.traffic.at = None), [Fresh, Unreachable]);
        assert_eq!(states(|s| s.taken += PROMETHEUS_STALE), [Fresh, Fresh]);
        assert_eq!(
            states(|s| s.taken += PROMETHEUS_STALE + SignedDuration::from_millis(1)),
            [Fresh, Stale]
        );
        let failed = Why::TimedOut {
            source: SourceName::Prometheus,
            after_ms: 8000,
        };
        assert_eq!(states(|s| s.traffic.gaps = Arc::from([failed])), [Fresh, Stale]);
        let gaps = Arc::from([Why::TooYoung {
            samples: 1,
            needed: 4,
        }]);
        assert_eq!(states(|s| s.traffic.gaps = gaps), [Fresh, Partial]);
    }
}
