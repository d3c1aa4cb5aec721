//! Where the outside comes to pods: the addresses at which gateways and the old ingress can be spoken to, as Naru itself does it.

use super::{World, edge};
use crate::{
    Why,
    fact::Pod,
    mesh::gateway::{Server, Target, serves},
    object::{Key, Kind},
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
    /// The routes whose hosts it serves.
    pub(super) used_by: Vec<Key>,
}

/// Those of the gateway that the Migration names, at pods that are ready, and what cannot be known. Others are nobody's to send anything to: whoever has a
/// namespace can make a gateway, and would lead Naru to where they like.
pub(super) fn doors<'a>(world: &World<'a>) -> (Vec<Door<'a>>, Vec<Why>) {
    let (mut all, mut whys) = (Vec::new(), Vec::new());
    let Some(wanted) = world
        .migration
        .as_ref()
        .ok()
        .and_then(|(_, it)| edge::gateway(it))
    else {
        return (all, whys);
    };
    let Some(service) = world.objects.service(&wanted.namespace, &wanted.name) else {
        whys.extend(world.objects.gap(Kind::Service));
        return (all, whys);
    };
    let gateways = [Kind::Gateway, Kind::GatewayApiGateway];
    for gateway in gateways.iter().flat_map(|kind| world.objects.of_kind(*kind)) {
        let serving = match serves(&world.mesh, gateway) {
            Ok(serving) => serving,
            Err(unknown) => {
                whys.extend(unknown);
                continue;
            }
        };
        let ready = serving.pods.iter().filter(|it| it.ready).filter_map(|it| {
            let key = Key::new(Kind::Pod, it.namespace.clone(), it.name.clone());
            world.objects.pods.get(&key)
        });
        let pods: Vec<&'a Pod> = ready
            .map(|pod| &**pod)
            .filter(|pod| pod.namespace == service.namespace && selects(&service.selector, &pod.labels))
            .filter(|pod| !pod.ip.is_empty())
            .collect();
        for served in serving.servers {
            for reach in served.reach.iter().filter(|it| it.service == wanted) {
                all.extend(pods.iter().filter_map(|&pod| {
                    let port = match &reach.target {
                        Target::Number(port) => *port,
                        Target::Named(name) => named(world, pod, name)?,
                    };
                    Some(Door {
                        gateway: gateway.key().clone(),
                        server: served.server.clone(),
                        pod,
                        port,
                        used_by: served.used_by.clone(),
                    })
                }));
            }
        }
    }
    (all, whys)
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
