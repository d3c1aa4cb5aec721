//! Whether what was set is in force: accepted is the API server's word, in force the proxies'.
//!
//! A proxy routes by a change once it has acknowledged routes (or listeners, for connections) that its istiod sent after the change. Each
//! istiod knows its own proxies only, so all are asked (`/debug/syncz`). Nobody can tell from that which change a push carried: what was sent later than the API server's answer has
//! it, since istiod gathers changes for 100 ms at least (`PILOT_DEBOUNCE_AFTER`). Clocks of istiod and Naru are taken to differ by less than that.

use crate::{
    Name, Timestamp, Why,
    fact::{Pod, Proxy as Meshed},
    inquiry::{Stage, Xds},
    judge::{Connected, World},
    mesh::{gateway_api, mtls, route},
    object::Object,
    workload::runs,
};
use naru_view::canary::RuleList;

/// How far the proxies that route by an object have come with a change of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InForce {
    /// Proxies that route by the object.
    pub proxies: usize,
    /// Of these: have acknowledged routes that were sent after the change.
    pub acknowledged: usize,
    /// Have refused what they were sent: pod, and Envoy's words. They go on with what they had.
    pub refused: Vec<(Name, Name)>,
    /// Have not acknowledged yet, or have not been sent anything since: pods.
    pub waiting: Vec<Name>,
    /// Why it is not known of some.
    pub unknown: Vec<Why>,
}

impl InForce {
    /// Every proxy routes by it, and of none it is not known.
    pub fn whole(&self) -> bool {
        self.acknowledged == self.proxies && self.proxies > 0 && self.unknown.is_empty()
    }
}

/// How far a change of a rule in this list of this object that was accepted at a moment has come. What splits connections is in listeners, what
/// splits requests in routes.
pub fn in_force(world: &World<'_>, object: &Object, list: RuleList, since: Timestamp) -> InForce {
    let xds = if list.connections() {
        Xds::Listeners
    } else {
        Xds::Routes
    };
    let connected = Connected::of(world);
    let mut all = InForce {
        unknown: connected.silent.clone().into_iter().collect(),
        ..InForce::default()
    };
    let elsewhere = match list {
        // Which proxies a Gateway of the Gateway API runs on is not asked here.
        RuleList::HttpRoute => {
            let gateways = gateway_api::weights::gateways(object);
            gateways.into_iter().find(|it| &**it != "mesh")
        }
        // A delegate acts through the routes of others (Istio reference, `Delegate`).
        _ => object.list("/spec/hosts").is_empty().then(|| "delegate".into()),
    };
    if let Some(what) = elsewhere {
        all.unknown.push(Why::NotJudged { what });
        return all;
    }
    let pods = world.objects.pods.values();
    for pod in pods.filter(|it| it.proxy == Meshed::Sidecar && runs(it) && !it.leaving) {
        match routes_by(world, pod, object) {
            Ok(true) => {}
            Ok(false) => continue,
            Err(whys) => {
                all.unknown.extend(whys);
                continue;
            }
        }
        all.proxies += 1;
        let name: Name = format!("{}/{}", pod.namespace, pod.name).into();
        let stages = connected.connection(pod).map(|it| &it.state.stages);
        let routes = stages.and_then(|all| all.iter().find(|(it, _)| *it == xds));
        match routes {
            Some((_, Stage::Refused(words))) => all.refused.push((name, words.clone())),
            Some((_, Stage::Acknowledged(Some(sent)))) if *sent >= since => all.acknowledged += 1,
            _ => all.waiting.push(name),
        }
    }
    all.unknown.sort();
    all.unknown.dedup();
    all
}

fn routes_by(world: &World<'_>, pod: &Pod, object: &Object) -> Result<bool, Vec<Why>> {
    let proxy = mtls::proxy(&world.mesh, pod)?;
    Ok(route::governs(&world.mesh, &proxy, object))
}

#[cfg(test)]
mod tests;
