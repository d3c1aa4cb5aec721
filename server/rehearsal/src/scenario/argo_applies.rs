//! The canary's route is applied from a repository by Argo CD, which heals what others set.

use super::{
    Scenario,
    build::{canary, split, v2, well},
    guide,
};
use crate::{
    api::ObjectStore,
    run::Look,
    story::{Ends, Event, Goal, Harm, Hint, Move, Play, Step, Story, TOO_LATE},
    world::{Manifests, manifest::namespace},
};
use jiff::SignedDuration;
use naru_domain::object::{Key, Kind, Object};
use serde_json::{Value, json};
use std::sync::Arc;

const ARGO_CD: &str = "argocd-controller";
const RESPECT: &str = "RespectIgnoreDifferences=true";
/// How soon Argo CD heals, and how soon it sees a commit.
const SOON: SignedDuration = SignedDuration::from_secs(20);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "argo-applies",
    objects,
    demand: || guide::demand(0.0),
    story: Some(&STORY),
};

/// The repository's own word stands in a ConfigMap.
fn objects() -> Manifests {
    let mut all = canary(90, 10);
    for (kind, json) in &mut all {
        if *kind == Kind::VirtualService && json["metadata"]["name"] == "user-service-canary" {
            let id = "shop:networking.istio.io/VirtualService:user-service/user-service-canary";
            json["metadata"]["annotations"] = json!({"argocd.argoproj.io/tracking-id": id});
        }
    }
    all.push(namespace("argocd", &json!({})));
    let metadata = json!({"name": "shop", "namespace": "argocd"});
    let automated = json!({"prune": true, "selfHeal": true});
    let spec = json!({"project": "default", "syncPolicy": {"automated": automated, "syncOptions": []}, "ignoreDifferences": []});
    all.push((Kind::Application, json!({"metadata": metadata, "spec": spec})));
    let metadata = json!({"name": "shop-repository", "namespace": "argocd"});
    let data = json!({"weight": "10", "healed": "0"});
    all.push((Kind::ConfigMap, json!({"metadata": metadata, "data": data})));
    all
}

fn route() -> Key {
    Key::new(Kind::VirtualService, "user-service", "user-service-canary")
}

fn application() -> Key {
    Key::new(Kind::Application, "argocd", "shop")
}

fn repository() -> Key {
    Key::new(Kind::ConfigMap, "argocd", "shop-repository")
}

fn number(object: &Object, field: &str) -> u64 {
    object.text(&format!("/data/{field}")).parse().unwrap_or(0)
}

fn ignores(application: &Object) -> bool {
    !application.list("/spec/ignoreDifferences").is_empty()
}

fn respects(application: &Object) -> bool {
    let options = application.list("/spec/syncPolicy/syncOptions");
    options.iter().any(|it| it.as_str() == Some(RESPECT))
}

/// Writes the repository's weights, where others stand. Whether it did.
fn write(store: &ObjectStore) -> bool {
    let Some(wanted) = store.object(&repository()).map(|it| number(&it, "weight")) else {
        return false;
    };
    let differs = |it: &Object| it.get("/spec/http/0/route/1/weight").and_then(Value::as_u64) != Some(wanted);
    store.object(&route()).is_some_and(|it| differs(&it)) && set(store, ARGO_CD, wanted)
}

fn set(store: &ObjectStore, manager: &str, v2: u64) -> bool {
    store.edit(&route(), manager, |json| {
        let route = &mut json["spec"]["http"][0]["route"];
        (route[0]["weight"], route[1]["weight"]) = ((100 - v2).into(), v2.into());
    })
}

/// A sync writes all that the repository has, but for what it is to respect.
fn sync(store: &ObjectStore) {
    let kept = |it: &Object| ignores(it) && respects(it);
    if !store.object(&application()).is_some_and(|it| kept(&it)) {
        write(store);
    }
}

/// Argo CD looks at the route 20 seconds after each change, and heals it unless the difference is ignored.
fn watch(store: &ObjectStore) {
    store.on_change(Arc::new(|store, key| {
        if *key == route() {
            store.later(store.now() + SOON, |store| {
                let heals = store.object(&application()).is_some_and(|it| !ignores(&it));
                if heals && write(store) {
                    store.edit(&repository(), ARGO_CD, |json| {
                        let healed = json["data"]["healed"]
                            .as_str()
                            .and_then(|it| it.parse::<u32>().ok());
                        json["data"]["healed"] = (healed.unwrap_or(0) + 1).to_string().into();
                    });
                }
            });
        }
    }));
}

/// Weights are committed; a sync brings them.
fn commit(store: &ObjectStore, weight: &str) {
    store.edit(&repository(), "git", |json| {
        json["data"]["weight"] = weight.into()
    });
    store.later(store.now() + SOON, sync);
}

/// `spec.ignoreDifferences` with the weights.
fn ignore(store: &ObjectStore) {
    store.edit(&application(), "kubectl-edit", |json| {
        json["spec"]["ignoreDifferences"] = json!([{"group": "networking.istio.io", "kind": "VirtualService",
            "jqPathExpressions": [".spec.http[].route[].weight"]}]);
    });
}

fn respect(store: &ObjectStore) {
    store.edit(&application(), "kubectl-edit", |json| {
        json["spec"]["syncPolicy"]["syncOptions"] = json!([RESPECT]);
    });
}

fn healed(look: &Look<'_>) -> u64 {
    let repository = look.object(Kind::ConfigMap, "argocd", "shop-repository");
    repository.map_or(0, |it| number(it, "healed"))
}

fn set_up(look: &Look<'_>, how: fn(&Object) -> bool) -> bool {
    look.object(Kind::Application, "argocd", "shop").is_some_and(how)
}

const STORY: Story = Story {
    starts: "2026-11-26T06:20:00Z",
    minutes: 30,
    goals: &[Goal::now("half", |it| v2(it) == 50 && well(it)).held(600)],
    harms: &[Harm {
        name: "fought",
        done: |it| healed(it) >= 3,
    }],
    events: &[
        Event {
            name: "watch",
            at_s: 0,
            does: watch,
        },
        Event {
            name: "sync",
            at_s: 540,
            does: sync,
        },
    ],
    hints: &[
        Hint {
            name: "healed",
            when: |it| healed(it) > 0 && !set_up(it, ignores),
        },
        Hint {
            name: "respect",
            when: |it| set_up(it, ignores) && !set_up(it, respects),
        },
        Hint {
            name: "who-writes",
            when: |it| v2(it) != 50,
        },
        Hint {
            name: "hold",
            when: |_| true,
        },
    ],
    moves: &[
        Move {
            name: "by-hand",
            command: "kubectl edit -n user-service virtualservice user-service-canary  # weights: 50, 50",
            offered: |it| v2(it) != 50,
            does: |it| {
                set(it, "kubectl-edit", 50);
            },
        },
        Move {
            name: "commit",
            command: "git commit -am 'user-service: v2 50 %' && git push",
            offered: |_| true,
            does: |it| commit(it, "50"),
        },
        Move {
            name: "ignore",
            command: "kubectl edit -n argocd application shop  # spec.ignoreDifferences: .spec.http[].route[].weight",
            offered: |it| !set_up(it, ignores),
            does: ignore,
        },
        Move {
            name: "respect",
            command: "kubectl edit -n argocd application shop  # syncOptions: [RespectIgnoreDifferences=true]",
            offered: |it| !set_up(it, respects),
            does: respect,
        },
    ],
    plays: &[
        Play {
            name: "through-the-repository",
            steps: &[(60, Step::Move("commit"))],
            ends: Ends::Won,
        },
        Play {
            name: "left-to-the-cluster",
            steps: &[
                (30, Step::Move("ignore")),
                (40, Step::Move("respect")),
                (90, split(&[50, 50])),
            ],
            ends: Ends::Won,
        },
        // The difference is ignored until somebody else's commit is synced.
        Play {
            name: "ignored-alone",
            steps: &[(30, Step::Move("ignore")), (90, Step::Move("by-hand"))],
            ends: Ends::Lost(TOO_LATE),
        },
        Play {
            name: "thrice-by-hand",
            steps: &[
                (30, Step::Move("by-hand")),
                (90, Step::Move("by-hand")),
                (150, Step::Move("by-hand")),
            ],
            ends: Ends::Lost("fought"),
        },
    ],
    away: &[],
};
