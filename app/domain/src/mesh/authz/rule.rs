//! A rule taken apart into tests (istio's `pilot/pkg/security/authz/model`).

use super::{
    Request,
    condition::{Field, Problem, problem},
    seen::Seen,
    tri::Tri,
    trust_domain,
};
use crate::Name;
use serde_json::Value;

/// The policy, or this part of it, is not written as Istio's API has it.
pub(super) struct Unread;

/// A rule: one of the sources, one of the operations, and in each all tests.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rule {
    sources: Vec<Vec<Test>>,
    operations: Vec<Vec<Test>>,
    /// A condition's key that Istio does not know: the whole rule is left out, whatever the action.
    pub(super) unknown_key: Option<Name>,
}

/// One field with its values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Test {
    pub(super) field: Field,
    /// As it is called in the policy, without `not`.
    pub(super) name: Name,
    values: Vec<Name>,
    not_values: Vec<Name>,
}

const SOURCE: [(&str, &str, Field); 7] = [
    ("principals", "notPrincipals", Field::Principal),
    (
        "requestPrincipals",
        "notRequestPrincipals",
        Field::RequestPrincipal,
    ),
    ("namespaces", "notNamespaces", Field::Namespace),
    ("serviceAccounts", "notServiceAccounts", Field::ServiceAccount),
    ("trustDomains", "notTrustDomains", Field::TrustDomain),
    ("ipBlocks", "notIpBlocks", Field::SourceIp),
    ("remoteIpBlocks", "notRemoteIpBlocks", Field::RemoteIp),
];

const OPERATION: [(&str, &str, Field); 4] = [
    ("hosts", "notHosts", Field::Host),
    ("ports", "notPorts", Field::DestinationPort),
    ("methods", "notMethods", Field::Method),
    ("paths", "notPaths", Field::Path),
];

impl Rule {
    /// A rule as written; `trust_domains` are the mesh's.
    pub(super) fn read(json: &Value, trust_domains: &[Name]) -> Result<Self, Unread> {
        known(json, &["from", "to", "when"])?;
        let mut rule = Self::default();
        let (mut source, mut operation) = (Vec::new(), Vec::new());
        for when in list(json, "when")? {
            known(when, &["key", "values", "notValues"])?;
            let name = when.get("key").map_or(Some(""), Value::as_str).ok_or(Unread)?;
            let (values, not_values) = (names(when, "values")?, names(when, "notValues")?);
            let Some((field, of_source)) = Field::of_key(name) else {
                rule.unknown_key = Some(name.into());
                continue;
            };
            let to = if of_source { &mut source } else { &mut operation };
            to.extend(Test::of(field, name, values, not_values, trust_domains));
        }
        rule.sources = alternatives(json, "from", "source", &SOURCE, &source, trust_domains)?;
        rule.operations = alternatives(json, "to", "operation", &OPERATION, &operation, trust_domains)?;
        Ok(rule)
    }

    /// All tests, each once for every place where it stands.
    pub(super) fn tests(&self) -> impl Iterator<Item = &Test> {
        self.sources.iter().chain(&self.operations).flatten()
    }

    /// Whether the rule takes the request. A `strict` rule (ALLOW) is left out whole when any of its values cannot be used here; another loses
    /// only the value, and so takes more (`checkError`).
    pub(super) fn takes(&self, seen: &Seen<'_>, strict: bool) -> Tri {
        let request = seen.request;
        if self.unknown_key.is_some() || (strict && self.tests().any(|it| !it.problems(request).is_empty())) {
            return Tri::No;
        }
        let one = |all: &[Vec<Test>]| {
            let alternative = |tests: &Vec<Test>| Tri::all(tests.iter().map(|test| test.holds(seen)));
            Tri::any(all.iter().map(alternative))
        };
        Tri::all([one(&self.sources), one(&self.operations)])
    }
}

impl Test {
    fn of(
        field: Field,
        name: &str,
        values: Vec<Name>,
        not: Vec<Name>,
        trust_domains: &[Name],
    ) -> Option<Self> {
        let expand = |values: Vec<Name>| match field {
            Field::Principal => trust_domain::principals(trust_domains, &values),
            Field::TrustDomain => trust_domain::domains(trust_domains, &values),
            _ => values,
        };
        let (values, not_values) = (expand(values), expand(not));
        (!values.is_empty() || !not_values.is_empty()).then(|| Self {
            field,
            name: name.into(),
            values,
            not_values,
        })
    }

    /// What is wrong with its values on this protocol.
    pub(super) fn problems(&self, request: &Request) -> Vec<Problem> {
        let all = self.values.iter().chain(&self.not_values);
        all.filter_map(|value| problem(&self.field, value, request.protocol))
            .collect()
    }

    fn holds(&self, seen: &Seen<'_>) -> Tri {
        let any = |values: &[Name]| {
            let usable = |value: &&Name| problem(&self.field, value, seen.request.protocol).is_none();
            let mut usable = values.iter().filter(usable).peekable();
            usable.peek()?;
            Some(Tri::any(usable.map(|value| self.field.matches(value, seen))))
        };
        let (values, not) = (any(&self.values), any(&self.not_values));
        Tri::all(values.into_iter().chain(not.map(Tri::not)))
    }
}

/// The entries of `from` or `to`, each with the conditions besides; without entries the conditions alone.
fn alternatives(
    json: &Value,
    place: &str,
    inner: &str,
    fields: &[(&str, &str, Field)],
    besides: &[Test],
    trust_domains: &[Name],
) -> Result<Vec<Vec<Test>>, Unread> {
    let mut all = Vec::new();
    for entry in list(json, place)? {
        known(entry, &[inner])?;
        let mut tests = besides.to_vec();
        if let Some(entry) = entry.get(inner).filter(|it| !it.is_null()) {
            let names_of: Vec<&str> = fields.iter().flat_map(|(yes, no, _)| [*yes, *no]).collect();
            known(entry, &names_of)?;
            for (yes, no, field) in fields {
                let (values, not) = (names(entry, yes)?, names(entry, no)?);
                tests.extend(Test::of(field.clone(), yes, values, not, trust_domains));
            }
        }
        all.push(tests);
    }
    if all.is_empty() {
        all.push(besides.to_vec());
    }
    Ok(all)
}

/// The value is a map of these fields at most. A field of another version of Istio may narrow the rule, so it is not passed over.
fn known(json: &Value, fields: &[&str]) -> Result<(), Unread> {
    let map = json.as_object().ok_or(Unread)?;
    let known = map
        .iter()
        .all(|(name, value)| value.is_null() || fields.contains(&name.as_str()));
    known.then_some(()).ok_or(Unread)
}

/// A list; absent is empty.
pub(super) fn list<'a>(json: &'a Value, name: &str) -> Result<&'a [Value], Unread> {
    match json.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(Unread),
    }
}

/// A list of texts; absent is empty.
pub(super) fn names(json: &Value, name: &str) -> Result<Vec<Name>, Unread> {
    let text = |it: &Value| it.as_str().map(Name::from).ok_or(Unread);
    list(json, name)?.iter().map(text).collect()
}
