//! What arrives at a rule's destinations now, whatever led it there.

use crate::{
    Name,
    topology::round,
    traffic::{Protocol, Reporter, ServiceId, Traffic},
};
use naru_view::canary::{Arriving, Destination};
use std::collections::{BTreeMap, BTreeSet};

/// Tells each destination what proxies count to its workloads: callers' own of what they asked the rule's services for, and its pods' of all that came.
/// A request that a caller's proxy tries again is one of the former and several of the latter; who has no proxy is in the latter alone, and has not gone by
/// the rule. By which name a pod was asked for its own proxy does not tell reliably, so tries are compared with all that callers sent there by any name. Of
/// a workload behind two destinations nothing is told.
pub(super) fn tell(destinations: &mut [Destination], services: &BTreeSet<ServiceId>, traffic: &Traffic) {
    let mut seen = BTreeMap::new();
    for place in destinations.iter().flat_map(|it| &it.workloads) {
        *seen.entry(place.clone()).or_insert(0) += 1;
    }
    let alone =
        |it: &Destination| !it.workloads.is_empty() && it.workloads.iter().all(|place| seen[place] == 1);
    let mut counted: Vec<Option<Counted>> = destinations
        .iter()
        .map(|it| alone(it).then(Counted::default))
        .collect();
    for (key, flow) in traffic
        .flows
        .iter()
        .filter(|(key, _)| key.protocol != Protocol::Tcp)
    {
        if key.target.workload.is_empty() {
            continue;
        }
        let place = Name::from(format!("{}/{}", key.target.namespace, key.target.workload));
        let Some(at) = destinations.iter().position(|it| it.workloads.contains(&place)) else {
            continue;
        };
        let Some(counted) = counted.get_mut(at).and_then(Option::as_mut) else {
            continue;
        };
        match key.reporter {
            Reporter::Source => {
                counted.sent += flow.rate;
                if services.contains(&key.service) {
                    counted.requests += flow.rate;
                }
            }
            Reporter::Destination if key.source.workload.is_empty() => counted.around += flow.rate,
            Reporter::Destination => counted.tried += flow.rate,
        }
    }
    for (it, counted) in destinations.iter_mut().zip(counted) {
        it.arriving = counted.map(|it| Arriving {
            requests: round::significant(it.requests),
            tries: (it.sent > 0.0 && it.tried > 0.0).then(|| round::significant(it.tried / it.sent)),
            around: round::significant(it.around),
        });
    }
}

/// Requests per second.
#[derive(Default)]
struct Counted {
    requests: f64,
    /// By callers with a proxy, whatever they asked for.
    sent: f64,
    /// The same callers' tries, as they arrive.
    tried: f64,
    around: f64,
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
            flow("web", "v1", "other", source, 2.0),
            flow("web", "v1", "other", target, 12.0),
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
            tries: Some(1.2),
            around: 5.0,
        };
        assert_eq!(all[0].arriving, Some(told));
        assert_eq!(all[1].arriving, Some(Arriving::default()));
        assert_eq!(all[2].arriving, None);
        all[1].workloads.push("shop/v1".into());
        tell(&mut all, &[user("user")].into(), &traffic);
        assert_eq!([all[0].arriving, all[1].arriving], [None, None]);
    }
}
