//! A system to look at: the guide's own, on a day with a canary in flight and one service in trouble; and the same console with
//! nothing, with old, and with missing facts. For the page tests and for the example `fixtures`; the numbers are invented, the shapes
//! are those that the domain makes.

mod canaries;
mod changes;
mod checklist;
mod explanation;
mod mesh;
mod orders;
mod topology;

pub use canaries::{plan, reached};
pub use checklist::ledger;
pub use orders::{measured, order, said};

use naru_domain::{actor::Scope, crossing::Item};
use naru_ports::{Judged, Sheet, Surveyed};
use naru_view::{
    Millis, View,
    canary::Canaries,
    change::Changes,
    explanation::{Ask, Explanation},
    freeze::{Frozen, Share, Standstill, Stay},
    overview::{FailingEdge, Overview, ServiceRow},
    source::{Freshness, SourceState},
    topology::Topology,
    version::Version,
    why::{ApplyError, Refused, SourceName, Why},
};
use std::sync::Arc;

/// The moment at which every fixture was taken: 2026-11-23 14:02:07 UTC.
pub const NOW: Millis = 1_795_442_527_000;

/// What the console finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// Everything answers; `product-service` fails now and then.
    Busy,
    /// A cluster without anything that Naru looks at.
    Empty,
    /// Prometheus has been silent for three minutes.
    Stale,
    /// Prometheus was never reached.
    Unreachable,
    /// Some rights and kinds are missing.
    Partial,
    /// Naru moves canaries by steps: a route for each phase (`/canary/user-service/held` …), and Canary objects that move nothing.
    Steps,
}

impl Scene {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Busy,
        Self::Empty,
        Self::Stale,
        Self::Unreachable,
        Self::Partial,
        Self::Steps,
    ];

    fn sources(self) -> Vec<SourceState> {
        let fresh = |source, age: Millis| SourceState {
            source,
            state: Freshness::Fresh,
            at: Some(NOW - age),
            whys: vec![],
        };
        let prometheus = match self {
            Self::Busy | Self::Empty | Self::Partial | Self::Steps => fresh(SourceName::Prometheus, 9_000),
            Self::Stale => SourceState {
                source: SourceName::Prometheus,
                state: Freshness::Stale,
                at: Some(NOW - 185_000),
                whys: vec![Why::TimedOut {
                    source: SourceName::Prometheus,
                    after_ms: 10_000,
                }],
            },
            Self::Unreachable => SourceState {
                source: SourceName::Prometheus,
                state: Freshness::Unreachable,
                at: None,
                whys: vec![Why::Unreachable {
                    source: SourceName::Prometheus,
                    detail: "connection refused".into(),
                }],
            },
        };
        let mut kubernetes = fresh(SourceName::Kubernetes, 1_000);
        if self == Self::Partial {
            kubernetes.state = Freshness::Partial;
            kubernetes.whys = vec![
                Why::Forbidden {
                    verb: "list".into(),
                    resource: "pods".into(),
                    namespace: Some("payment".into()),
                },
                Why::KindAbsent {
                    kind: "PeerAuthentication".into(),
                },
            ];
        }
        vec![kubernetes, prometheus]
    }

    /// What this scene answers to a question.
    ///
    /// # Errors
    /// As the domain does: no such caller, or a part that cannot be used.
    pub fn explanation(self, ask: &Ask) -> Result<Explanation, Refused> {
        explanation::explanation(&self.view(1), ask)
    }

    /// The checklist of this scene: judged from a few manifests with faults of each weight where something answers.
    pub fn judged(self, scope: &Scope) -> Judged {
        match self {
            Self::Busy | Self::Partial => checklist::judged(scope),
            Self::Empty | Self::Stale | Self::Unreachable | Self::Steps => {
                Judged::none(Version { epoch: 7, seq: 1 })
            }
        }
    }

    /// The mesh and the sources in this scene, where something answers.
    pub fn surveyed(self, scope: &Scope) -> Option<Surveyed> {
        matches!(self, Self::Busy | Self::Partial).then(|| mesh::surveyed(scope))
    }

    /// What would be signed of an item in this scene.
    ///
    /// # Errors
    /// Nothing is judged in it.
    pub fn sheet(self, scope: &Scope, item: Item) -> Result<Sheet, ApplyError> {
        match self {
            Self::Busy | Self::Partial => checklist::sheet(scope, item),
            Self::Empty | Self::Stale | Self::Unreachable | Self::Steps => Err(ApplyError::Refused {
                refused: Refused::NotJudged,
            }),
        }
    }

    /// Everything that a viewer of this scene sees, as of version `seq`.
    pub fn view(self, seq: u64) -> View {
        let version = Version { epoch: 7, seq };
        let sources = self.sources();
        let mut topology = topology::topology(version, sources.clone());
        let mut canaries = Canaries {
            version,
            sources: sources.clone(),
            routes: canaries::routes(),
            astray: vec![],
        };
        let mut overview = overview(version, sources.clone(), &canaries);
        let mut changes = Changes {
            version,
            sources: sources.clone(),
            changes: changes::changes(),
        };
        match self {
            Self::Busy | Self::Partial => {}
            Self::Steps => {
                canaries.routes = canaries::ordered();
                canaries.astray = orders::astray();
            }
            Self::Stale => {
                topology.at = Some(NOW - 185_000);
                canaries::without_traffic(
                    &mut canaries,
                    &Why::Stale {
                        source: SourceName::Prometheus,
                        since: NOW - 185_000,
                    },
                );
            }
            Self::Unreachable => {
                topology = topology::without_traffic(topology);
                canaries::without_traffic(
                    &mut canaries,
                    &Why::NotYet {
                        source: SourceName::Prometheus,
                    },
                );
                overview.failing.clear();
                for row in &mut overview.services {
                    (row.rate, row.error_share, row.average_ms, row.mtls_share) = (None, None, None, None);
                }
            }
            Self::Empty => {
                topology = Topology {
                    nodes: vec![],
                    edges: vec![],
                    namespaces: vec![],
                    ..topology
                };
                canaries.routes.clear();
                changes.changes.clear();
                overview = Overview {
                    services: vec![],
                    failing: vec![],
                    meshed: (0, 0),
                    open_changes: 0,
                    ..overview
                };
            }
        }
        overview.in_flight = canaries.routes.iter().take(1).cloned().collect();
        View {
            version,
            overview: Arc::new(overview),
            topology: Arc::new(topology),
            canaries: Arc::new(canaries),
            changes: Arc::new(changes),
            standstill: Arc::new(Standstill {
                version,
                sources,
                frozen: (self == Self::Partial).then(frozen),
            }),
        }
    }
}

/// Three canaries stand still: one on its way, one on its way back, and one of which nobody knows.
fn frozen() -> Frozen {
    let share = |version: &str, weight| Share {
        version: version.into(),
        weight,
    };
    let stay = |namespace: &str, name: &str, phase: &str, canary: u32| Stay {
        namespace: namespace.into(),
        name: name.into(),
        phase: phase.into(),
        versions: vec![share("v1", 100 - canary), share("v2", canary)],
        by_hand: None,
        unreadable: None,
    };
    Frozen {
        by: "Kim Jiwoo".into(),
        reason: "orders fail since 13:40".into(),
        since: Some(NOW - 780_000),
        stays: vec![
            stay("order-service", "order-v2", "Dwelling", 5),
            Stay {
                by_hand: Some(
                    "naru weight user-service/user-service-canary --route 1 v1=100 v2=0 --reason TEXT".into(),
                ),
                ..stay("user-service", "user-v2", "RollingBack", 40)
            },
            Stay {
                versions: vec![],
                unreadable: Some("missing field `steps`".into()),
                ..stay("user-service", "odd", "", 0)
            },
        ],
    }
}

fn overview(version: Version, sources: Vec<SourceState>, canaries: &Canaries) -> Overview {
    let row = |namespace: &str, name: &str, rate, errors, average, mtls, endpoints| ServiceRow {
        namespace: namespace.into(),
        name: name.into(),
        rate,
        error_share: errors,
        average_ms: average,
        mtls_share: mtls,
        endpoints,
    };
    Overview {
        version,
        window_s: 60,
        sources,
        services: vec![
            row(
                "default",
                "sangsang-plus-gateway",
                Some(213.4),
                Some(0.0012),
                Some(28.1),
                Some(1.0),
                Some((3, 3)),
            ),
            row(
                "keycloak",
                "keycloak",
                Some(3.21),
                Some(0.0),
                Some(14.2),
                Some(0.0),
                Some((1, 1)),
            ),
            row("payment", "payment-service", None, None, None, None, Some((0, 2))),
            row(
                "product-service",
                "product-service",
                Some(61.2),
                Some(0.0731),
                Some(48.3),
                Some(0.942),
                Some((2, 2)),
            ),
            row(
                "user-service",
                "user-service",
                Some(202.1),
                Some(0.0011),
                Some(9.32),
                Some(1.0),
                Some((5, 5)),
            ),
        ],
        failing: vec![
            FailingEdge {
                source: "default/sangsang-plus-gateway".into(),
                target: "product-service/product-service".into(),
                rate: 57.6,
                error_share: 0.0731,
                code: "503 UO".into(),
            },
            FailingEdge {
                source: "istio-system/istio-ingressgateway".into(),
                target: "default/sangsang-plus-gateway".into(),
                rate: 213.4,
                error_share: 0.0012,
                code: "502 UF".into(),
            },
            FailingEdge {
                source: "/".into(),
                target: "product-service/product-service".into(),
                rate: 0.4,
                error_share: 0.05,
                code: "503 UO".into(),
            },
        ],
        in_flight: canaries.routes.iter().take(1).cloned().collect(),
        meshed: (6, 9),
        open_changes: 1,
    }
}
