//! Every pod that has a proxy: its version, whose it is, how far it has come with what istiod sent it, and whether its figures are collected.

use super::asked;
use crate::{
    Name, Timestamp, Why,
    fact::{Pod, Proxy as Meshed},
    inquiry::{ProxyState, ProxyStates, ScrapedProxies, Stage, Xds},
    judge::{World, control_plane, release, steady},
    workload::{WorkloadId, runs, workload_of},
};
use std::{collections::BTreeMap, sync::Arc};

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

/// How far a proxy has come with what istiod sent it.
#[derive(Clone, Debug, PartialEq)]
pub enum Sync {
    /// It has refused something: of this kind, in these words.
    Refused(Xds, Name),
    /// No istiod knows it, and every one was asked.
    Unconnected,
    /// It has not acknowledged these kinds for longer than that takes; the oldest was sent at this moment.
    Waiting(Vec<Xds>, Option<Timestamp>),
    /// Nobody could say.
    Unknown(Why),
    /// It has acknowledged the last of each kind.
    Acknowledged,
}

impl Sync {
    /// What is worst comes first.
    fn rank(&self) -> u8 {
        match self {
            Self::Refused(..) => 0,
            Self::Unconnected => 1,
            Self::Waiting(..) => 2,
            Self::Unknown(_) => 3,
            Self::Acknowledged => 4,
        }
    }

    fn of(state: &ProxyState, at: Timestamp) -> Self {
        let name = format!("{}/{}", state.pod.0, state.pod.1);
        let unseen = |what: String| Self::Unknown(Why::NotObserved { what: what.into() });
        if !state.tells() {
            return unseen(format!("{name}: CDS, LDS"));
        }
        let (mut overdue, mut fresh, mut since) = (Vec::new(), Vec::new(), None);
        for (xds, stage) in &state.stages {
            match stage {
                Stage::Refused(words) => return Self::Refused(*xds, words.clone()),
                Stage::Waiting(sent) if stage.overdue(at) => {
                    overdue.push(*xds);
                    since = [since, *sent].into_iter().flatten().min();
                }
                // It may be on its way.
                Stage::Waiting(_) => fresh.push(xds.name()),
                Stage::Acknowledged => {}
            }
        }
        match (overdue.is_empty(), fresh.is_empty()) {
            (false, _) => Self::Waiting(overdue, since),
            (true, false) => unseen(format!("{name}: {} ACK", fresh.join(", "))),
            (true, true) => Self::Acknowledged,
        }
    }
}

/// All of them, those in trouble first.
pub(super) fn of(world: &World<'_>) -> Vec<ProxyRow> {
    let connected = Connected::of(world);
    let scraped = asked(world, &ScrapedProxies).and_then(|it| match it.value.is_empty() {
        // Or under other labels than `namespace` and `pod`, which Prometheus' own configurations give.
        true => Err(Why::NotObserved {
            what: "envoy_server_uptime{namespace, pod}".into(),
        }),
        false => Ok(it.value),
    });
    let pods = world.objects.pods.values();
    let meshed = pods.filter(|it| it.proxy == Meshed::Sidecar && runs(it) && !it.leaving);
    let mut all: Vec<ProxyRow> = meshed
        .map(|pod| {
            let id = (pod.namespace.clone(), pod.name.clone());
            let scraped = match &scraped {
                Ok(all) => Ok(all.contains(&id)),
                Err(why) => Err(why.clone()),
            };
            connected.row(world, pod, id, scraped)
        })
        .collect();
    all.sort_by(|a, b| {
        let key = |it: &ProxyRow| (it.sync.rank(), it.scraped == Ok(true));
        key(a).cmp(&key(b)).then_with(|| a.pod.cmp(&b.pod))
    });
    all
}

/// What the istiods know of their proxies.
struct Connected<'w> {
    by: BTreeMap<(&'w str, &'w str), (&'w Pod, &'w ProxyState, Timestamp)>,
    /// Why one of them did not say; None if all did.
    silent: Option<Why>,
}

impl<'w> Connected<'w> {
    fn of(world: &'w World<'_>) -> Self {
        let mut connected = Self {
            by: BTreeMap::new(),
            silent: None,
        };
        let istiods = control_plane::pods(world);
        if istiods.is_empty() {
            connected.silent = Some(Why::NotObserved {
                what: "istiod".into(),
            });
        }
        for istiod in istiods {
            match asked(world, &ProxyStates::of(istiod)) {
                Ok(dated) => connected.by.extend(dated.value.iter().map(|state| {
                    let (namespace, name) = &state.pod;
                    ((&**namespace, &**name), (&**istiod, state, dated.at))
                })),
                Err(why) => connected.silent = Some(why),
            }
        }
        connected
    }

    fn row(
        &self,
        world: &World<'_>,
        pod: &Arc<Pod>,
        id: (Name, Name),
        scraped: Result<bool, Why>,
    ) -> ProxyRow {
        let known = self.by.get(&(&*id.0, &*id.1));
        let sync = match (known, &self.silent) {
            (Some((_, state, at)), _) => Sync::of(state, *at),
            // The istiod that it is connected to may be the one that does not answer.
            (None, Some(why)) => Sync::Unknown(why.clone()),
            // Since the last reply it may have come up.
            (None, None) if steady::young(world, pod) => Sync::Unknown(Why::NotObserved {
                what: format!("{}/{}", id.0, id.1).into(),
            }),
            (None, None) => Sync::Unconnected,
        };
        let sidecar = pod.sidecar.as_ref();
        let said = known.map(|(_, state, _)| state.version.clone());
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
            sync,
            istiod: known.map(|(istiod, ..)| (istiod.namespace.clone(), istiod.name.clone())),
            scraped,
            pod: id,
        }
    }
}
