//! Which policies apply to a proxy (istio's `pilot/pkg/model/authorization.go` and `policyattachment.go`).

use super::{
    rule::{Rule, Unread, list},
    seen::Seen,
    tri::Tri,
    trust_domain,
};
use crate::{
    Name,
    mesh::{Decider, Mesh, Proxy, unjudged},
    object::{Kind, Object},
};
use serde_json::Value;

/// What a policy does with what its rules take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is called as Istio calls it")]
pub enum Action {
    Allow,
    Deny,
    Audit,
    Custom,
}

/// A policy that applies.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy<'a> {
    /// The object.
    pub object: &'a Object,
    /// Its action.
    pub action: Action,
    /// The annotation `istio.io/dry-run` is true: it is counted and decides nothing.
    pub dry_run: bool,
    /// `spec.provider.name`; empty for none.
    pub provider: Name,
    /// None: they are not written as Istio's API has it. A rule that is null is passed over.
    pub(super) rules: Option<Vec<Option<Rule>>>,
}

/// The policies that apply to a proxy, by action, each in Istio's order: those of the root namespace first, then the proxy's, the oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applied<'a> {
    /// Asked first.
    pub custom: Vec<Policy<'a>>,
    /// Then these.
    pub deny: Vec<Policy<'a>>,
    /// Then these: if one of them enforces, a request needs a rule of them.
    pub allow: Vec<Policy<'a>>,
    /// They decide nothing.
    pub audit: Vec<Policy<'a>>,
    /// Their action is none of Istio's.
    pub unread: Vec<&'a Object>,
}

/// The policies that apply to a proxy. Waypoints are not judged here.
pub fn policies<'a>(mesh: &Mesh<'a>, destination: &Proxy) -> Applied<'a> {
    let mut applied = Applied::default();
    let trust_domains = trust_domain::bundle(&mesh.config);
    for object in attached(mesh, destination, Kind::AuthorizationPolicy, true) {
        let Some(action) = action(object) else {
            applied.unread.push(object);
            continue;
        };
        let list = match action {
            Action::Allow => &mut applied.allow,
            Action::Deny => &mut applied.deny,
            Action::Audit => &mut applied.audit,
            Action::Custom => &mut applied.custom,
        };
        list.push(Policy {
            object,
            action,
            dry_run: dry_run(object),
            provider: object.text("/spec/provider/name").into(),
            rules: rules(object, &trust_domains).ok(),
        });
    }
    applied
}

impl Policy<'_> {
    /// Whether it takes the request, and by which rule if that is sure.
    pub(super) fn takes(&self, seen: &Seen<'_>) -> (Tri, Option<Decider>) {
        let Some(rules) = &self.rules else {
            let why = unjudged::named(self.object);
            return (Tri::Unknown([why].into()), Some(Decider::of(self.object, "")));
        };
        let seen = Seen {
            policy_namespace: &self.object.key().namespace,
            ..seen.clone()
        };
        let mut unsure = None;
        let mut answers = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let Some(rule) = rule else { continue };
            let answer = rule.takes(&seen, self.action == Action::Allow);
            let here = || Decider::of(self.object, format!("/spec/rules/{index}"));
            match answer {
                Tri::Yes => return (Tri::Yes, Some(here())),
                Tri::No => {}
                Tri::Unknown(_) => {
                    unsure.get_or_insert_with(here);
                    answers.push(answer);
                }
            }
        }
        (Tri::any(answers), unsure)
    }
}

fn action(object: &Object) -> Option<Action> {
    match object.get("/spec/action") {
        None | Some(Value::Null) => Some(Action::Allow),
        Some(text) => match text.as_str()? {
            "ALLOW" => Some(Action::Allow),
            "DENY" => Some(Action::Deny),
            "AUDIT" => Some(Action::Audit),
            "CUSTOM" => Some(Action::Custom),
            _ => None,
        },
    }
}

fn rules(object: &Object, trust_domains: &[Name]) -> Result<Vec<Option<Rule>>, Unread> {
    let Some(spec) = object.get("/spec") else {
        return Ok(Vec::new());
    };
    let read = |rule: &Value| match rule {
        Value::Null => Ok(None),
        rule => Rule::read(rule, trust_domains).map(Some),
    };
    list(spec, "rules")?.iter().map(read).collect()
}

/// As Go's `strconv.ParseBool`; nonsense is false.
fn dry_run(object: &Object) -> bool {
    let value = object.annotation("istio.io/dry-run");
    matches!(value, Some("1" | "t" | "T" | "true" | "TRUE" | "True"))
}

/// Objects of a kind that are attached to the proxy, `root_first` or the proxy's namespace first, the oldest first in each.
pub(super) fn attached<'a>(mesh: &Mesh<'a>, proxy: &Proxy, kind: Kind, root_first: bool) -> Vec<&'a Object> {
    let all = mesh.oldest_first(kind);
    let (root, own) = (&mesh.config.root_namespace, &proxy.namespace);
    let mut places = if root_first {
        vec![root, own]
    } else {
        vec![own, root]
    };
    places.dedup();
    let here = |place: &Name| {
        let place = place.clone();
        all.iter().copied().filter(move |it| it.key().namespace == place)
    };
    let near = places.into_iter().flat_map(here);
    near.filter(|object| attaches(object, proxy)).collect()
}

/// `ShouldAttachPolicy`: a Gateway API gateway's proxies are told by a label, and only they are attached by `targetRefs`.
fn attaches(object: &Object, proxy: &Proxy) -> bool {
    let gateway = proxy.labels.get("gateway.networking.k8s.io/gateway-name");
    let mut targets: Vec<&Value> = object.list("/spec/targetRefs").iter().collect();
    if targets.is_empty() {
        targets.extend(object.get("/spec/targetRef").filter(|it| !it.is_null()));
    }
    if targets.is_empty() {
        return proxy.selected_by(&unjudged::labels(object, "/spec/selector/matchLabels"));
    }
    let at = |target: &Value, name: &str| target.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
    gateway.is_some_and(|gateway| {
        object.key().namespace == proxy.namespace
            && targets.into_iter().any(|target| {
                let place = at(target, "namespace");
                at(target, "group") == "gateway.networking.k8s.io"
                    && at(target, "kind") == "Gateway"
                    && at(target, "name") == **gateway
                    && (place.is_empty() || *place == *proxy.namespace)
            })
    })
}

/// Whether the proxy is a waypoint, whose policies are attached to services.
pub(super) fn is_waypoint(proxy: &Proxy) -> bool {
    let managed = proxy.labels.get("gateway.istio.io/managed");
    managed.is_some_and(|by| &**by == "istio.io-mesh-controller")
}
