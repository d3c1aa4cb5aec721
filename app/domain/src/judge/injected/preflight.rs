//! What stops or hurts pods when they are injected.

use super::{Which, place, places};
use crate::{
    fact::Proxy,
    judge::{Code, Found, World, ask},
    mesh::injection::{self, Concern, Severity, Template, Topic},
};

/// A code for each concern.
///
/// What stops pods is an error. Of what hurts, that is a warning which breaks something in the mesh; what every restart costs, and what Istio's defaults
/// bring with them everywhere, is worth knowing.
pub(in crate::judge) struct Concerns {
    pub(in crate::judge) pod_security: Code,
    pub(in crate::judge) seccomp: Code,
    pub(in crate::judge) proxy_user: Code,
    pub(in crate::judge) port: Code,
    pub(in crate::judge) host_network: Code,
    pub(in crate::judge) dns_policy: Code,
    pub(in crate::judge) injector_not_ready: Code,
    pub(in crate::judge) quota: Code,
    pub(in crate::judge) quota_demands: Code,
    pub(in crate::judge) limit_range: Code,
    pub(in crate::judge) egress_blocked: Code,
    pub(in crate::judge) ingress_blocked: Code,
    pub(in crate::judge) scrape_port_blocked: Code,
    pub(in crate::judge) single_replica: Code,
    pub(in crate::judge) recreate: Code,
    pub(in crate::judge) no_surge: Code,
    pub(in crate::judge) all_unavailable: Code,
    pub(in crate::judge) no_budget: Code,
    pub(in crate::judge) stateful: Code,
    pub(in crate::judge) on_delete: Code,
    pub(in crate::judge) autoscaler: Code,
    pub(in crate::judge) starts_before_proxy: Code,
    pub(in crate::judge) no_drain: Code,
    pub(in crate::judge) job_never_ends: Code,
    pub(in crate::judge) probes: Code,
}

/// The codes under one item's prefix.
macro_rules! concerns {
    ($item:literal) => {
        &$crate::judge::injected::Concerns {
            pod_security: $crate::judge::Code::error(concat!($item, "-pod-security")),
            seccomp: $crate::judge::Code::error(concat!($item, "-seccomp")),
            proxy_user: $crate::judge::Code::warning(concat!($item, "-proxy-user")),
            port: $crate::judge::Code::error(concat!($item, "-port-of-proxy")),
            host_network: $crate::judge::Code::error(concat!($item, "-on-host-network")),
            dns_policy: $crate::judge::Code::warning(concat!($item, "-dns-policy")),
            injector_not_ready: $crate::judge::Code::error(concat!($item, "-injector-not-ready")).state(),
            quota: $crate::judge::Code::error(concat!($item, "-quota")),
            quota_demands: $crate::judge::Code::error(concat!($item, "-quota-demands")),
            limit_range: $crate::judge::Code::error(concat!($item, "-limit-range")),
            egress_blocked: $crate::judge::Code::error(concat!($item, "-egress-blocked")),
            ingress_blocked: $crate::judge::Code::error(concat!($item, "-ingress-blocked")),
            scrape_port_blocked: $crate::judge::Code::info(concat!($item, "-proxy-port-blocked")),
            single_replica: $crate::judge::Code::info(concat!($item, "-single-replica")),
            recreate: $crate::judge::Code::info(concat!($item, "-recreate")),
            no_surge: $crate::judge::Code::info(concat!($item, "-no-surge")),
            all_unavailable: $crate::judge::Code::info(concat!($item, "-all-unavailable")),
            no_budget: $crate::judge::Code::info(concat!($item, "-no-budget")),
            stateful: $crate::judge::Code::info(concat!($item, "-stateful")),
            on_delete: $crate::judge::Code::info(concat!($item, "-on-delete")),
            autoscaler: $crate::judge::Code::info(concat!($item, "-autoscaler-counts-proxy")),
            starts_before_proxy: $crate::judge::Code::info(concat!($item, "-starts-before-proxy")),
            no_drain: $crate::judge::Code::info(concat!($item, "-no-drain")),
            job_never_ends: $crate::judge::Code::error(concat!($item, "-job-never-ends")),
            probes: $crate::judge::Code::warning(concat!($item, "-probes-not-rewritten")),
        }
    };
}
pub(in crate::judge) use concerns;

impl Concerns {
    pub(in crate::judge) const fn all(&'static self) -> [&'static Code; 25] {
        [
            &self.pod_security,
            &self.seccomp,
            &self.proxy_user,
            &self.port,
            &self.host_network,
            &self.dns_policy,
            &self.injector_not_ready,
            &self.quota,
            &self.quota_demands,
            &self.limit_range,
            &self.egress_blocked,
            &self.ingress_blocked,
            &self.scrape_port_blocked,
            &self.single_replica,
            &self.recreate,
            &self.no_surge,
            &self.all_unavailable,
            &self.no_budget,
            &self.stateful,
            &self.on_delete,
            &self.autoscaler,
            &self.starts_before_proxy,
            &self.no_drain,
            &self.job_never_ends,
            &self.probes,
        ]
    }
}

/// What stops or hurts the pods of the Migration's services.
pub(in crate::judge) fn preflight(
    world: &World<'_>,
    which: Which,
    codes: &'static Concerns,
    found: &mut Found,
) {
    for (_, service) in places(world, which, found) {
        for template in ask::behind(world, service, found) {
            of_template(world, template, codes, found);
        }
    }
}

/// What stops or hurts the pods of one template.
pub(in crate::judge) fn of_template(
    world: &World<'_>,
    template: &Template,
    codes: &'static Concerns,
    found: &mut Found,
) {
    let admitted = injection::admitted(&world.mesh, &template.owner);
    let pods = ask::pods(world, &ask::workload(template));
    let in_the_mesh = |pod: &&std::sync::Arc<crate::fact::Pod>| pod.proxy == Proxy::Sidecar && pod.ready;
    // Pods that have come up with a proxy have shown that nothing stops them.
    let proven = world.running && !pods.is_empty() && pods.iter().all(in_the_mesh);
    for (topic, whys) in admitted.unknown {
        // What is only worth knowing keeps no item from being met.
        let weighs = !matches!(topic, Topic::Budget | Topic::Autoscaler | Topic::StartOrder);
        if weighs && !proven {
            found.unknowns(whys);
        }
    }
    // Whether an istiod is ready, files do not say.
    let state = |it: &Concern| matches!(it.code, injection::Code::InjectorNotReady { .. });
    let concerns = admitted.concerns.into_iter();
    let concerns: Vec<Concern> = concerns.filter(|it| world.running || !state(it)).collect();
    let worst = concerns.first().map(|it| it.severity);
    for concern in concerns {
        tell(template, concern, codes, found);
    }
    let seen = match worst {
        Some(Severity::Stops) => "stops",
        Some(Severity::Hurts) => "hurts",
        Some(Severity::Notes) => "notes",
        None => "clear",
    };
    found.saw_at("preflight", &template.field(""), seen);
}

fn tell(template: &Template, concern: Concern, codes: &'static Concerns, found: &mut Found) {
    use injection::Code as Is;
    let mut what = String::new();
    let mut container = String::new();
    let code = match concern.code {
        Is::PodSecurity { level } => {
            what = level.to_string();
            &codes.pod_security
        }
        Is::Seccomp => &codes.seccomp,
        Is::ProxyUser { container: of } => {
            container = of.to_string();
            &codes.proxy_user
        }
        Is::Port { container: of, port } => {
            container = of.to_string();
            what = port.to_string();
            &codes.port
        }
        Is::HostNetwork => &codes.host_network,
        Is::DnsPolicy { policy } => {
            what = policy.to_string();
            &codes.dns_policy
        }
        Is::InjectorNotReady { deployment } => {
            what = format!("{}/{}", deployment.namespace, deployment.name);
            &codes.injector_not_ready
        }
        Is::Quota { resource, .. } => {
            what = resource.to_string();
            &codes.quota
        }
        Is::QuotaDemands { resource } => {
            what = resource.to_string();
            &codes.quota_demands
        }
        Is::LimitRange { bound, resource } => {
            what = format!("{bound} {resource}");
            &codes.limit_range
        }
        Is::EgressBlocked { port } => {
            what = port.to_string();
            &codes.egress_blocked
        }
        Is::IngressBlocked { port } => {
            what = port.to_string();
            if concern.severity == Severity::Notes {
                &codes.scrape_port_blocked
            } else {
                &codes.ingress_blocked
            }
        }
        Is::SingleReplica => &codes.single_replica,
        Is::Recreate => &codes.recreate,
        Is::NoSurge => &codes.no_surge,
        Is::AllUnavailable => &codes.all_unavailable,
        Is::NoBudget => &codes.no_budget,
        Is::Stateful => &codes.stateful,
        Is::OnDelete => &codes.on_delete,
        Is::AutoscalerCountsProxy { resource } => {
            what = resource.to_string();
            &codes.autoscaler
        }
        Is::StartsBeforeProxy => &codes.starts_before_proxy,
        Is::NoDrain { container: of } => {
            container = of.to_string();
            &codes.no_drain
        }
        Is::JobNeverEnds => &codes.job_never_ends,
        Is::ProbesNotRewritten => &codes.probes,
    };
    let args = [
        ("workload", place(template).into()),
        ("what", what.into()),
        ("container", container.into()),
    ];
    found.finding(code, concern.by, args);
}
