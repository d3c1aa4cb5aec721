//! 1.1: what only the running control plane tells: how long its certificate authority lives, whether proxies refuse what it sends, and whether its
//! webhooks answer a trial. They are asked by dry runs: a webhook that is configured and does not answer shows nowhere else until it hurts.

use crate::{
    Name, Timestamp, Why,
    crossing::Item,
    inquiry::{ControlPlane, Injection, Trial, Validation},
    judge::{Check, Code, FactSource, Found, World, control_plane::{self, istiods, revisions}},
    mesh::Decider,
    object::{Key, Kind, Object},
};

const ROOT_ENDS: Code = Code::error("ca-near-its-end");
const REFUSED: Code = Code::error("proxies-refuse-configuration").state();
const NO_INJECTION: Code = Code::error("injector-does-not-inject");
const INJECTOR_FAILS: Code = Code::error("injector-does-not-answer").state();
const NO_VALIDATION: Code = Code::error("validator-lets-through");
const VALIDATOR_FAILS: Code = Code::error("validator-does-not-answer").state();

/// A root certificate that ends sooner leaves no time to move a mesh to the next: every proxy must trust both for a while (Istio documentation,
/// "Plug in CA Certificates").
const DAYS: i64 = 30;

pub(super) const CHECK: Check = Check {
    name: "control_plane_observed",
    item: Item::Installed,
    codes: &[
        &ROOT_ENDS,
        &REFUSED,
        &NO_INJECTION,
        &INJECTOR_FAILS,
        &NO_VALIDATION,
        &VALIDATOR_FAILS,
    ],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let istiods = istiods(world);
    let Some(istiod) = istiods.first() else {
        // Its absence is told where its replicas are counted.
        return found.unknown(Why::NotObserved {
            what: "istiod".into(),
        });
    };
    let by = Decider {
        key: istiod.key.clone(),
        path: "".into(),
    };
    counted(world, &by, found);
    for (revision, key) in revisions(world) {
        injects(world, revision, key, found);
    }
    validates(world, found);
}

fn counted(world: &World<'_>, by: &Decider, found: &mut Found) {
    let Some(state) = world.ask(&ControlPlane, found) else {
        return;
    };
    let (at, state) = (state.at, state.value);
    let metrics = FactSource::Metrics;
    let running = control_plane::pods(world).len();
    if state.scraped == 0 || (state.scraped as usize) < running {
        // What one of them counts, nobody else does.
        return found.unknown(Why::NotObserved {
            what: format!("istiod: pilot_xds {}/{running}", state.scraped).into(),
        });
    }
    match state.authority_ends {
        None => found.unknown(Why::NotObserved {
            what: "istiod: citadel_server_root_cert_expiry_timestamp".into(),
        }),
        Some(end) if days(world.now, end) < DAYS => {
            let args = [("end", end.to_string().into()), ("days", DAYS.to_string().into())];
            found.finding(&ROOT_ENDS, by.clone(), args);
        }
        Some(end) => found.learned("ca-ends", metrics, by, end.to_string(), at),
    }
    if state.refused >= 1.0 {
        let count = format!("{:.0}", state.refused);
        found.finding(&REFUSED, by.clone(), [("count", count.into())]);
    } else {
        let seen = format!("0 · {}", state.connected);
        found.learned("configuration-refused", metrics, by, seen, at);
    }
}

fn days(now: Timestamp, end: Timestamp) -> i64 {
    end.duration_since(now).as_hours() / 24
}

fn injects(world: &World<'_>, revision: Name, key: Key, found: &mut Found) {
    let by = Decider {
        key,
        path: "/webhooks".into(),
    };
    let named = if revision.is_empty() { "default".into() } else { revision.clone() };
    let Some(trial) = world.ask(&Injection { revision }, found) else {
        return;
    };
    match trial.value {
        Trial::AsMeant(proxy) => {
            let seen = format!("{named}: {}", proxy.image);
            found.learned("injection-tried", FactSource::Probe, &by, seen, trial.at);
        }
        Trial::Passed => found.finding(&NO_INJECTION, by, [("revision", (*named).into())]),
        Trial::Failed(detail) => {
            let args = [("revision", (*named).into()), ("detail", (**detail).into())];
            found.finding(&INJECTOR_FAILS, by, args);
        }
    }
}

fn validates(world: &World<'_>, found: &mut Found) {
    let configurations = world.objects.of_kind(Kind::ValidatingWebhookConfiguration);
    let first = configurations.map(Object::key).find(|it| it.name.starts_with("istio"));
    let by = Decider {
        key: first.cloned().unwrap_or_else(|| Key::new(Kind::ValidatingWebhookConfiguration, "", "istio")),
        path: "/webhooks".into(),
    };
    let Some(trial) = world.ask(&Validation, found) else {
        return;
    };
    match trial.value {
        Trial::AsMeant(words) => {
            found.learned("validation-tried", FactSource::Probe, &by, words.clone(), trial.at);
        }
        Trial::Passed => found.finding(&NO_VALIDATION, by, []),
        Trial::Failed(detail) => found.finding(&VALIDATOR_FAILS, by, [("detail", (**detail).into())]),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Name, Timestamp,
        inquiry::{ControlPlane, ControlPlaneState, Injected, Injection, Reply, Trial, Validation},
        judge::testing::{codes, judged_asking, now},
    };

    const ISTIOD: &str = r#"
{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: istio-system}, spec: {template: {metadata: {labels: {app: istiod}}, spec: {containers: [{name: discovery}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: istiod, namespace: istio-system}, spec: {ports: [{port: 443}]}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: istio-sidecar-injector, labels: {istio.io/rev: default}},
 webhooks: [{name: namespace.sidecar-injector.istio.io, clientConfig: {service: {namespace: istio-system, name: istiod}}}]}
"#;

    fn found(
        state: ControlPlaneState,
        injected: Trial<Injected>,
        validated: Trial<Name>,
    ) -> (Vec<&'static str>, usize, usize) {
        let revision = "".into();
        let replies = [
            (ControlPlane.into(), Reply::ControlPlane(state)),
            (Injection { revision }.into(), Reply::Injection(injected)),
            (Validation.into(), Reply::Validation(validated)),
        ];
        let found = judged_asking("control_plane_observed", ISTIOD, replies);
        (codes(&found), found.facts.len(), found.unknown.len())
    }

    fn well() -> ControlPlaneState {
        ControlPlaneState {
            scraped: 2,
            authority_ends: Some("2036-01-01T00:00:00Z".parse::<Timestamp>().unwrap()),
            refused: 0.0,
            connected: 5,
        }
    }

    fn meant<T: Default>() -> Trial<T> {
        Trial::AsMeant(T::default())
    }

    #[test]
    fn everything_must_have_been_seen() {
        assert_eq!(found(well(), meant(), meant()), (vec![], 4, 0));
        let unseen = ControlPlaneState {
            authority_ends: None,
            ..well()
        };
        assert_eq!(found(unseen, meant(), meant()), (vec![], 3, 1));
        assert_eq!(found(ControlPlaneState::default(), meant(), meant()), (vec![], 2, 1));
        let nothing = judged_asking("control_plane_observed", ISTIOD, []);
        assert_eq!((codes(&nothing), nothing.unknown.len()), (vec![], 2));
    }

    #[test]
    fn each_thing_that_is_wrong_is_told() {
        let ends = ControlPlaneState {
            authority_ends: Some(now() + jiff::SignedDuration::from_hours(24 * 29)),
            ..well()
        };
        assert_eq!(found(ends, meant(), meant()).0, ["ca-near-its-end"]);
        let refuses = ControlPlaneState {
            refused: 1.2,
            ..well()
        };
        assert_eq!(found(refuses, meant(), meant()).0, ["proxies-refuse-configuration"]);
        fn failed<T>() -> Trial<T> {
            Trial::Failed("connection refused".into())
        }
        for (injected, validated, code) in [
            (Trial::Passed, meant(), "injector-does-not-inject"),
            (failed(), meant(), "injector-does-not-answer"),
            (meant(), Trial::Passed, "validator-lets-through"),
            (meant(), failed(), "validator-does-not-answer"),
        ] {
            assert_eq!(found(well(), injected, validated).0, [code]);
        }
    }
}
