//! Argo Rollouts owns the canary's weights: what others write it writes back.

use super::{
    Scenario,
    build::{canary, split, v2, well},
    guide,
};
use crate::{
    api::ObjectStore,
    run::Look,
    story::{Ends, Event, Goal, Harm, Hint, Move, Play, Step, Story},
    world::{
        Manifests, hands,
        manifest::{Deployed, deployment, namespace},
    },
};
use jiff::SignedDuration;
use naru_domain::object::{Key, Kind, Object};
use serde_json::{Value, json};
use std::sync::Arc;

const OWNER: &str = "rollouts-controller";

pub(super) const SCENARIO: Scenario = Scenario {
    name: "rollouts-owns",
    objects,
    demand: || guide::demand(0.0),
    story: Some(&STORY),
};

/// The Rollout itself is of no kind that is watched: what it wants stands in a ConfigMap instead.
fn objects() -> Manifests {
    let mut all = canary(90, 10);
    all.push(namespace("argo-rollouts", &json!({})));
    all.push(deployment(&Deployed {
        namespace: "argo-rollouts",
        name: "argo-rollouts",
        app: "argo-rollouts",
        version: "",
        replicas: 1,
        port: 8080,
        image: "quay.io/argoproj/argo-rollouts:v1.8.3",
    }));
    let data = json!({"weight": "10", "reverted": "0"});
    let metadata = json!({"name": "user-service-rollout", "namespace": "user-service"});
    all.push((Kind::ConfigMap, json!({"metadata": metadata, "data": data})));
    all
}

fn route() -> Key {
    Key::new(Kind::VirtualService, "user-service", "user-service-canary")
}

fn rollout() -> Key {
    Key::new(Kind::ConfigMap, "user-service", "user-service-rollout")
}

fn number(object: &Object, field: &str) -> u64 {
    object.text(&format!("/data/{field}")).parse().unwrap_or(0)
}

/// Whether the controller has a pod to run in.
fn runs(store: &ObjectStore) -> bool {
    let key = Key::new(Kind::Deployment, "argo-rollouts", "argo-rollouts");
    store
        .object(&key)
        .is_some_and(|it| it.get("/spec/replicas") != Some(&Value::from(0)))
}

/// Writes what the Rollout wants, where something else stands. Whether it did.
fn reconcile(store: &ObjectStore) -> bool {
    let Some(wanted) = store.object(&rollout()).filter(|_| runs(store)) else {
        return false;
    };
    let wanted = number(&wanted, "weight");
    let differs = |it: &Object| it.get("/spec/http/0/route/1/weight").and_then(Value::as_u64) != Some(wanted);
    store.object(&route()).is_some_and(|it| differs(&it))
        && store.edit(&route(), OWNER, |json| {
            let route = &mut json["spec"]["http"][0]["route"];
            (route[0]["weight"], route[1]["weight"]) = ((100 - wanted).into(), wanted.into());
        })
}

/// The controller takes the route for its own, and looks at it again 20 seconds after each change.
fn own(store: &ObjectStore) {
    store.edit(&route(), OWNER, |json| {
        json["metadata"]["annotations"]["rollouts.argoproj.io/managed-by"] = "user-service".into();
    });
    store.on_change(Arc::new(|store, key| {
        if *key == route() {
            store.later(store.now() + SignedDuration::from_secs(20), |store| {
                if reconcile(store) {
                    store.edit(&rollout(), OWNER, |json| {
                        let reverted = json["data"]["reverted"]
                            .as_str()
                            .and_then(|it| it.parse::<u32>().ok());
                        json["data"]["reverted"] = (reverted.unwrap_or(0) + 1).to_string().into();
                    });
                }
            });
        }
    }));
}

/// The Rollout goes to another of its steps.
fn set(store: &ObjectStore, weight: &str) {
    store.edit(&rollout(), "kubectl-argo-rollouts", |json| {
        json["data"]["weight"] = weight.into();
    });
    reconcile(store);
}

fn promote(store: &ObjectStore) {
    let now = store.object(&rollout()).map_or(0, |it| number(&it, "weight"));
    set(
        store,
        if now < 10 {
            "10"
        } else if now < 25 {
            "25"
        } else {
            "50"
        },
    );
}

fn reverted(look: &Look<'_>) -> u64 {
    let rollout = look.object(Kind::ConfigMap, "user-service", "user-service-rollout");
    rollout.map_or(0, |it| number(it, "reverted"))
}

fn wanted(look: &Look<'_>) -> u64 {
    let rollout = look.object(Kind::ConfigMap, "user-service", "user-service-rollout");
    rollout.map_or(0, |it| number(it, "weight"))
}

fn silent(look: &Look<'_>) -> bool {
    look.pods("argo-rollouts", "argo-rollouts").all == 0
}

const STORY: Story = Story {
    starts: "2026-11-26T03:05:00Z",
    minutes: 40,
    goals: &[
        Goal::now("owners-step", |it| wanted(it) == 50 && v2(it) == 50),
        Goal::now("half", |it| v2(it) == 50 && well(it)).held(240),
    ],
    harms: &[
        Harm {
            name: "fought",
            done: |it| reverted(it) >= 3,
        },
        Harm {
            name: "owner-silenced",
            done: |it| it.seconds() > 1 && silent(it),
        },
    ],
    events: &[Event {
        name: "own",
        at_s: 0,
        does: own,
    }],
    hints: &[
        Hint {
            name: "reverted",
            when: |it| reverted(it) > 0,
        },
        Hint {
            name: "who-writes",
            when: |it| wanted(it) == 10,
        },
        Hint {
            name: "next-step",
            when: |it| wanted(it) < 50,
        },
        Hint {
            name: "hold",
            when: |_| true,
        },
    ],
    moves: &[
        Move {
            name: "silence",
            command: "kubectl scale -n argo-rollouts deployment/argo-rollouts --replicas=0",
            offered: |it| !silent(it),
            does: |it| hands::scale(it, "argo-rollouts", "argo-rollouts", 0),
        },
        Move {
            name: "promote",
            command: "kubectl argo rollouts promote -n user-service user-service",
            offered: |it| wanted(it) < 50,
            does: promote,
        },
        Move {
            name: "abort",
            command: "kubectl argo rollouts abort -n user-service user-service",
            offered: |it| wanted(it) > 0,
            does: |it| set(it, "0"),
        },
    ],
    plays: &[
        Play {
            name: "through-the-owner",
            steps: &[(60, Step::Move("promote")), (240, Step::Move("promote"))],
            ends: Ends::Won,
        },
        Play {
            name: "once-by-hand",
            steps: &[
                (30, split(&[50, 50])),
                (120, Step::Move("promote")),
                (300, Step::Move("promote")),
            ],
            ends: Ends::Won,
        },
        Play {
            name: "thrice-by-hand",
            steps: &[
                (30, split(&[50, 50])),
                (90, split(&[50, 50])),
                (150, split(&[50, 50])),
            ],
            ends: Ends::Lost("fought"),
        },
        Play {
            name: "silenced",
            steps: &[(30, Step::Move("silence"))],
            ends: Ends::Lost("owner-silenced"),
        },
    ],
    away: &[],
};
