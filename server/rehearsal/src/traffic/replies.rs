//! What the rehearsed system replies to what checks ask beside: it does what the model says of its objects, and Prometheus knows what was scraped.

use super::{SimulatedMetrics, simulation::Simulation};
use jiff::SignedDuration;
use naru_domain::{
    Name, SourceName, Timestamp, Why,
    fact::{Pod, Proxy as Meshed},
    inquiry::{
        Address, Certificate, Chain, ControlPlaneState, Exchange, Injected, Inquiry, ProxyState, Reply,
        Response, Stage, Trial, Xds,
    },
    mesh::{
        Mesh, Prepared, Proxy, gateway,
        route::{Outcome, Request},
        subset,
    },
    object::Kind,
    snapshot::Objects,
    traffic::Dated,
    workload::{runs, selects},
};
use naru_ports::Inquiries;
use std::sync::Arc;

/// How long the rehearsed root certificate lives, and since when, in days.
const ROOT_DAYS: (i64, i64) = (3_650, 400);
/// The same of certificates at the edge.
const EDGE_DAYS: (i64, i64) = (90, 21);

#[async_trait::async_trait]
impl Inquiries for SimulatedMetrics {
    async fn find_out(&self, inquiry: &Inquiry) -> Result<Dated<Reply>, Why> {
        let now = self.now();
        let state = self.caught_up();
        if let Some(why) = state
            .failing(now)
            .filter(|_| inquiry.source() == SourceName::Prometheus)
        {
            return Err(why);
        }
        let nothing = Objects::default();
        let objects = state.simulation.as_ref().map_or(&nothing, Simulation::objects);
        let sent = state.simulation.as_ref().map(Simulation::sent);
        let system = System { objects, now, sent };
        let value = match inquiry {
            Inquiry::Address(at) => Reply::Address(system.presents(at)?),
            Inquiry::Exchange(it) => Reply::Exchange(system.answers(it)?),
            Inquiry::ProxyStates(it) => Reply::ProxyStates(system.connected(&it.istiod)),
            Inquiry::Injection(_) => {
                Reply::Injection(system.webhook(Kind::MutatingWebhookConfiguration, |_| Injected {
                    image: "proxyv2".into(),
                    cpu: "100m".into(),
                    memory: "128Mi".into(),
                }))
            }
            Inquiry::Validation(_) => {
                Reply::Validation(system.webhook(Kind::ValidatingWebhookConfiguration, |name| name))
            }
            Inquiry::ControlPlane(_) => Reply::ControlPlane(system.control_plane()),
            Inquiry::ScrapedProxies(_) => Reply::ScrapedProxies(
                system
                    .meshed()
                    .map(|pod| (pod.namespace.clone(), pod.name.clone()))
                    .collect(),
            ),
            Inquiry::Scraping(_) => Reply::Scraping(state.samples.scraping(now)),
            // No metrics of nginx's are rehearsed.
            Inquiry::EdgeRequests(_) => Reply::EdgeRequests(Vec::new()),
            Inquiry::CountsOf(it) => Reply::CountsOf(state.samples.counts(it)),
            // The rehearsed Prometheus reads no PromQL.
            Inquiry::Threshold(it) => {
                return Err(Why::NotObserved {
                    what: it.query.text().into(),
                });
            }
        };
        Ok(Dated {
            value,
            at: now,
            gaps: Vec::new(),
        })
    }
}

struct System<'a> {
    objects: &'a Objects,
    now: Timestamp,
    /// When the configuration that the proxies have was sent.
    sent: Option<Timestamp>,
}

impl System<'_> {
    fn pod(&self, ip: &str) -> Result<&Arc<Pod>, Why> {
        let mut pods = self.objects.pods.values();
        let found = pods.find(|pod| &*pod.ip == ip && runs(pod));
        found.ok_or_else(|| Why::Unreachable {
            source: SourceName::Pods,
            detail: "no route to host".into(),
        })
    }

    fn meshed(&self) -> impl Iterator<Item = &Arc<Pod>> {
        let pods = self.objects.pods.values();
        pods.filter(|pod| pod.proxy == Meshed::Sidecar && runs(pod))
    }

    fn istiods(&self) -> impl Iterator<Item = &Arc<Pod>> {
        let pods = self.objects.pods.values();
        pods.filter(|pod| pod.labels.get("app").is_some_and(|it| &**it == "istiod") && runs(pod))
    }

    fn presents(&self, at: &Address) -> Result<Chain, Why> {
        self.pod(&at.ip)?;
        let (life, age) = EDGE_DAYS;
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        let from = self.now - days(age);
        // To the day, so that it is the same certificate until tomorrow.
        let from = Timestamp::from_second(from.as_second() / 86_400 * 86_400).unwrap_or(from);
        Ok(Chain {
            certificates: vec![Certificate {
                subject: at.name.clone(),
                issuer: "rehearsal".into(),
                serial: "01".into(),
                names: vec![at.name.clone()],
                from,
                until: from + days(life),
            }],
        })
    }

    fn answers(&self, it: &Exchange) -> Result<Response, Why> {
        let pod = self.pod(&it.to.ip)?;
        let mesh = Mesh::with(self.objects, Prepared::of(self.objects));
        let proxy = Proxy::gateway(pod.namespace.clone(), pod.labels.clone());
        let services =
            self.objects.services.values().filter(|service| {
                service.namespace == pod.namespace && selects(&service.selector, &pod.labels)
            });
        let mut ports = services.flat_map(|service| &service.ports);
        let behind = ports.find(|port| port.target.parse() == Ok(it.to.port));
        let mut request = Request::get(&it.to.name, behind.map_or(it.to.port, |port| port.port));
        request.path = it.path.clone();
        let own = |status| Response {
            status,
            upstream: false,
            envoy: true,
        };
        Ok(match gateway::choose(&mesh, &proxy, &request).outcome {
            Outcome::Sent(shares) => {
                let reached = shares.iter().any(|share| {
                    let to = &share.destination;
                    let reach = subset::reach(&mesh, &proxy, to);
                    matches!(reach, subset::Reach::Endpoints(all) if all.iter().any(|it| it.ready))
                });
                if reached {
                    Response {
                        status: 200,
                        upstream: true,
                        envoy: true,
                    }
                } else {
                    own(503)
                }
            }
            Outcome::Redirect { code, .. } => own(code),
            Outcome::Direct { status } => own(status),
            _ => own(404),
        })
    }

    /// Every proxy is connected to the first istiod, and has acknowledged what was sent last.
    fn connected(&self, istiod: &(Name, Name)) -> Vec<ProxyState> {
        let first = self.istiods().next();
        if first.is_none_or(|it| (&it.namespace, &it.name) != (&istiod.0, &istiod.1)) {
            return Vec::new();
        }
        let all = [Xds::Clusters, Xds::Listeners, Xds::Routes, Xds::Endpoints];
        let state = |pod: &Arc<Pod>| ProxyState {
            pod: (pod.namespace.clone(), pod.name.clone()),
            version: "".into(),
            stages: all.map(|xds| (xds, Stage::Acknowledged(self.sent))).into(),
        };
        self.meshed().map(state).collect()
    }

    fn webhook<T>(&self, kind: Kind, meant: impl FnOnce(Name) -> T) -> Trial<T> {
        match (self.istiods().next(), self.objects.of_kind(kind).next()) {
            (_, None) => Trial::Passed,
            (None, Some(_)) => Trial::Failed("no endpoints available for service \"istiod\"".into()),
            (Some(_), Some(it)) => Trial::AsMeant(meant(it.key().name.clone())),
        }
    }

    fn control_plane(&self) -> ControlPlaneState {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (life, age) = ROOT_DAYS;
        ControlPlaneState {
            scraped: count(self.istiods().count()),
            authority_ends: Some(self.now + SignedDuration::from_hours(24 * (life - age))),
            refused: 0.0,
            connected: count(self.meshed().count()),
        }
    }
}
