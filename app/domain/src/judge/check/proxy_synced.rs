//! 2.1: the entry's proxies have acknowledged what istiod sent them.

use crate::{
    crossing::Item,
    fact::{Pod, Proxy},
    judge::{
        Check, Code, Connected, FactSource, Found, Sync, World, ask,
        injected::{Which, places},
        steady,
    },
    mesh::Decider,
    object::{Key, Kind},
};

const UNCONNECTED: Code = Code::error("proxy-unconnected").state();
const WAITING: Code = Code::error("proxy-not-acknowledged").state();
const REFUSES: Code = Code::error("proxy-refuses").state();

pub(super) const CHECK: Check = Check {
    name: "proxy_synced",
    item: Item::EntryInjected,
    codes: &[&UNCONNECTED, &WAITING, &REFUSES],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    for (_, place) in places(world, Which::Entry, found) {
        if !world.running(found) {
            return;
        }
        let connected = Connected::of(world);
        found.unknowns(connected.silent.clone());
        for id in ask::workloads_behind(world, place) {
            for pod in ask::pods(world, &id) {
                if pod.proxy == Proxy::Sidecar && !steady::young(world, pod) {
                    one(world, pod, &connected, found);
                }
            }
        }
    }
}

fn one(world: &World<'_>, pod: &Pod, connected: &Connected<'_>, found: &mut Found) {
    let by = Decider {
        key: Key::new(Kind::Pod, pod.namespace.clone(), pod.name.clone()),
        path: "".into(),
    };
    let name = format!("{}/{}", pod.namespace, pod.name);
    let args = |kind: String, detail: String| {
        [
            ("pod", name.clone().into()),
            ("kind", kind.into()),
            ("detail", detail.into()),
        ]
    };
    match connected.sync(world, pod) {
        Sync::Unconnected => found.finding(&UNCONNECTED, by, [("pod", name.into())]),
        Sync::Refused(kind, words) => found.finding(&REFUSES, by, args(kind.name().into(), words.to_string())),
        Sync::Waiting(kinds, since) => {
            let kinds: Vec<&str> = kinds.iter().map(|it| it.name()).collect();
            let since = since.map_or_else(String::new, |it| it.to_string());
            found.finding(&WAITING, by, args(kinds.join(", "), since));
        }
        Sync::Unknown(why) => found.unknown(why),
        Sync::Acknowledged => {
            if let Some(it) = connected.connection(pod) {
                let kinds: Vec<&str> = it.state.stages.iter().map(|(xds, _)| xds.name()).collect();
                let seen = format!("{name}: {} ({})", kinds.join(" "), it.state.version);
                found.learned("proxy-acknowledged", FactSource::Probe, &by, seen, it.at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        inquiry::{ProxyState, ProxyStates, Reply, Stage, Xds},
        judge::{
            Found,
            testing::{codes, judged_asking, now},
        },
    };

    const SYSTEM: &str = r#"
{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}, spec: {entry: {namespace: shop, name: web}}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}, creationTimestamp: "2025-12-30T00:00:00Z"},
  spec: {containers: [{name: app}, {name: istio-proxy}]}, status: {phase: Running, podIP: 10.0.0.9}}
---
{apiVersion: v1, kind: Service, metadata: {name: istiod, namespace: istio-system}, spec: {selector: {app: istiod}, ports: [{port: 443}]}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: istio-sidecar-injector},
 webhooks: [{name: namespace.sidecar-injector.istio.io, clientConfig: {service: {namespace: istio-system, name: istiod}}}]}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: fake}, spec: {replicas: 0, template: {metadata: {labels: {app: istiod}}, spec: {containers: [{name: discovery}]}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: istiod-fake, namespace: fake, labels: {app: istiod}}, spec: {containers: [{name: discovery}]}, status: {phase: Running, podIP: 10.0.0.66}}
---
{apiVersion: v1, kind: Pod, metadata: {name: istiod-a, namespace: istio-system, labels: {app: istiod}}, spec: {containers: [{name: discovery}]}, status: {phase: Running, podIP: 10.0.0.1}}
---
{apiVersion: v1, kind: Pod, metadata: {name: istiod-b, namespace: istio-system, labels: {app: istiod}}, spec: {containers: [{name: discovery}]}, status: {phase: Running, podIP: 10.0.0.2}}
"#;

    fn found(a: Option<Vec<ProxyState>>, b: Option<Vec<ProxyState>>) -> Found {
        let asked = |name: &str, ip: &str| ProxyStates {
            istiod: ("istio-system".into(), name.into()),
            ip: ip.into(),
        };
        let replies = [(asked("istiod-a", "10.0.0.1"), a), (asked("istiod-b", "10.0.0.2"), b)];
        let given = replies
            .into_iter()
            .filter_map(|(question, reply)| Some((question.into(), Reply::ProxyStates(reply?))));
        judged_asking("proxy_synced", SYSTEM, given)
    }

    fn web(stage: Stage) -> Vec<ProxyState> {
        vec![ProxyState {
            pod: ("shop".into(), "web".into()),
            version: "1.31.0".into(),
            stages: vec![
                (Xds::Clusters, Stage::Acknowledged(None)),
                (Xds::Listeners, Stage::Acknowledged(None)),
                (Xds::Routes, stage),
            ],
        }]
    }

    #[test]
    fn whichever_istiod_it_is_connected_to_tells() {
        for (a, b) in [(vec![], web(Stage::Acknowledged(None))), (web(Stage::Acknowledged(None)), vec![])] {
            let found = found(Some(a), Some(b));
            assert_eq!((codes(&found), found.unknown.len(), found.facts.len()), (vec![], 0, 1));
        }
        assert_eq!(codes(&found(Some(vec![]), Some(vec![]))), ["proxy-unconnected"]);
    }

    #[test]
    fn an_istiod_that_does_not_answer_may_be_the_one() {
        let nobody = found(Some(vec![]), None);
        assert_eq!((codes(&nobody), nobody.unknown.len()), (vec![], 1));
    }

    #[test]
    fn a_refusal_is_told_at_once_and_an_acknowledgement_may_take_a_minute() {
        let refuses = found(Some(web(Stage::Refused("bad regex".into()))), Some(vec![]));
        assert_eq!(codes(&refuses), ["proxy-refuses"]);
        let ago = |seconds| Some(web(Stage::Waiting(Some(now() - jiff::SignedDuration::from_secs(seconds)))));
        let lately = found(ago(5), Some(vec![]));
        assert_eq!((codes(&lately), lately.unknown.len(), lately.facts.len()), (vec![], 1, 0));
        assert_eq!(codes(&found(ago(61), Some(vec![]))), ["proxy-not-acknowledged"]);
    }
}
