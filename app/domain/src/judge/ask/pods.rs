//! Pods by workload and by namespace, and which services wait for their injection: looked for once a judgement, because a pass over all pods for each
//! of a large system's calls and services is the square of its size.

use crate::{
    Name,
    crossing::{
        Item, Migration,
        migration::{Call, Place},
    },
    fact::{Pod, Proxy as Meshed, Service},
    judge::World,
    snapshot::Objects,
    workload::{WorkloadId, runs, selects, workload_of},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The pods that count.
#[derive(Default)]
pub(in crate::judge) struct Pods<'a> {
    by_workload: BTreeMap<WorkloadId, Vec<&'a Arc<Pod>>>,
    /// Each with its workload.
    by_namespace: BTreeMap<&'a Name, Vec<(&'a Arc<Pod>, WorkloadId)>>,
}

impl<'a> Pods<'a> {
    pub(in crate::judge) fn of(objects: &'a Objects) -> Self {
        let mut pods = Self::default();
        for pod in objects.pods.values().filter(|pod| runs(pod)) {
            let workload = workload_of(objects, pod);
            let here = pods.by_namespace.entry(&pod.namespace).or_default();
            here.push((pod, workload.clone()));
            pods.by_workload.entry(workload).or_default().push(pod);
        }
        pods
    }

    /// A workload's.
    fn of_workload(&self, id: &WorkloadId) -> &[&'a Arc<Pod>] {
        self.by_workload.get(id).map_or(&[], Vec::as_slice)
    }

    /// The workloads whose pods a Service selects.
    fn behind(&self, service: &Service) -> BTreeSet<WorkloadId> {
        let here = self.by_namespace.get(&service.namespace).into_iter().flatten();
        let selected = here.filter(|(pod, _)| selects(&service.selector, &pod.labels));
        selected.map(|(_, workload)| workload.clone()).collect()
    }
}

/// A workload's pods that count.
pub(in crate::judge) fn pods<'w>(world: &'w World<'_>, id: &WorkloadId) -> Vec<&'w Arc<Pod>> {
    world.pods().of_workload(id).to_vec()
}

/// The workloads whose pods a Service selects.
pub(in crate::judge) fn workloads_behind(world: &World<'_>, place: &Place) -> BTreeSet<WorkloadId> {
    let service = world.objects.service(&place.namespace, &place.name);
    service.map_or_else(BTreeSet::new, |it| world.pods().behind(it))
}

/// The Migration's services behind which a pod has no proxy, by their position among all of them.
#[derive(Default)]
pub(in crate::judge) struct Bare {
    /// The first service behind which a workload is that has such a pod.
    by_workload: BTreeMap<WorkloadId, usize>,
    by_place: BTreeMap<(Name, Name), usize>,
}

impl Bare {
    pub(in crate::judge) fn of(world: &World<'_>, migration: &Migration) -> Self {
        let bare = |id: &WorkloadId| {
            let mut pods = world.pods().of_workload(id).iter();
            pods.any(|pod| pod.proxy == Meshed::None)
        };
        let mut all = Self::default();
        for (index, place) in migration.all_services().enumerate() {
            for workload in workloads_behind(world, place).into_iter().filter(bare) {
                all.by_workload.entry(workload).or_insert(index);
                let key = (place.namespace.clone(), place.name.clone());
                all.by_place.entry(key).or_insert(index);
            }
        }
        all
    }
}

/// One end of a call is a service of the Migration whose pods have no proxy: that is found once, where its injection is judged, and what follows from it
/// is not known until then: the item of that injection.
pub(in crate::judge) fn awaits_injection(world: &World<'_>, call: &Call) -> Option<Item> {
    let (_, migration) = world.migration.as_ref().ok()?;
    let bare = world.bare(migration);
    let key = |place: &Place| (place.namespace.clone(), place.name.clone());
    let ends = [
        bare.by_workload.get(&key(&call.from)),
        bare.by_place.get(&key(&call.to)),
    ];
    let first = migration.all_services().nth(*ends.into_iter().flatten().min()?)?;
    Some(if migration.entry.as_ref() == Some(first) {
        Item::EntryInjected
    } else {
        Item::ServicesInjected
    })
}
