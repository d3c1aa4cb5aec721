//! Weighted routes: what was set, what is observed, and the plan of a change.

use crate::{
    Millis, Name,
    change::Mend,
    order::{Astray, Order},
    source::SourceState,
    version::Version,
    weights,
    why::{Leaves, Refused, Risk, Why},
};
use serde::{Deserialize, Serialize};

/// Every weighted route that this viewer may see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Canaries {
    /// Of the snapshot that it was made from.
    pub version: Version,
    /// The sources behind it.
    pub sources: Vec<SourceState>,
    /// Sorted by namespace, name, list, rule.
    pub routes: Vec<Canary>,
    /// Canary objects that move none of these, by namespace and name.
    pub astray: Vec<Astray>,
}

/// The list that a weighted rule is in, and with it the kind of its object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleList {
    /// `spec.http` of a VirtualService.
    #[default]
    Http,
    /// `spec.tls` of a VirtualService.
    Tls,
    /// `spec.tcp` of a VirtualService.
    Tcp,
    /// `spec.rules` of an HTTPRoute of the Gateway API.
    HttpRoute,
}

impl RuleList {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Http, Self::Tls, Self::Tcp, Self::HttpRoute];

    /// The kind of its object.
    pub fn kind(self) -> &'static str {
        match self {
            Self::HttpRoute => "HTTPRoute",
            Self::Http | Self::Tls | Self::Tcp => "VirtualService",
        }
    }

    /// Its field under `spec`.
    pub fn field(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tls => "tls",
            Self::Tcp => "tcp",
            Self::HttpRoute => "rules",
        }
    }

    /// A rule's field with its destinations.
    pub fn destinations(self) -> &'static str {
        match self {
            Self::HttpRoute => "backendRefs",
            Self::Http | Self::Tls | Self::Tcp => "route",
        }
    }

    /// Its rules split connections, not requests.
    pub fn connections(self) -> bool {
        matches!(self, Self::Tls | Self::Tcp)
    }

    /// Naru can move the weights of its rules by the steps of a Canary object.
    pub fn steps(self) -> bool {
        self == Self::Http
    }

    /// Left out where it is written: what was written before there were others meant this one.
    fn usual(&self) -> bool {
        *self == Self::default()
    }
}

/// Names one rule of one object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RouteRef {
    /// Namespace of the object.
    pub namespace: Name,
    /// Name of the object.
    pub name: Name,
    /// Which list of which kind of object.
    #[serde(default, skip_serializing_if = "RuleList::usual")]
    pub list: RuleList,
    /// Position in that list.
    pub rule: u32,
}

impl RouteRef {
    /// Where the rule's destinations are in the object, as people write it: `spec.http[0].route`.
    pub fn place(&self) -> String {
        let list = self.list;
        format!("spec.{}[{}].{}", list.field(), self.rule, list.destinations())
    }
}

/// One weighted rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Canary {
    /// Which rule.
    pub route: RouteRef,
    /// The rule's own name; may be empty.
    pub rule_name: Name,
    /// The hosts that the object is for; of an HTTPRoute of a Service, that Service.
    pub hosts: Vec<Name>,
    /// Gateways that it is bound to (`mesh` for the mesh itself). Of an HTTPRoute: Gateways and Services among its `parentRefs`.
    pub gateways: Vec<Name>,
    /// In the object's order.
    pub destinations: Vec<Destination>,
    /// resourceVersion of the object that this was read from.
    pub resource_version: Name,
    /// Requests per second over this rule's host now, in the topology's window.
    pub rate: Option<f64>,
    /// The split that was really seen since the weights were set.
    pub observed: Observed,
    /// Who else writes the object, if so: then Naru will not, unless they leave the weights alone.
    pub owner: Option<Owner>,
    /// The last change of ours on this rule that landed.
    pub last_change: Option<Name>,
    /// Weights that somebody proposes, for somebody else to set; the latest first.
    pub proposals: Vec<(Proposed, SetWeights)>,
    /// What is wrong with it now: refusals that any change would meet, subsets without pods, and so on.
    pub findings: Vec<Refused>,
    /// The steps that Naru takes with it: the Canary objects that are not over, oldest first; more than one is a mistake. Where all are
    /// over, the one that was moved last.
    pub orders: Vec<Order>,
}

/// Somebody who writes an object from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// What it is called.
    pub name: Name,
    /// What gave it away.
    pub by: Name,
    /// What it leaves alone of the weights.
    pub leaves: Leaves,
    /// It takes its changes from files: what was planned can be handed over.
    pub files: bool,
}

impl Owner {
    /// What Naru set would be taken back.
    pub fn bars(&self) -> bool {
        !matches!(self.leaves, Leaves::Kept { .. })
    }
}

impl Canary {
    /// Somebody else writes the weights, and would take back what Naru sets.
    pub fn barred(&self) -> bool {
        self.owner.as_ref().is_some_and(Owner::bars)
    }

    /// The position of the stable version.
    pub fn stable(&self) -> usize {
        let mut all = self.destinations.iter();
        all.position(|it| it.role == Role::Stable).unwrap_or(0)
    }

    /// What the weights are taken of: all of them together.
    pub fn total(&self) -> u64 {
        self.destinations.iter().map(|it| u64::from(it.weight)).sum()
    }

    /// Each destination's share in points, 0 to 100, in order.
    pub fn shares(&self) -> Vec<f64> {
        weights::shares(&self.weights())
    }

    /// The same in whole points; see [`weights::points`].
    pub fn points(&self) -> Vec<u32> {
        weights::points(&self.weights())
    }

    fn weights(&self) -> Vec<u32> {
        self.destinations.iter().map(|it| it.weight).collect()
    }
}

/// A destination with its weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Destination {
    /// As written in the object. For a `backendRef`: the Service's name, with its namespace and `svc.cluster.local` if that is another one.
    pub host: Name,
    /// As written in the object; empty for none.
    pub subset: Name,
    /// As written; None where the object has none.
    pub port: Option<u16>,
    /// As set, or what the list's own default is. Weights are relative: what share it is depends on the others.
    pub weight: u32,
    /// Which version it is.
    pub role: Role,
    /// Ready pods behind it; None where it cannot be known.
    pub ready: Option<u32>,
    /// Workloads behind it (`namespace/name`), sorted.
    pub workloads: Vec<Name>,
    /// What arrives there now; None where it is not known, and of what splits connections.
    pub arriving: Option<Arriving>,
}

/// What a destination is to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The version to go back to: as the Canary that moves the rule says, else the first by custom.
    Stable,
    /// Any other.
    Canary,
}

/// Requests per second that proxies count at a destination's pods now, by whatever rule they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Arriving {
    /// As their callers see them: one that was tried again is one.
    pub requests: f64,
    /// How often callers' proxies try a request on average, as the pods' own proxies count; None where that is not collected.
    pub tries: Option<f64>,
    /// Of callers without a proxy: no weight was asked for them.
    pub around: f64,
}

/// The measured split of a rule, counted only from samples taken after the weights were set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "observed", rename_all = "kebab-case")]
pub enum Observed {
    /// It is not known, and why.
    Unknown {
        /// At least one reason.
        whys: Vec<Why>,
        /// How it can come to be known, where other rules send requests to the same pods and nothing but that is in the way.
        apart: Option<Apart>,
    },
    /// Counted.
    Known {
        /// The first sample counted from.
        from: Millis,
        /// The last sample.
        to: Millis,
        /// Requests in all; the shares' denominator.
        n: u64,
        /// In the order of the destinations.
        shares: Vec<Share>,
        /// Requests that reached no destination at all (no healthy upstream, no route), charged to nobody.
        unrouted: u64,
        /// Requests that other rules sent to the same services meanwhile, where they could be told apart; they are in none of the shares.
        others: u64,
        /// From when to when [what was before](Share::before) was counted; None where it was not.
        before: Option<(Millis, Millis)>,
    },
}

/// What it takes to tell requests of several rules apart that go to the same pods: proxies that tell the name of the route, and rules that have one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Apart {
    /// The Telemetry that lets proxies tell it.
    pub tag: Tag,
    /// Plans that give rules a name of their own, one for each VirtualService.
    pub names: Vec<Mend>,
    /// Others of these are of namespaces that this viewer does not see.
    pub elsewhere: bool,
    /// The rule has a name that tells its requests from all others'.
    pub named: bool,
    /// Requests that were counted with a route's name.
    pub told: u64,
    /// Requests that were counted without one.
    pub untold: u64,
}

/// A Telemetry of the whole mesh by which callers' proxies tell the route's name. It is for whoever owns the mesh's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "tag", rename_all = "kebab-case")]
pub enum Tag {
    /// It is there.
    There,
    /// This object is wanted, as JSON (which is YAML too).
    Object {
        /// What to apply.
        text: Name,
    },
    /// The one that is there wants a JSON patch (RFC 6902).
    Patch {
        /// Which one, as `namespace/name`.
        of: Name,
        /// The patch.
        text: Name,
    },
    /// One that is there wants a patch, in a namespace that this viewer does not see.
    Elsewhere,
    /// Prometheus is none of the mesh's providers of metrics: it is not Naru's to say how it should be.
    NoProvider,
    /// Not known.
    Unknown {
        /// Why.
        why: Why,
    },
}

/// One destination's measured share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Requests.
    pub n: u64,
    /// Points, 0 to 100.
    pub percent: f64,
    /// Lower end of the 95 % Wilson score interval, points.
    pub low: f64,
    /// Upper end of the 95 % Wilson score interval, points.
    pub high: f64,
    /// Of these, how many failed.
    pub failed: u64,
    /// How long one took on average, in milliseconds, as its callers saw it; None where durations are not collected.
    pub mean_ms: Option<f64>,
    /// The same destination in the minutes before the weights were set.
    pub before: Option<Past>,
}

/// What was counted of a destination before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// Requests.
    pub n: u64,
    /// Of these, how many failed.
    pub failed: u64,
    /// How long one took on average, in milliseconds.
    pub mean_ms: Option<f64>,
}

/// A wish to set the weights of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetWeights {
    /// Which rule.
    pub route: RouteRef,
    /// All destinations of the rule, in the object's order, each with its new weight.
    pub weights: Vec<WeightOf>,
}

/// A destination named with a weight for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightOf {
    /// As written in the object.
    pub host: Name,
    /// As written in the object; empty for none.
    pub subset: Name,
    /// 0 to 100.
    pub weight: u32,
}

/// What a person reads before confirming: all that a change would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanSheet {
    /// What is confirmed: binds intent, target, and each value before and after.
    pub digest: Name,
    /// Kind, namespace, name of the object to be changed.
    pub target: (Name, Name, Name),
    /// Each touched path with its value before and after.
    pub diff: Vec<DiffLine>,
    /// What will happen to the observed traffic.
    pub prediction: Prediction,
    /// What could go wrong.
    pub risks: Vec<Risk>,
    /// What the API server said to a dry run as this person.
    pub dry_run: DryRun,
    /// The same change as a kubectl command.
    pub kubectl: Name,
    /// Somebody else writes the object: it is planned for them, and cannot be applied here.
    #[serde(default)]
    pub hand_over: Option<HandOver>,
    /// It wants a second person.
    #[serde(default)]
    pub quorum: Option<Quorum>,
}

/// Two people are wanted for a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quorum {
    /// For more than so many percent of a rule's requests to a new version.
    pub above: u32,
    /// Somebody else has proposed it: who reads this may carry it out.
    pub proposed: Option<Proposed>,
}

/// A plan that waits for a second person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposed {
    /// Who proposed it: the name for display.
    pub by: Name,
    /// Why.
    pub reason: Name,
    /// When.
    pub at: Millis,
}

/// A plan for somebody else to carry out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HandOver {
    /// Who writes the object.
    pub owner: Name,
    /// The edits, as a JSON patch (RFC 6902).
    pub patch: Name,
}

/// One touched path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffLine {
    /// RFC 6901 JSON pointer.
    pub path: Name,
    /// A word for people: which destination (`v2`).
    pub label: Name,
    /// None where there was no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Name>,
    /// None where the value goes away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Name>,
}

/// What a weight change does to the requests seen now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Window of the observation in seconds.
    pub window_s: u32,
    /// Requests per second over the rule now; None if not known.
    pub rate: Option<f64>,
    /// Requests per second that would go elsewhere than now.
    pub moved: Option<f64>,
    /// By destination, in order.
    pub destinations: Vec<PredictedDestination>,
    /// Why something is not known.
    pub whys: Vec<Why>,
}

/// What one destination will carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedDestination {
    /// Subset, or host if it has none.
    pub label: Name,
    /// Whole points of 100 before and after.
    pub weight: (u32, u32),
    /// Requests per second before and after; None if not known.
    pub rate: Option<(f64, f64)>,
    /// Ready pods.
    pub ready: Option<u32>,
}

impl PlanSheet {
    /// Leaves out who calls from namespaces that a viewer does not see; what it means for the plan stays.
    pub fn hide_callers(&mut self, sees: impl Fn(&str) -> bool) {
        for risk in &mut self.risks {
            if let Risk::Pool { caller, rule, .. } = risk
                && !caller
                    .split_once('/')
                    .is_some_and(|(namespace, _)| sees(namespace))
            {
                (*caller, *rule) = ("".into(), "".into());
            }
        }
    }
}

/// The API server's answer to a dry run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "dry-run", rename_all = "kebab-case")]
pub enum DryRun {
    /// It would be accepted, with exactly the planned result.
    Accepted,
    /// It would be accepted, but something would change more than planned.
    Differs {
        /// Pointers that differ.
        paths: Vec<Name>,
    },
    /// It would be refused.
    Refused {
        /// The API server's own words.
        detail: Name,
    },
    /// It could not be asked.
    Unknown {
        /// Why.
        why: Why,
    },
}

/// When the last change took effect, for the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// The change's name in the journal.
    pub change: Name,
    /// Namespace of the change.
    pub namespace: Name,
    /// When the API server had accepted it.
    pub at: Millis,
}
