//! Which counter a request makes grow.

use super::{
    Count, Line,
    peers::{Peers, narrow},
    samples::Samples,
};
use naru_domain::{
    Name,
    traffic::{FlowKey, Party, Protocol, Reporter, ServiceId},
};
use std::collections::BTreeMap;

/// Nobody: unknown to who counts.
pub(super) const NOBODY: u32 = u32::MAX;

/// Envoy's response flags, as a set. (`ResponseFlagUtils` in Envoy's `source/common/stream_info`, whose order they are written in.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flags(u16);

impl Flags {
    pub(super) const NONE: Self = Self(0);
    pub(super) const UH: Self = Self(1);
    pub(super) const UT: Self = Self(1 << 1);
    pub(super) const UF: Self = Self(1 << 2);
    pub(super) const UC: Self = Self(1 << 3);
    pub(super) const UO: Self = Self(1 << 4);
    pub(super) const NR: Self = Self(1 << 5);
    pub(super) const DI: Self = Self(1 << 6);
    pub(super) const FI: Self = Self(1 << 7);
    pub(super) const DC: Self = Self(1 << 8);
    pub(super) const URX: Self = Self(1 << 9);
    pub(super) const NC: Self = Self(1 << 10);

    const NAMES: [&str; 11] = ["UH", "UT", "UF", "UC", "UO", "NR", "DI", "FI", "DC", "URX", "NC"];

    pub(super) fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    pub(super) fn text(self) -> String {
        let set = Self::NAMES.iter().enumerate();
        let set: Vec<&str> = set
            .filter(|(bit, _)| self.0 & (1 << bit) != 0)
            .map(|(_, name)| *name)
            .collect();
        if set.is_empty() { "-".into() } else { set.join(",") }
    }
}

/// A counter, by numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series {
    /// Class of the caller, or [`NOBODY`].
    pub(super) source: u32,
    /// Class of the called side, or [`NOBODY`].
    pub(super) target: u32,
    pub(super) service: u32,
    pub(super) reporter: Reporter,
    pub(super) protocol: Protocol,
    pub(super) mtls: bool,
    /// 0 for no answer, and for bytes.
    pub(super) code: u16,
    pub(super) flags: Flags,
    /// The route that led there, or [`NOBODY`].
    pub(super) route: u32,
}

/// The numbers that counters have.
#[derive(Debug, Default)]
pub(super) struct Tally {
    numbers: BTreeMap<Series, usize>,
    services: Vec<ServiceId>,
    service_numbers: BTreeMap<ServiceId, u32>,
    routes: Vec<Name>,
    route_numbers: BTreeMap<Name, u32>,
}

impl Tally {
    pub(super) fn service(&mut self, service: &ServiceId) -> u32 {
        if let Some(&number) = self.service_numbers.get(service) {
            return number;
        }
        let number = narrow(self.services.len());
        self.services.push(service.clone());
        self.service_numbers.insert(service.clone(), number);
        number
    }

    /// The number of a route's name; [`NOBODY`] of none.
    pub(super) fn route(&mut self, name: &Name) -> u32 {
        if name.is_empty() {
            return NOBODY;
        }
        if let Some(&number) = self.route_numbers.get(name) {
            return number;
        }
        let number = narrow(self.routes.len());
        self.routes.push(name.clone());
        self.route_numbers.insert(name.clone(), number);
        number
    }

    pub(super) fn count(&mut self, series: Series, by: Count, peers: &Peers, samples: &mut Samples) {
        let number = match self.numbers.get(&series) {
            Some(&number) => number,
            None => {
                let number = samples.number(&self.line(&series, peers));
                self.numbers.insert(series, number);
                number
            }
        };
        samples.add(number, by);
    }

    fn line(&self, series: &Series, peers: &Peers) -> Line {
        let party = |class: u32| -> Party { peers.parties.get(class as usize).cloned().unwrap_or_default() };
        let code: Name = series.code.to_string().into();
        Line {
            flow: FlowKey {
                source: party(series.source),
                target: party(series.target),
                service: self
                    .services
                    .get(series.service as usize)
                    .cloned()
                    .unwrap_or_default(),
                reporter: series.reporter,
                protocol: series.protocol,
            },
            mtls: series.mtls,
            code,
            flags: series.flags.text().into(),
            route: self
                .routes
                .get(series.route as usize)
                .cloned()
                .unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Flags;

    #[test]
    fn flags_are_written_in_envoys_order() {
        assert_eq!(Flags::NONE.text(), "-");
        assert_eq!(Flags::URX.and(Flags::UF).text(), "UF,URX");
        assert_eq!(Flags::NC.and(Flags::DI).text(), "DI,NC");
    }
}
