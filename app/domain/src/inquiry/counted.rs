//! What Prometheus has counted beside the traffic of now.

use crate::{Name, Timestamp, traffic::Reporter, workload::WorkloadId};
use std::collections::BTreeMap;

/// What istiod counts of itself (Istio reference, "Control Plane metrics").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ControlPlane;

/// Of all istiods together, over the last ten minutes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ControlPlaneState {
    /// How many istiods are scraped.
    pub scraped: u32,
    /// The earliest end of a certificate of istiod's own authority, its root and what is plugged in below it (`citadel_server_root_cert_expiry_timestamp`,
    /// `citadel_server_cert_chain_expiry_timestamp`); None where istiod signs nothing itself.
    pub authority_ends: Option<Timestamp>,
    /// Pushes that proxies refused (`pilot_total_xds_rejects`) over ten minutes.
    pub refused: f64,
    /// The most proxies that were connected (`pilot_xds`).
    pub connected: u32,
}

/// Whose figures are collected: the pods, by namespace and name, whose proxies say how long they have been up (`envoy_server_uptime`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScrapedProxies;

/// How often proxies are scraped, and how far back their figures are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scraping;

/// What Prometheus keeps of the proxies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScrapingState {
    /// Seconds between two scrapes of a proxy, of most of them; None where none has been scraped for ten minutes.
    pub interval_s: Option<u32>,
    /// How long ago requests were counted that are still known: the longest of those that were asked for.
    pub reach: Option<Reach>,
}

/// A time back, at which it is asked whether requests are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// An hour.
    Hour,
    /// A day: what 1.3 needs.
    Day,
    /// Seven days: what a batch of each week needs to be seen.
    Week,
    /// Thirty days: a batch of each month.
    Month,
}

impl Reach {
    /// All, in order.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// In hours.
    pub fn hours(self) -> u32 {
        match self {
            Self::Hour => 1,
            Self::Day => 24,
            Self::Week => 168,
            Self::Month => 720,
        }
    }
}

/// What ingress-nginx counts (`nginx_ingress_controller_requests`), over a window that ends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeRequests {
    /// Seconds.
    pub window_s: u32,
}

/// Requests for one host that were passed on to one Service.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeFlow {
    /// The host.
    pub host: Name,
    /// The Service's namespace and name; empty where nginx answered itself.
    pub service: (Name, Name),
    /// Requests a second.
    pub rate: f64,
    /// Of these, answered with 5xx.
    pub failed: f64,
    /// Mean duration in milliseconds; None where it is not counted.
    pub mean_ms: Option<f64>,
}

/// Requests to a workload over a time that is past.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountsOf {
    /// The called workload.
    pub to: WorkloadId,
    /// Whose proxies counted.
    pub by: Reporter,
    /// The time's beginning.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

/// How many, by calling workload (empty for one that no proxy speaks for).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// By caller.
    pub by_caller: BTreeMap<WorkloadId, Count>,
    /// Any series of the called workload existed before the beginning: what is not counted did not happen.
    pub covered: bool,
}

/// How many requests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Count {
    /// All.
    pub requests: f64,
    /// Those that got no answer of the called application: no response, or a gateway's 502, 503 and 504.
    pub lost: f64,
    /// Those that failed, lost ones among them: 5xx, no response.
    pub failed: f64,
}

impl Count {
    /// Several together.
    pub fn sum<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let add = |sum: Self, it: &Self| Self {
            requests: sum.requests + it.requests,
            lost: sum.lost + it.lost,
            failed: sum.failed + it.failed,
        };
        all.into_iter().fold(Self::default(), add)
    }

    /// The share that succeeded, 0 to 1; 1 where there was nothing to fail.
    pub fn success(&self) -> f64 {
        if self.requests > 0.0 {
            1.0 - self.failed / self.requests
        } else {
            1.0
        }
    }
}

/// Whether a response code, with Envoy's flags and gRPC's status, means that nobody behind the proxies has answered: none at all, or a gateway's (RFC
/// 9110 §15.6.3–5); to a gRPC caller Envoy says so as UNAVAILABLE in an answer with code 200. A caller that went away before (`DC`) has lost nothing.
pub fn lost(code: &str, flags: &str, grpc_status: &str) -> bool {
    let flagged = !matches!(flags, "" | "-");
    match code {
        "200" => grpc_status == "14" && flagged,
        "0" | "" => !flags.split(',').any(|it| it == "DC"),
        _ => matches!(code, "502" | "503" | "504"),
    }
}

#[cfg(test)]
mod tests {
    use super::lost;

    #[test]
    fn who_goes_away_has_lost_nothing() {
        for (code, flags, grpc, is) in [
            ("503", "UH", "", true),
            ("504", "UT", "", true),
            ("0", "UC", "", true),
            ("0", "DC", "", false),
            ("500", "-", "", false),
            ("200", "-", "", false),
            ("200", "UC", "14", true),
            ("200", "-", "14", false),
        ] {
            assert_eq!(lost(code, flags, grpc), is, "{code} {flags} {grpc}");
        }
    }
}
