//! What arrives at a rule's destinations now, whatever led it there.

use crate::{
    Name,
    topology::round,
    traffic::{Protocol, Reporter, ServiceId, Traffic},
};
use naru_view::canary::{Arriving, Destination};
use std::collections::BTreeSet;

/// Tells each destination what proxies count to its workloads: callers' own of what they asked the rule's services for, and its pods' of all that came.
/// A request that a caller's proxy tries again is one of the former and several of the latter; who has no proxy, and who asks for another name than
/// the services' (a pod's address), is in the latter alone, and has not gone by the rule.
pub(super) fn tell(destinations: &mut [Destination], services: &BTreeSet<ServiceId>, traffic: &Traffic) {
    for it in destinations.iter_mut().filter(|it| !it.workloads.is_empty()) {
        it.arriving = Some(Arriving::default());
    }
    for (key, flow) in traffic
        .flows
        .iter()
        .filter(|(key, _)| key.protocol != Protocol::Tcp)
    {
        if key.target.workload.is_empty() {
            continue;
        }
        let place = Name::from(format!("{}/{}", key.target.namespace, key.target.workload));
        let asked = services.contains(&key.service);
        for it in destinations.iter_mut().filter(|it| it.workloads.contains(&place)) {
            let Some(arriving) = &mut it.arriving else {
                continue;
            };
            match key.reporter {
                Reporter::Source if asked => arriving.requests += flow.rate,
                Reporter::Source => {}
                Reporter::Destination if asked && !key.source.workload.is_empty() => {
                    *arriving.attempts.get_or_insert(0.0) += flow.rate;
                }
                Reporter::Destination => arriving.around += flow.rate,
            }
        }
    }
    for arriving in destinations.iter_mut().filter_map(|it| it.arriving.as_mut()) {
        arriving.requests = round::significant(arriving.requests);
        arriving.attempts = arriving.attempts.map(round::significant);
        arriving.around = round::significant(arriving.around);
    }
}

#[cfg(test)]
mod tests {
    use super::tell;
    use crate::traffic::{Flow, FlowKey, Party, Protocol, Reporter, ServiceId, Traffic};
    use naru_view::canary::{Arriving, Destination, Role};

    fn party(name: &str) -> Party {
        Party {
            namespace: "shop".into(),
            workload: name.into(),
            ..Party::default()
        }
    }

    fn flow(from: &str, to: &str, service: &str, reporter: Reporter, rate: f64) -> (FlowKey, Flow) {
        let key = FlowKey {
            source: party(from),
            target: party(to),
            service: user(service),
            reporter,
            protocol: Protocol::Http,
        };
        let flow = Flow {
            rate,
            ..Flow::default()
        };
        (key, flow)
    }

    fn user(name: &str) -> ServiceId {
        ServiceId {
            namespace: "shop".into(),
            name: name.into(),
        }
    }

    #[test]
    fn requests_attempts_and_what_goes_round_the_rule_stay_apart() {
        let destination = |workload: &str| Destination {
            host: "user".into(),
            subset: workload.into(),
            port: None,
            weight: 50,
            role: Role::Stable,
            ready: Some(2),
            workloads: vec![format!("shop/{workload}").into()],
            arriving: None,
        };
        let mut all = [destination("v1"), destination("v2"), destination("none")];
        all[2].workloads.clear();
        let (source, target) = (Reporter::Source, Reporter::Destination);
        let flows = [
            flow("web", "v1", "user", source, 8.0),
            flow("web", "v1", "user", target, 12.0),
            flow("web", "v1", "other", target, 1.0),
            flow("", "v1", "user", target, 5.0),
            flow("web", "v2", "other", source, 3.0),
            flow("web", "v3", "user", source, 7.0),
        ];
        let traffic = Traffic {
            window_s: 60,
            flows: flows.into(),
        };
        tell(&mut all, &[user("user")].into(), &traffic);
        let told = Arriving {
            requests: 8.0,
            attempts: Some(12.0),
            around: 6.0,
        };
        assert_eq!(all[0].arriving, Some(told));
        assert_eq!(all[1].arriving, Some(Arriving::default()));
        assert_eq!(all[2].arriving, None);
    }
}
