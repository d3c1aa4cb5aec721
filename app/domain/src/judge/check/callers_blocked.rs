//! 2.2: nobody who calls a service was shut out by its injection: a declared caller in plaintext where mutual TLS is required, or the other way round.

use crate::{
    crossing::{Item, migration::Call},
    judge::{
        Check, Code, Found, World,
        ask::{self, Trouble},
    },
};

const BLOCKED: Code = Code::error("caller-blocked");

pub(super) const CHECK: Check = Check {
    name: "callers_blocked",
    item: Item::ServicesInjected,
    codes: &[&BLOCKED],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let declared = world.declared(found, "calls", |it| {
        (!it.calls.is_empty()).then_some(it)
    });
    let Some(migration) = declared else { return };
    let ours = |call: &Call| migration.all_services().any(|it| *it == call.to);
    for (call, here, told) in ask::explained(world, migration, found, ours) {
        let (from, to) = (call.from.to_string(), call.to.to_string());
        let (troubles, unknown) = ask::troubles(told, !call.path.is_empty());
        found.unknowns(unknown);
        let refused = troubles.into_iter().find_map(|it| match it {
            Trouble::Refused(by) => Some(by),
            _ => None,
        });
        match refused {
            Some(by) => {
                let args = [("from", from.into()), ("to", to.into())];
                found.finding(&BLOCKED, by.unwrap_or(here), args);
            }
            None => found.saw_at("caller-taken", &here, format!("{from} → {to}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged, judged_running};

    const SYSTEM: &str = r#"
{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}, spec: {services: [{namespace: shop, name: users}],
  calls: [{from: {namespace: jobs, name: night}, to: {namespace: shop, name: users}}]}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}
---
{apiVersion: v1, kind: Service, metadata: {name: users, namespace: shop}, spec: {selector: {app: users}, ports: [{name: http, port: 80}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: users, namespace: shop}, spec: {template: {metadata: {labels: {app: users}},
  spec: {containers: [{name: users}]}}}}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: night, namespace: jobs}, spec: {jobTemplate: {spec: {template: {
  metadata: {labels: {app: night}}, spec: {containers: [{name: night}]}}}}}}
---
{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: default, namespace: shop}, spec: {mtls: {mode: MODE}}}
"#;

    #[test]
    fn a_job_without_a_proxy_is_shut_out_by_strict_even_while_it_does_not_run() {
        for (mode, expected) in [("STRICT", &["caller-blocked"][..]), ("PERMISSIVE", &[])] {
            let yaml = SYSTEM.replace("MODE", mode);
            for found in [
                judged("callers_blocked", &yaml),
                judged_running("callers_blocked", &yaml),
            ] {
                assert_eq!(codes(&found), expected, "{mode}");
                assert!(found.unknown.is_empty(), "{:?}", found.unknown);
                assert_eq!(found.facts.len(), 1 - expected.len());
            }
        }
    }

    #[test]
    fn who_has_a_proxy_is_let_in() {
        let inside = SYSTEM.replace("jobs", "shop").replace("MODE", "STRICT");
        assert_eq!(codes(&judged("callers_blocked", &inside)), [""; 0]);
    }
}
