//! What the system's users had to bear: not a proxy's counter, but the callers' own experience, so that it also counts what no proxy
//! sees.

use naru_domain::Name;
use std::collections::BTreeMap;

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// No Ingress, route or virtual host for it: 404.
    NoRoute,
    /// A rule names a host or subset that is not there: 503 with the flag NC.
    NoCluster,
    /// Nothing is ready behind it: 503 with the flag UH.
    NoEndpoint,
    /// The called side wants mutual TLS and the caller has no proxy, or is told not to use it: the connection is reset.
    Plaintext,
    /// The caller's proxy sends TLS to a side that does not speak it.
    Tls,
    /// An AuthorizationPolicy forbids it: 403.
    Denied,
    /// Its token is not taken: 401.
    Unauthenticated,
    /// A connection pool is full: 503 with the flag UO.
    Overflow,
    /// It took longer than its route allows: 504 with the flag UT.
    Timeout,
    /// The workload that was asked failed by its own fault.
    OwnFault,
    /// A fault that a route puts in.
    Injected,
    /// It is not let out of the mesh.
    BlackHole,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::NoRoute,
        Self::NoCluster,
        Self::NoEndpoint,
        Self::Plaintext,
        Self::Tls,
        Self::Denied,
        Self::Unauthenticated,
        Self::Overflow,
        Self::Timeout,
        Self::OwnFault,
        Self::Injected,
        Self::BlackHole,
    ];

    /// Its name, for records and sentences.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoRoute => "no-route",
            Self::NoCluster => "no-cluster",
            Self::NoEndpoint => "no-endpoint",
            Self::Plaintext => "plaintext",
            Self::Tls => "tls",
            Self::Denied => "denied",
            Self::Unauthenticated => "unauthenticated",
            Self::Overflow => "overflow",
            Self::Timeout => "timeout",
            Self::OwnFault => "own-fault",
            Self::Injected => "injected",
            Self::BlackHole => "black-hole",
        }
    }
}

/// Where a request went wrong, and why; of calls within calls the innermost.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Harm {
    /// Whose request it was: the arrival's name.
    pub caller: Name,
    /// Why it failed.
    pub cause: Cause,
    /// `namespace/name` of the workload or service that it failed at; empty at the edge.
    pub place: Name,
}

/// All of it since the start, history left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Toll {
    /// Requests made, by the arrival's name.
    pub asked: BTreeMap<Name, u64>,
    /// Requests that failed.
    pub harmed: BTreeMap<Harm, u64>,
}

impl Toll {
    pub(super) fn count(&mut self, caller: &Name, wrong: Option<(Cause, Name)>) {
        *self.asked.entry(caller.clone()).or_default() += 1;
        if let Some((cause, place)) = wrong {
            let caller = caller.clone();
            *self.harmed.entry(Harm { caller, cause, place }).or_default() += 1;
        }
    }

    /// Requests made in all.
    pub fn asked(&self) -> u64 {
        self.asked.values().sum()
    }

    /// Requests that failed, of those that fit.
    pub fn harmed(&self, fits: impl Fn(&Harm) -> bool) -> u64 {
        self.harmed
            .iter()
            .filter(|(harm, _)| fits(harm))
            .map(|(_, n)| n)
            .sum()
    }
}
