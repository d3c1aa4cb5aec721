//! 3.1: whoever a rule of an AuthorizationPolicy names is there: a workload runs under the service account of the principal, in a namespace that exists. A gateway's
//! account has another name with each way of installing it, so that a copied policy shuts its gateway out.

use crate::{
    Name, Why,
    crossing::Item,
    judge::{Check, Code, Found, World},
    mesh::Decider,
    object::{Key, Kind, Object},
};
use serde_json::Value;
use std::collections::BTreeSet;

const NOBODY: Code = Code::error("principal-nobody");
const ABSENT: Code = Code::warning("principal-absent");
const NAMESPACE: Code = Code::warning("source-namespace-absent");

pub(super) const CHECK: Check = Check {
    name: "authorization_principals",
    item: Item::Secured,
    codes: &[&NOBODY, &ABSENT, &NAMESPACE],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let kinds = [Kind::AuthorizationPolicy, Kind::Pod, Kind::Namespace];
    let gaps: Vec<Why> = kinds.iter().filter_map(|&kind| world.objects.gap(kind)).collect();
    if !gaps.is_empty() {
        return found.unknowns(gaps);
    }
    let accounts = accounts(world);
    for policy in world.objects.of_kind(Kind::AuthorizationPolicy) {
        for (rule, json) in policy.list("/spec/rules").iter().enumerate() {
            let from = json.get("from").and_then(Value::as_array);
            let mut absent = Vec::new();
            // A rule for anybody, or for somebody who is there, goes on taking requests.
            let mut somebody = from.is_none_or(Vec::is_empty) || policy.text("/spec/action") == "DENY";
            for (source, json) in from.into_iter().flatten().enumerate() {
                let at = format!("/spec/rules/{rule}/from/{source}/source");
                somebody |= principals(world, policy, &at, json, &accounts, &mut absent, found);
                namespaces(world, policy, &at, json, found);
            }
            let code = if somebody { &ABSENT } else { &NOBODY };
            for (by, principal) in absent {
                let args = [
                    ("policy", place(policy).into()),
                    ("principal", principal.into()),
                ];
                found.finding(code, by, args);
            }
        }
    }
}

/// The service accounts under which something runs, or would.
fn accounts(world: &World<'_>) -> BTreeSet<(Name, Name)> {
    let or_default = |name: &Name| if name.is_empty() { Name::from("default") } else { name.clone() };
    let pods = world.objects.pods.values();
    let pods = pods.map(|pod| (pod.namespace.clone(), or_default(&pod.service_account)));
    let templates = world.templates();
    let made = templates
        .iter()
        .map(|it| (it.owner.namespace.clone(), or_default(&it.pod.service_account)));
    pods.chain(made).collect()
}

fn texts<'a>(source: &'a Value, field: &str) -> impl Iterator<Item = (usize, &'a str)> {
    let list = source.get("source").and_then(|it| it.get(field)).and_then(Value::as_array);
    let texts = list.into_iter().flatten().enumerate();
    texts.filter_map(|(index, it)| Some((index, it.as_str()?)))
}

/// Whether the source may be somebody. Principals that nobody has are put to the `absent`.
fn principals<'p>(
    world: &World<'_>,
    policy: &Object,
    at: &str,
    source: &'p Value,
    accounts: &BTreeSet<(Name, Name)>,
    absent: &mut Vec<(Decider, &'p str)>,
    found: &mut Found,
) -> bool {
    let all: Vec<(usize, &str)> = texts(source, "principals").collect();
    let mut somebody = all.is_empty();
    for (index, principal) in all {
        let Some((namespace, account)) = exact(principal) else {
            somebody = true;
            continue;
        };
        let by = Decider::of(policy, format!("{at}/principals/{index}"));
        if accounts.contains(&(namespace.into(), account.into())) {
            somebody = true;
            found.saw_at("principal", &by, principal);
        } else if world.running || accounts.iter().any(|(it, _)| **it == *namespace) {
            absent.push((by, principal));
        } else {
            // The gateway's own files are seldom among an application's.
            somebody = true;
            found.unknown(Why::NeedsCluster);
        }
    }
    somebody
}

fn place(policy: &Object) -> String {
    format!("{}/{}", policy.key().namespace, policy.key().name)
}

fn namespaces(world: &World<'_>, policy: &Object, at: &str, source: &Value, found: &mut Found) {
    for (index, name) in texts(source, "namespaces").filter(|(_, it)| !it.contains('*')) {
        let key = Key::new(Kind::Namespace, "", name);
        if world.objects.namespaces.contains_key(&key) {
            continue;
        }
        if !world.running {
            found.unknown(Why::NeedsCluster);
            continue;
        }
        let args = [
            ("policy", place(policy).into()),
            ("namespace", name.into()),
        ];
        found.finding(&NAMESPACE, Decider::of(policy, format!("{at}/namespaces/{index}")), args);
    }
}

/// Namespace and account of a principal without wildcards, such as `cluster.local/ns/shop/sa/web`.
fn exact(principal: &str) -> Option<(&str, &str)> {
    let (_, rest) = principal.split_once("/ns/")?;
    let (namespace, account) = rest.split_once("/sa/")?;
    let plain = |it: &str| !it.is_empty() && !it.contains(['*', '/']);
    (plain(namespace) && plain(account) && !principal.starts_with('*')).then_some((namespace, account))
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged, judged_running};

    fn system(source: &str) -> String {
        format!(
            r#"
{{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {{name: p, namespace: shop}}, spec: {{rules: [{{from: [{{source: {{{source}}}}}]}}]}}}}
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: gate, namespace: istio-system}}, spec: {{template: {{metadata: {{labels: {{istio: ingressgateway}}}},
  spec: {{serviceAccountName: gate, containers: [{{name: istio-proxy, image: auto}}]}}}}}}}}
"#
        )
    }

    #[test]
    fn a_rule_for_an_account_that_nothing_runs_under_lets_nobody_in() {
        const GUIDE: &str = r#""cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account""#;
        const GATE: &str = r#""cluster.local/ns/istio-system/sa/gate""#;
        for (principals, expected) in [
            (GATE.to_owned(), &[][..]),
            (GUIDE.to_owned(), &["principal-nobody"]),
            (format!("{GATE}, {GUIDE}"), &["principal-absent"]),
            (r#""*""#.to_owned(), &[]),
            (r#""cluster.local/ns/istio-system/*""#.to_owned(), &[]),
        ] {
            let yaml = system(&format!("principals: [{principals}]"));
            assert_eq!(codes(&judged("authorization_principals", &yaml)), expected, "{yaml}");
            assert_eq!(codes(&judged_running("authorization_principals", &yaml)), expected, "{yaml}");
        }
    }

    #[test]
    fn who_is_not_among_the_files_may_be_in_the_cluster() {
        for source in [
            r#"principals: ["cluster.local/ns/elsewhere/sa/x"]"#,
            "namespaces: [elsewhere]",
        ] {
            let files = judged("authorization_principals", &system(source));
            assert_eq!((codes(&files), files.unknown.len()), (vec![], 1), "{source}");
            let cluster = judged_running("authorization_principals", &system(source));
            assert_eq!((cluster.findings.len(), cluster.unknown.len()), (1, 0), "{source}");
        }
        let here = judged_running("authorization_principals", &system("namespaces: [shop]"));
        assert_eq!(codes(&here), [""; 0]);
    }
}
