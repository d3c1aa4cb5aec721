//! Every pod that has a proxy: its version, whose it is, how far it has come with what istiod sent it, and whether its figures are collected.

use crate::{
    Name, Timestamp, Why,
    fact::{Pod, Proxy as Meshed},
    judge::{Connected, Sync, World, release, scraped_proxies},
    workload::{WorkloadId, runs, workload_of},
};

/// A pod with a proxy.
#[derive(Clone, Debug, PartialEq)]
pub struct ProxyRow {
    /// The pod's namespace and name.
    pub pod: (Name, Name),
    /// The workload that it is of.
    pub workload: WorkloadId,
    /// The revision that put the proxy in; empty where it does not say.
    pub revision: Name,
    /// The proxy's version: what it tells istiod, or else its image's tag; empty where neither says.
    pub version: Name,
    /// The pod is ready.
    pub ready: bool,
    /// When the pod was made.
    pub created: Option<Timestamp>,
    /// How far it has come with its configuration.
    pub sync: Sync,
    /// Namespace and name of the istiod that it is connected to; None where that is not known.
    pub istiod: Option<(Name, Name)>,
    /// Its figures are collected; or why that is not known.
    pub scraped: Result<bool, Why>,
}

/// All of them, those in trouble first.
pub(super) fn of(world: &World<'_>) -> Vec<ProxyRow> {
    let connected = Connected::of(world);
    let scraped = scraped_proxies(world);
    let pods = world.objects.pods.values();
    let meshed = pods.filter(|it| it.proxy == Meshed::Sidecar && runs(it) && !it.leaving);
    let mut all: Vec<ProxyRow> = meshed
        .map(|pod| {
            let scraped = scraped.as_ref().map_err(Why::clone);
            let id = (pod.namespace.clone(), pod.name.clone());
            let scraped = scraped.map(|it| it.value.contains(&id));
            row(world, &connected, pod, id, scraped)
        })
        .collect();
    all.sort_by(|a, b| {
        let key = |it: &ProxyRow| (it.sync.rank(), it.scraped == Ok(true));
        key(a).cmp(&key(b)).then_with(|| a.pod.cmp(&b.pod))
    });
    all
}

fn row(
    world: &World<'_>,
    connected: &Connected<'_>,
    pod: &Pod,
    id: (Name, Name),
    scraped: Result<bool, Why>,
) -> ProxyRow {
    let known = connected.connection(pod);
    let sidecar = pod.sidecar.as_ref();
    let said = known.map(|it| it.state.version.clone());
    let tag = || sidecar.and_then(|it| release::tag_of(&it.image).map(Name::from));
    ProxyRow {
        workload: workload_of(world.objects, pod),
        revision: sidecar.map_or_else(|| "".into(), |it| it.revision.clone()),
        version: said
            .filter(|it| !it.is_empty())
            .or_else(tag)
            .unwrap_or_else(|| "".into()),
        ready: pod.ready,
        created: pod.created,
        sync: connected.sync(world, pod),
        istiod: known.map(|it| (it.istiod.namespace.clone(), it.istiod.name.clone())),
        scraped,
        pod: id,
    }
}
