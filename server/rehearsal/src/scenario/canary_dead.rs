//! A canary whose new version has no ready pod: what is sent there is answered with 503.

use super::{
    Scenario,
    build::{canary, released, split, v2, well},
    guide,
};
use crate::{
    api::ObjectStore,
    run::Look,
    story::{Ends, Event, Goal, Harm, Hint, Move, Play, Step, Story},
    traffic::Cause,
    world::{controllers, hands},
};
use naru_domain::object::{Key, Kind};
use std::sync::Arc;

const USER: &str = "user-service";
const V2: &str = "user-service-v2";

pub(super) const SCENARIO: Scenario = Scenario {
    name: "canary-dead",
    objects: || canary(100, 0),
    demand: || guide::demand(0.0),
    story: Some(&STORY),
};

/// v2's pods crash, those that come later too, until a release has what they miss.
fn crash(store: &ObjectStore) {
    for (key, _) in store.list(Kind::Pod, Some(USER)) {
        if key.name.starts_with(V2) {
            controllers::crash(store, &key);
        }
    }
    store.on_change(Arc::new(|store, key| {
        let new = key.kind == Kind::Pod && &*key.namespace == USER && key.name.starts_with(V2);
        let object = store
            .object(key)
            .filter(|it| new && it.label("release").is_none());
        let up = |it: &serde_json::Value| it["type"] == "Ready" && it["status"] == "True";
        if object.is_some_and(|it| it.list("/status/conditions").iter().any(up)) {
            controllers::crash(store, key);
        }
    }));
}

/// A pipeline that only counts the days sets its next step, unless there is one already.
fn pipeline(store: &ObjectStore) {
    let key = Key::new(Kind::VirtualService, USER, "user-service-canary");
    store.edit(&key, "nightly-pipeline", |json| {
        let route = &mut json["spec"]["http"][0]["route"];
        if route[1]["weight"] == 0 {
            (route[0]["weight"], route[1]["weight"]) = (90.into(), 10.into());
        }
    });
}

fn nobody(look: &Look<'_>) -> u64 {
    look.harmed(|it| it.cause == Cause::NoEndpoint)
}

const STORY: Story = Story {
    starts: "2026-11-24T01:40:00Z",
    minutes: 45,
    goals: &[
        Goal::once("cause", |it| it.did("read-logs")),
        Goal::now("ready", |it| {
            released(it.objects, "2.0.0-1") && it.pods(USER, V2).in_mesh()
        })
        .held(30),
        Goal::now("tenth", |it| {
            v2(it) == 10 && well(it) && it.answered("sangsang-plus-gateway", V2, 60) > 60
        })
        .held(180),
    ],
    harms: &[Harm {
        name: "sent-to-nobody",
        done: |it| nobody(it) >= 60,
    }],
    events: &[
        Event {
            name: "crash",
            at_s: 0,
            does: crash,
        },
        Event {
            name: "pipeline",
            at_s: 600,
            does: pipeline,
        },
    ],
    hints: &[
        Hint {
            name: "back-to-zero",
            when: |it| v2(it) > 0 && it.pods(USER, V2).ready == 0,
        },
        Hint {
            name: "read",
            when: |it| !it.met("cause"),
        },
        Hint {
            name: "configure",
            when: |it| !it.met("ready"),
        },
        Hint {
            name: "weigh",
            when: |_| true,
        },
    ],
    moves: &[
        Move {
            name: "restart",
            command: "kubectl rollout restart -n user-service deployment/user-service-v2",
            offered: |it| !it.did("restart"),
            does: |it| hands::restart(it, USER, V2),
        },
        Move {
            name: "scale",
            command: "kubectl scale -n user-service deployment/user-service-v2 --replicas=3",
            offered: |it| it.pods(USER, V2).all < 3,
            does: |it| hands::scale(it, USER, V2, 3),
        },
        Move {
            name: "read-logs",
            command: "kubectl logs -n user-service deployment/user-service-v2 --previous",
            offered: |it| !it.met("cause"),
            does: |_| {},
        },
        Move {
            name: "configure",
            command: "kubectl set env -n user-service deployment/user-service-v2 SPRING_DATASOURCE_URL=jdbc:postgresql://user-db:5432/users",
            offered: |it| it.met("cause") && !it.did("configure"),
            does: |it| hands::release(it, USER, V2, "registry.local/user-service:2.0.0", "2.0.0-1"),
        },
    ],
    plays: &[
        Play {
            name: "pods-before-weight",
            steps: &[
                (60, Step::Move("read-logs")),
                (120, Step::Move("configure")),
                (240, split(&[90, 10])),
            ],
            ends: Ends::Won,
        },
        Play {
            name: "surprised-by-the-pipeline",
            steps: &[
                (612, split(&[100, 0])),
                (640, Step::Move("read-logs")),
                (660, Step::Move("configure")),
                (720, split(&[90, 10])),
            ],
            ends: Ends::Won,
        },
        Play {
            name: "weight-before-pods",
            steps: &[(60, split(&[90, 10]))],
            ends: Ends::Lost("sent-to-nobody"),
        },
        Play {
            name: "more-of-the-same",
            steps: &[
                (60, Step::Move("scale")),
                (90, Step::Move("restart")),
                (180, split(&[50, 50])),
            ],
            ends: Ends::Lost("sent-to-nobody"),
        },
    ],
    away: &[],
};
