//! What proxies count of a request.

use super::{From, Step, Way};
use crate::{
    draw::Draw,
    traffic::{
        Count,
        peers::Peer,
        tally::{Flags, NOBODY, Series},
    },
};
use naru_domain::{
    Name,
    traffic::{Protocol, Reporter},
};

impl Step<'_, '_> {
    #[expect(clippy::too_many_arguments, reason = "each is a label")]
    pub(super) fn at_source(
        &mut self,
        from: From<'_>,
        route: &Name,
        target: u32,
        service: u32,
        protocol: Protocol,
        code: u16,
        flags: Flags,
        ms: f64,
    ) {
        let class = from.peer.class;
        if !self.peers.classes[class as usize].proxied.meshed() {
            return;
        }
        let grown = count(protocol, ms, &mut self.draw);
        let series = Series {
            source: class,
            target,
            service,
            reporter: Reporter::Source,
            protocol,
            mtls: false,
            code: if protocol == Protocol::Tcp { 0 } else { code },
            flags,
            route: self.tally.route(route),
        };
        self.tally.count(series, grown, self.peers, self.samples);
    }

    pub(super) fn at_destination(
        &mut self,
        way: &Way<'_>,
        end: Peer,
        mtls: bool,
        code: u16,
        flags: Flags,
        ms: f64,
    ) {
        let class = way.from.peer.class;
        // Proxies tell each other who they are, by mutual TLS or not.
        let source = if self.peers.classes[class as usize].proxied.meshed() {
            class
        } else {
            NOBODY
        };
        let grown = count(way.protocol, ms, &mut self.draw);
        let series = Series {
            source,
            target: end.class,
            service: way.service,
            reporter: Reporter::Destination,
            protocol: way.protocol,
            mtls,
            code: if way.protocol == Protocol::Tcp { 0 } else { code },
            flags,
            // It is told of callers alone.
            route: NOBODY,
        };
        self.tally.count(series, grown, self.peers, self.samples);
    }
}

fn count(protocol: Protocol, ms: f64, draw: &mut Draw) -> Count {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "durations are positive and short"
    )]
    let duration_us = (ms * 1_000.0) as u64;
    let bytes = |from: u64, to: u64, draw: &mut Draw| from + draw.bits() % (to - from);
    match protocol {
        Protocol::Tcp => Count {
            requests: 1,
            duration_us: 0,
            sent: bytes(200, 2_000, draw),
            received: bytes(500, 20_000, draw),
        },
        Protocol::Http | Protocol::Grpc => Count {
            requests: 1,
            duration_us,
            sent: bytes(300, 900, draw),
            received: bytes(400, 6_000, draw),
        },
    }
}
