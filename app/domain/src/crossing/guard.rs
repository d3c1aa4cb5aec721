//! Whether what signatures rest on stands: Naru's admission policies, there, bound, and as Naru ships them.
//!
//! Whoever can change a policy can forge behind it, so that each Evidence says how they were, and nobody signs while one is missing or
//! says something else than it was made to say.

use super::evidence::{POLICIES, Policy};
use crate::{
    Name, Why,
    object::{Digest, Kind, Object},
    snapshot::Objects,
};
use serde_json::{Value, json};

/// [`meaning`] of each of [`POLICIES`], in their order, as `k8s/base/ledger.yaml` has it.
pub(super) const SHIPPED: [&str; 5] = [
    "f71d5417c97d49a62254377c719644a5a17a7e29f80269404a6a8e3bf8a57779",
    "de27910be9b3264cc051fe29ab8e45848ddbb0d91bf08c87d8af3228cfe6613a",
    "78696aab8ad40864c7c3f5ba1f689f54b6956d0a40c68776c4e27d44d22a4295",
    "2ec3a5fc80ab4998132c447826b1bf8083ac951275c94d851bfdb29375c14dda",
    "4e861d305a2dbfa73ec94b51ac34de3ffec373704828b22122f7e5e87d126354",
];

/// How the policies stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guards {
    /// Each as it is, for the evidence.
    pub policies: Vec<Policy>,
    /// Those that do not guard.
    pub down: Vec<(&'static str, Down)>,
    /// Why it is not known how they stand, if it is not.
    pub unknown: Option<Why>,
}

/// Why a policy does not guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// It is not there.
    Missing,
    /// No binding of its name puts it in force, or its binding denies nothing.
    Unbound,
    /// It, or what its binding is for, is not as Naru ships it.
    Altered,
}

impl Down {
    /// Its sentence is `guard.KEY` in both locales.
    pub fn key(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unbound => "unbound",
            Self::Altered => "altered",
        }
    }
}

impl Guards {
    /// Those of a cluster.
    pub fn of(objects: &Objects) -> Self {
        let kinds = [
            Kind::ValidatingAdmissionPolicy,
            Kind::ValidatingAdmissionPolicyBinding,
        ];
        let named = |kind, name: &str| objects.object(kind, "", name);
        let mut guards = Self {
            unknown: kinds.into_iter().find_map(|kind| objects.gap(kind)),
            ..Self::default()
        };
        for (name, shipped) in POLICIES.into_iter().zip(SHIPPED) {
            let (policy, binding) = (named(kinds[0], name), named(kinds[1], name));
            guards.policies.push(Policy {
                name: name.into(),
                generation: policy.and_then(generation),
                binding: binding.and_then(generation),
            });
            guards
                .down
                .extend(down(policy, binding, shipped).map(|down| (name, down)));
        }
        guards
    }

    /// Signatures can be relied on: all are known to stand.
    pub fn stand(&self) -> bool {
        self.unknown.is_none() && self.down.is_empty()
    }
}

fn down(policy: Option<&Object>, binding: Option<&Object>, shipped: &str) -> Option<Down> {
    let Some(policy) = policy else {
        return Some(Down::Missing);
    };
    let binds = |it: &&Object| {
        let denies = it.list("/spec/validationActions").iter().any(|it| it == "Deny");
        denies && it.text("/spec/policyName") == &*policy.key().name
    };
    let Some(binding) = binding.filter(binds) else {
        return Some(Down::Unbound);
    };
    let narrowed = narrows(binding.get("/spec/matchResources")) || binding.get("/spec/paramRef").is_some();
    (narrowed || *meaning(policy).0 != *shipped).then_some(Down::Altered)
}

/// The digest of what a policy says, without what an API server adds by itself (defaults, status, messages).
pub(super) fn meaning(policy: &Object) -> Digest {
    let each = |pointer: &str, fields: &[&str]| -> Vec<Value> {
        let pick = |it: &Value| fields.iter().map(|field| it.get(*field).map(plain)).collect();
        policy.list(pointer).iter().map(pick).collect()
    };
    let rules = [
        "apiGroups",
        "apiVersions",
        "operations",
        "resources",
        "resourceNames",
    ];
    Digest::of(&json!({
        "fails": policy.text("/spec/failurePolicy"),
        "validations": each("/spec/validations", &["expression"]),
        "variables": each("/spec/variables", &["name", "expression"]),
        "conditions": each("/spec/matchConditions", &["expression"]),
        "rules": each("/spec/matchConstraints/resourceRules", &rules),
        "narrowed": narrows(policy.get("/spec/matchConstraints")),
    }))
}

/// White space is one space: YAML parsers fold long lines in ways of their own, and CEL does not care.
fn plain(value: &Value) -> Value {
    match value {
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" ").into(),
        other => other.clone(),
    }
}

/// Something is left out by selectors or exclusions.
fn narrows(matching: Option<&Value>) -> bool {
    let says = |field: &str| {
        let it = matching.and_then(|it| it.get(field));
        it.is_some_and(|it| match it {
            Value::Object(map) => !map.is_empty(),
            Value::Array(items) => !items.is_empty(),
            other => !other.is_null(),
        })
    };
    ["namespaceSelector", "objectSelector", "excludeResourceRules"]
        .into_iter()
        .any(says)
}

fn generation(object: &Object) -> Option<i64> {
    object.get("/metadata/generation")?.as_i64()
}

/// The name of each that is down, for people.
pub fn names(down: &[(&'static str, Down)]) -> Name {
    let names: Vec<&str> = down.iter().map(|(name, _)| *name).collect();
    names.join(", ").into()
}
