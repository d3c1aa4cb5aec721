//! The memory of flows that went quiet: edges age out, they do not vanish.

use crate::{
    Timestamp,
    traffic::{Flow, FlowKey, Traffic},
};
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// When each flow was last seen with requests.
pub type Memory = BTreeMap<FlowKey, Timestamp>;

/// How long a flow without requests is remembered: longer than a job that runs every ten minutes pauses, short enough that yesterday's
/// system is not drawn.
pub const KEEP: SignedDuration = SignedDuration::from_mins(15);

/// What to remember after `traffic` was measured at `now`: its flows with requests as seen now, the others of `previous` until they are
/// older than `keep`.
pub fn remember(previous: &Memory, traffic: &Traffic, now: Timestamp, keep: SignedDuration) -> Memory {
    let mut memory: Memory = previous
        .iter()
        .filter(|(_, seen)| now.duration_since(**seen) <= keep)
        .map(|(key, seen)| (key.clone(), *seen))
        .collect();
    for (key, _) in traffic.flows.iter().filter(|(_, flow)| active(flow)) {
        memory.insert(key.clone(), now);
    }
    memory
}

/// Whether a flow had requests, or bytes on a connection that was opened earlier.
pub(super) fn active(flow: &Flow) -> bool {
    flow.rate > 0.0 || flow.sent > 0.0 || flow.received > 0.0
}

#[cfg(test)]
mod tests {
    use super::{KEEP, Memory, remember};
    use crate::{
        Timestamp,
        topology::system::{flow, key},
        traffic::Traffic,
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn traffic(rates: &[(&str, f64)]) -> Traffic {
        let flows = rates
            .iter()
            .map(|(source, rate)| (key(source, "shop/web"), flow(*rate, 0.0)));
        Traffic {
            window_s: 60,
            flows: flows.collect(),
        }
    }

    #[test]
    fn a_flow_is_remembered_until_it_is_too_old() {
        let first = remember(
            &Memory::new(),
            &traffic(&[("shop/a", 1.0), ("shop/b", 0.0)]),
            at(0),
            KEEP,
        );
        assert_eq!(
            first,
            Memory::from([(key("shop/a", "shop/web"), at(0))]),
            "b never had a request"
        );
        let quiet = remember(
            &first,
            &traffic(&[("shop/a", 0.0), ("shop/b", 2.0)]),
            at(900),
            KEEP,
        );
        assert_eq!(
            quiet,
            Memory::from([
                (key("shop/a", "shop/web"), at(0)),
                (key("shop/b", "shop/web"), at(900))
            ])
        );
        let gone = remember(&quiet, &traffic(&[]), at(901), KEEP);
        assert_eq!(gone, Memory::from([(key("shop/b", "shop/web"), at(900))]));
    }

    #[test]
    fn bytes_on_an_open_connection_count_as_seen() {
        let mut traffic = traffic(&[("shop/a", 0.0)]);
        traffic.flows.values_mut().for_each(|flow| flow.received = 10.0);
        assert_eq!(remember(&Memory::new(), &traffic, at(0), KEEP).len(), 1);
    }
}
