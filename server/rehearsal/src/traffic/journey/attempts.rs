//! Attempts at endpoints: the connection, the called side's policies, and what is tried again.

use super::{Attempt, FAILING, Outcome, Step, Way, place, refusal};
use crate::traffic::{
    peers::Peer,
    routes::Behind,
    rules::{self, Arriving, Judged, Shake, Verdict},
    tally::Flags,
    toll::Cause,
};
use naru_domain::{mesh::route::Retries, traffic::Protocol};

/// What a retry waits at most before it, in milliseconds; twice as long each time (Envoy reference, `x-envoy-max-retries`).
const BACKOFF: f64 = 25.0;

impl Step<'_, '_> {
    /// Tries until it works, or no more may be tried, or the time is over.
    pub(super) fn attempts(&mut self, way: &Way<'_>, behind: &Behind, waits: f64) -> (Attempt, f64) {
        let effects = &way.routed.effects;
        let retries = effects.retries.as_ref().filter(|_| way.protocol != Protocol::Tcp);
        let times = retries.map_or(0, |it| it.attempts);
        let limit = effects.timeout_ms.map(short);
        let per_try = retries.and_then(|it| it.per_try_timeout_ms).map(short);
        let (mut ms, mut tried, mut used) = (waits, 0, Vec::new());
        loop {
            let end = self.end(behind, &used);
            let left = limit.map(|limit| (limit - ms).max(0.0));
            let time = match (left, per_try) {
                (Some(left), Some(each)) => Some(left.min(each)),
                (left, each) => left.or(each),
            };
            let mut attempt = self.attempt(way, end, time);
            ms += attempt.ms;
            let over = limit.is_some_and(|limit| ms >= limit);
            let again = retries.is_some_and(|it| retriable(it, &attempt));
            if attempt.wrong.is_none() || over || !again || times == 0 {
                return (attempt, ms);
            }
            if tried == times {
                attempt.flags = attempt.flags.and(Flags::URX);
                return (attempt, ms);
            }
            used.push(end.0.pod);
            ms += self.draw.unit() * BACKOFF * f64::from(1_u32 << tried.min(8));
            tried += 1;
        }
    }

    /// Any endpoint, one that was not tried yet if there is one.
    fn end(&mut self, behind: &Behind, used: &[u32]) -> (Peer, u16) {
        let fresh = behind
            .ends
            .iter()
            .filter(|(peer, _)| !used.contains(&peer.pod))
            .count();
        if used.is_empty() || fresh == 0 {
            return behind.ends[self.draw.below(behind.ends.len())];
        }
        let nth = self.draw.below(fresh);
        let mut fresh = behind.ends.iter().filter(|(peer, _)| !used.contains(&peer.pod));
        fresh.nth(nth).copied().unwrap_or(behind.ends[0])
    }

    /// One attempt at one endpoint; `time` in milliseconds is all that it may take.
    pub(super) fn attempt(&mut self, way: &Way<'_>, (end, port): (Peer, u16), time: Option<f64>) -> Attempt {
        let peers = self.peers;
        let (from, to) = (
            &peers.classes[way.from.peer.class as usize],
            &peers.classes[end.class as usize],
        );
        let bytes = way.protocol == Protocol::Tcp;
        let meshed = from.proxied.meshed();
        let at = || place((&to.workload.0, &to.workload.1));
        let pair = (way.from.peer.pod, end.pod);
        let era = self.standing.era;
        let stale = !bytes && self.standing.pooled.get(&pair).is_some_and(|it| *it < era);
        let shake = self.shake(way, (end, port), stale);
        let mutual = match shake {
            Shake::Works(mutual) => mutual,
            Shake::Closed | Shake::Failed => {
                self.standing.pooled.remove(&pair);
                let closed = shake == Shake::Closed;
                return Attempt {
                    end,
                    code: if bytes { 0 } else { 503 },
                    flags: match (closed, bytes) {
                        (true, true) => Flags::NONE,
                        (true, false) => Flags::UC,
                        // A proxy of bytes does not try again, and says so.
                        (false, true) => Flags::UF.and(Flags::URX),
                        (false, false) => Flags::UF,
                    },
                    wrong: Some((if closed { Cause::Plaintext } else { Cause::Tls }, at())),
                    ms: FAILING,
                    counted: meshed,
                };
            }
        };
        let verdict = if to.proxied.meshed() {
            self.verdict(way, (end, port), mutual, stale)
        } else {
            Verdict::Allowed
        };
        if !bytes {
            self.standing.pooled.insert(pair, era);
        }
        let refused = refusal(verdict);
        let (mut code, mut wrong, mut ms) = match refused {
            Some((code, cause)) => (code, Some((cause, at())), FAILING),
            None => {
                let Outcome { wrong, ms } = self.work(way, end);
                (if wrong.is_some() { 500 } else { 200 }, wrong, ms)
            }
        };
        let mut flags = Flags::NONE;
        let over = time.is_some_and(|time| ms > time) && !bytes;
        if over {
            // The caller gives up: the called side sees that it has gone.
            (code, flags) = (0, Flags::DC);
            ms = time.unwrap_or(ms);
        }
        if to.proxied.meshed() {
            self.at_destination(way, end, mutual, code, flags, ms);
        }
        if over {
            (code, flags) = (504, Flags::UT);
            wrong = Some((Cause::Timeout, at()));
        }
        Attempt {
            end,
            code,
            flags,
            wrong,
            ms,
            counted: meshed,
        }
    }

    fn shake(&mut self, way: &Way<'_>, (end, port): (Peer, u16), stale: bool) -> Shake {
        let ends = (way.from.peer.class, end.class, way.leg.destination, port);
        if stale && let Some((shake, _)) = self.standing.old.shakes.get(&ends) {
            return *shake;
        }
        let (mesh, peers) = (self.mesh, self.peers);
        let destination = &self.routes.destinations[way.leg.destination as usize];
        let known = self.standing.rules.shakes.entry(ends);
        let (shake, judged) =
            *known.or_insert_with(|| rules::shake(mesh, peers, (ends.0, ends.1, port), destination));
        *self.unjudged += u64::from(!judged);
        shake
    }

    fn verdict(&mut self, way: &Way<'_>, (end, port): (Peer, u16), mutual: bool, stale: bool) -> Verdict {
        let class = way.from.peer.class;
        let key = (class, end.class, port, way.target, way.from.shape_number, mutual);
        if stale && let Some((verdict, _)) = self.standing.old.verdicts.get(&key) {
            return *verdict;
        }
        let (mesh, peers) = (self.mesh, self.peers);
        let destination = &self.routes.destinations[way.leg.destination as usize];
        let arriving = Arriving {
            protocol: way.protocol,
            host: &way.routed.host,
            path: &way.routed.path,
            shape: way.from.shape,
        };
        let ask = || -> Judged<Verdict> {
            let (from, to) = (&peers.classes[class as usize], &peers.classes[end.class as usize]);
            rules::verdict(mesh, Some(from), to, port, mutual, arriving, Some(destination))
        };
        let (verdict, judged) = *self.standing.rules.verdicts.entry(key).or_insert_with(ask);
        *self.unjudged += u64::from(!judged);
        verdict
    }
}

#[expect(clippy::cast_precision_loss, reason = "limits of time are short")]
fn short(ms: u64) -> f64 {
    ms as f64
}

/// Whether Envoy tries again after this (Envoy reference, `x-envoy-retry-on`). A full pool is never tried again; a connection that was
/// taken and closed is, where resets are.
fn retriable(retries: &Retries, attempt: &Attempt) -> bool {
    let on = |wanted: &[&str]| retries.on.split(',').any(|it| wanted.contains(&it.trim()));
    if attempt.flags == Flags::UF {
        return on(&["connect-failure", "5xx", "gateway-error", "reset"]);
    }
    if attempt.flags == Flags::UC {
        return on(&["5xx", "gateway-error", "reset"]);
    }
    match attempt.code {
        502..=504 if on(&["gateway-error"]) => true,
        500..=599 if on(&["5xx"]) => true,
        409 if on(&["retriable-4xx"]) => true,
        504 if attempt.flags == Flags::UT && on(&["reset"]) => true,
        code => {
            on(&["retriable-status-codes"]) && retries.on.split(',').any(|it| it.trim().parse() == Ok(code))
        }
    }
}
