//! What Naru sees of the mesh and of its own sources: proxies and the control planes that they belong to, what each source shows and what it does
//! not, and which items each gap leaves unknown. It judges nothing; the [checks](crate::judge::check) do.

mod proxies;
mod revisions;
mod sources;
#[cfg(test)]
mod tests;

pub use proxies::{ProxyRow, Sync};
pub use revisions::Revision;
pub use sources::{Kinds, Metrics, unknown};

use crate::{
    Name, Why,
    actor::Scope,
    crossing::{Item, guard::Guards},
    inquiry::{Scraping, ScrapingState},
    judge::{Found, Preflight, World, preflight},
    object::Kind,
    traffic::Dated,
};

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
            scraping: Some(scraping(world)),
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
        // Reasons are words, and a namespace among them is known by its name before a slash.
        let hidden: Vec<String> = self
            .namespaces
            .iter()
            .filter(|it| !scope.sees(it))
            .map(|it| format!("{it}/"))
            .collect();
        seen.unknown.retain(|(why, _)| {
            let words = format!("{why:?}");
            !hidden.iter().any(|it| words.contains(it.as_str()))
        });
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

fn scraping(world: &World<'_>) -> Result<ScrapingState, Why> {
    asked(world, &Scraping).map(|it| it.value.clone())
}

/// The reply to a question, or why there is none.
fn asked<'w, Q: crate::inquiry::Question>(
    world: &'w World<'_>,
    question: &Q,
) -> Result<Dated<&'w Q::Reply>, Why> {
    let mut found = Found::default();
    let reply = world.ask(question, &mut found);
    reply.ok_or_else(|| found.unknown.into_iter().next().unwrap_or(Why::NeedsCluster))
}
