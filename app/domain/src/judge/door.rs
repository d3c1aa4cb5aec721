//! Where the outside comes to pods: the addresses at which gateways and the old ingress can be spoken to, as Naru itself does it.

use super::{Found, World};
use crate::{
    fact::Pod,
    mesh::gateway::{Server, Target, serves},
    object::{Key, Kind},
    traffic::ServiceId,
    workload::selects,
};

/// A server of a Gateway at one pod.
pub(super) struct Door<'w> {
    /// The Gateway object.
    pub(super) gateway: Key,
    /// The server.
    pub(super) server: Server,
    /// The pod that listens.
    pub(super) pod: &'w Pod,
    /// The port on which it does.
    pub(super) port: u16,
    /// The Service that leads there.
    pub(super) service: ServiceId,
    /// The routes whose hosts it serves.
    pub(super) used_by: Vec<Key>,
}

/// All of them, at pods that run and have an address. What cannot be known is noted.
pub(super) fn doors<'w>(world: &'w World<'_>, found: &mut Found) -> Vec<Door<'w>> {
    let mut all = Vec::new();
    let gateways = [Kind::Gateway, Kind::GatewayApiGateway];
    for gateway in gateways.iter().flat_map(|kind| world.objects.of_kind(*kind)) {
        let serving = match serves(&world.mesh, gateway) {
            Ok(serving) => serving,
            Err(whys) => {
                found.unknowns(whys);
                continue;
            }
        };
        for served in serving.servers {
            for reach in &served.reach {
                let Some(service) = world
                    .objects
                    .service(&reach.service.namespace, &reach.service.name)
                else {
                    continue;
                };
                let pods = serving.pods.iter().filter_map(|it| {
                    let key = Key::new(Kind::Pod, it.namespace.clone(), it.name.clone());
                    world.objects.pods.get(&key)
                });
                let behind = pods.filter(|pod| {
                    pod.namespace == service.namespace
                        && selects(&service.selector, &pod.labels)
                        && !pod.ip.is_empty()
                });
                all.extend(behind.filter_map(|pod| {
                    let port = match &reach.target {
                        Target::Number(port) => *port,
                        Target::Named(name) => named(world, pod, name)?,
                    };
                    Some(Door {
                        gateway: gateway.key().clone(),
                        server: served.server.clone(),
                        pod,
                        port,
                        service: reach.service.clone(),
                        used_by: served.used_by.clone(),
                    })
                }));
            }
        }
    }
    all
}

/// The port on which a pod listens for a Service's, as the Service writes its `targetPort`; empty for the same port.
pub(super) fn listens(world: &World<'_>, pod: &Pod, target: &str, port: u16) -> Option<u16> {
    if target.is_empty() {
        return Some(port);
    }
    target.parse().ok().or_else(|| named(world, pod, target))
}

/// The number of a container port that has a name.
fn named(world: &World<'_>, pod: &Pod, name: &str) -> Option<u16> {
    let own = world
        .templates()
        .iter()
        .filter(|it| it.owner.namespace == pod.namespace && selects(&it.pod.labels, &pod.labels));
    let mut ports = own.flat_map(|it| &it.pod.containers).flat_map(|it| &it.ports);
    ports.find(|it| &*it.name == name).map(|it| it.port)
}
