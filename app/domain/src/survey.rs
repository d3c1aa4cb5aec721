//! What Naru sees of the mesh and of its own sources: proxies and the control planes that they belong to, what each source shows and what it does
//! not, and which items each gap leaves unknown. It judges nothing; the [checks](crate::judge::check) do.

mod proxies;
mod revisions;
mod sources;
#[cfg(test)]
mod tests;

pub use crate::judge::Sync;
pub use proxies::ProxyRow;
pub use revisions::Revision;
pub use sources::{Kinds, Metrics, unknown};

use crate::{
    Name, Why,
    actor::Scope,
    crossing::{Item, guard::Guards},
    inquiry::{Scraping, ScrapingState},
    judge::{Preflight, World, preflight},
    object::Kind,
};
use std::collections::BTreeSet;

/// All of it, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// The kinds that are read, and those that are not.
    pub kinds: Kinds,
    /// What Prometheus shows of the traffic; None if none was named.
    pub metrics: Option<Metrics>,
    /// How often and since when Prometheus collects; or why it is not known.
    pub scraping: Option<Result<ScrapingState, Why>>,
    /// The policies that signatures rest on.
    pub guards: Guards,
    /// What is not known, and the items that it leaves unknown; what leaves most unknown first.
    pub unknown: Vec<(Why, Vec<Item>)>,
    /// The control planes, in order of their names.
    pub revisions: Vec<Revision>,
    /// Every pod that has a proxy, those in trouble first.
    pub proxies: Vec<ProxyRow>,
    /// What injection would do to each workload, those that it stops first.
    pub preflight: Vec<Preflight>,
    /// Proxies, workloads and reasons that a viewer does not see.
    pub hidden: u32,
    /// Why pods, and with them proxies, cannot be seen; None where they can.
    pub pods: Option<Why>,
    /// Why it cannot be seen who puts proxies into pods.
    pub injectors: Option<Why>,
    /// All namespaces; for telling which words name one.
    pub namespaces: Vec<Name>,
}

impl Survey {
    /// Of a cluster that runs. Replies that are not there are asked for ([`World::asked`]). What it leaves unknown ([`unknown`]), how traffic is
    /// counted and how the policies stand is known to whoever has judged.
    pub fn of(world: &World<'_>) -> Self {
        let proxies = proxies::of(world);
        let mut preflight = preflight(world, &[]);
        preflight.sort_by_key(rank);
        Self {
            kinds: Kinds::of(world.objects),
            scraping: Some(world.reply(&Scraping).map(|it| it.value.clone())),
            revisions: revisions::of(world, &proxies),
            proxies,
            preflight,
            pods: world.objects.gap(Kind::Pod),
            injectors: world.objects.gap(Kind::MutatingWebhookConfiguration),
            namespaces: world
                .objects
                .namespaces
                .values()
                .map(|it| it.name.clone())
                .collect(),
            ..Self::default()
        }
    }

    /// Without what lies in namespaces that this scope does not see. Numbers of proxies by revision are the whole mesh's.
    #[must_use]
    pub fn seen_by(&self, scope: &Scope) -> Self {
        let mut seen = self.clone();
        seen.proxies.retain(|it| scope.sees(&it.pod.0));
        seen.preflight.retain(|it| scope.sees(&it.workload.namespace));
        for revision in &mut seen.revisions {
            revision.namespaces.retain(|it| scope.sees(it));
        }
        for proxy in &mut seen.proxies {
            proxy.istiod.take_if(|(namespace, _)| !scope.sees(namespace));
        }
        let hidden: BTreeSet<&str> = self
            .namespaces
            .iter()
            .map(|it| &**it)
            .filter(|it| !scope.sees(it))
            .collect();
        seen.unknown.retain(|(why, _)| !names_one(why, &hidden));
        seen.namespaces.clear();
        let left = seen.proxies.len() + seen.preflight.len() + seen.unknown.len();
        let all = self.proxies.len() + self.preflight.len() + self.unknown.len();
        seen.hidden = u32::try_from(all - left).unwrap_or(u32::MAX);
        seen
    }
}

/// Those that do not come up, then those of which it is not known, then those that wait for a proxy, then those that have one.
fn rank(it: &Preflight) -> u8 {
    use crate::judge::Verdict;
    match (it.verdict, it.injected) {
        (Verdict::NotMet, _) => 0,
        (Verdict::Unknown, _) => 1,
        (Verdict::Met, false) => 2,
        (Verdict::Met, true) => 3,
    }
}

/// Reasons are words; whether one of them is a namespace's name is all that can be said of whose business a reason is.
fn names_one(why: &Why, namespaces: &BTreeSet<&str>) -> bool {
    let words = format!("{why:?}");
    let mut words = words.split(|it: char| !it.is_ascii_alphanumeric() && it != '-');
    words.any(|it| namespaces.contains(it))
}
