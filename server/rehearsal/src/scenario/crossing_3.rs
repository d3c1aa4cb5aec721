//! Phase 3 of the guide: a canary, then STRICT, then authorization; each in the order in which it harms nobody.

use super::{
    Scenario,
    before::at_the_edge,
    build::{phase_2, split, subsets, v2, weighted, well},
    night_job::{INJECT, LOST, PERMISSIVE, RUN, STRICT, ran},
};
use crate::{
    run::Look,
    story::{Ends, Goal, Harm, Hint, Move, Play, Step, Story},
    world::{
        hands::{apply, delete},
        manifest::object,
    },
};
use naru_domain::object::Kind;
use serde_json::{Value, json};

const USER: &str = "user-service";
const CANARY: &str = "user-service-canary";
const EDGE: &str = "cluster.local/ns/istio-system/sa/istio-ingressgateway";

pub(super) const SCENARIO: Scenario = Scenario {
    name: "crossing-3",
    objects: phase_2,
    demand: at_the_edge,
    story: Some(&STORY),
};

fn divided(look: &Look<'_>) -> bool {
    look.object(Kind::DestinationRule, USER, USER).is_some()
}

fn routed(look: &Look<'_>) -> bool {
    look.object(Kind::VirtualService, USER, CANARY).is_some()
}

/// Only Istio's gateway may call the application's.
fn policy(principal: &str) -> (Kind, Value) {
    let spec = json!({"selector": {"matchLabels": {"app": "sangsang-plus-gateway"}},
        "rules": [{"from": [{"source": {"principals": [principal]}}]}]});
    object(Kind::AuthorizationPolicy, "default", "gateway-authz", &spec)
}

fn allowed(look: &Look<'_>, principal: &str) -> bool {
    let policy = look.object(Kind::AuthorizationPolicy, "default", "gateway-authz");
    policy.is_some_and(|it| it.text("/spec/rules/0/from/0/source/principals/0") == principal)
}

const STORY: Story = Story {
    starts: "2026-11-25T02:05:00Z",
    minutes: 75,
    goals: &[
        Goal::now("subsets", divided),
        Goal::once("canary", |it| {
            v2(it) == 10 && well(it) && it.answered("sangsang-plus-gateway", "user-service-v2", 60) > 60
        })
        .held(300),
        Goal::now("strict", |it| it.strict()),
        Goal::now("job-ran", ran),
        Goal::now("authorized", |it| allowed(it, EDGE) && well(it)).held(120),
    ],
    harms: &[
        Harm {
            name: "users-harmed",
            done: |it| {
                it.harmed(|harm| &*harm.caller == "people" && harm.cause != crate::traffic::Cause::OwnFault)
                    >= 100
            },
        },
        LOST,
    ],
    events: &[],
    hints: &[
        Hint {
            name: "take-back",
            when: |it| it.wronged() > 0 && !it.well("people", 30, 0.98),
        },
        Hint {
            name: "subsets",
            when: |it| !divided(it),
        },
        Hint {
            name: "routes",
            when: |it| !routed(it),
        },
        Hint {
            name: "weigh",
            when: |it| !it.met("canary"),
        },
        Hint {
            name: "plaintext",
            when: |it| !it.injecting("batch"),
        },
        Hint {
            name: "strict",
            when: |it| !it.strict(),
        },
        Hint {
            name: "authorize",
            when: |it| !allowed(it, EDGE),
        },
        Hint {
            name: "wait",
            when: |_| true,
        },
    ],
    moves: &[
        Move {
            name: "routes",
            command: "kubectl apply -n user-service -f virtual-service-canary.yaml",
            offered: |it| !routed(it),
            does: |it| apply(it, weighted(CANARY)),
        },
        STRICT,
        Move {
            name: "authorize-guide",
            command: "kubectl apply -n default -f authorization-policy-as-in-the-guide.yaml",
            offered: |it| !allowed(it, &format!("{EDGE}-service-account")),
            does: |it| apply(it, policy(&format!("{EDGE}-service-account"))),
        },
        Move {
            name: "pool-in-default",
            command: "kubectl apply -n default -f destination-rule-user-service.yaml",
            offered: |it| it.object(Kind::DestinationRule, "default", USER).is_none(),
            does: |it| {
                let spec = json!({"host": "user-service.user-service.svc.cluster.local",
                    "trafficPolicy": {"loadBalancer": {"simple": "LEAST_REQUEST"}}});
                apply(it, object(Kind::DestinationRule, "default", USER, &spec));
            },
        },
        Move {
            name: "second-routes",
            command: "kubectl apply -n user-service -f virtual-service-second.yaml",
            offered: |it| {
                it.object(Kind::VirtualService, USER, "user-service-second")
                    .is_none()
            },
            does: |it| apply(it, weighted("user-service-second")),
        },
        Move {
            name: "subsets",
            command: "kubectl apply -n user-service -f destination-rule.yaml",
            offered: |it| !divided(it),
            does: |it| apply(it, subsets()),
        },
        INJECT,
        Move {
            name: "authorize",
            command: "kubectl apply -n default -f authorization-policy.yaml",
            offered: |it| !allowed(it, EDGE),
            does: |it| apply(it, policy(EDGE)),
        },
        RUN,
        Move {
            name: "no-authorization",
            command: "kubectl delete -n default authorizationpolicy/gateway-authz",
            offered: |it| {
                it.object(Kind::AuthorizationPolicy, "default", "gateway-authz")
                    .is_some()
            },
            does: |it| delete(it, Kind::AuthorizationPolicy, "default", "gateway-authz"),
        },
        PERMISSIVE,
    ],
    plays: &[
        Play {
            name: "in-order",
            steps: &[
                (60, Step::Move("subsets")),
                (90, Step::Move("routes")),
                (120, split(&[90, 10])),
                (700, Step::Move("inject-batch")),
                (760, Step::Move("strict")),
                (1_000, Step::Move("authorize")),
            ],
            ends: Ends::Won,
        },
        Play {
            name: "route-before-subset",
            steps: &[(60, Step::Move("routes"))],
            ends: Ends::Lost("users-harmed"),
        },
        Play {
            name: "pool-beside-the-caller",
            steps: &[
                (60, Step::Move("subsets")),
                (90, Step::Move("routes")),
                (120, split(&[90, 10])),
                (180, Step::Move("pool-in-default")),
            ],
            ends: Ends::Lost("users-harmed"),
        },
        Play {
            name: "strict-too-early",
            steps: &[
                (60, Step::Move("subsets")),
                (90, Step::Move("routes")),
                (120, split(&[90, 10])),
                (760, Step::Move("strict")),
            ],
            ends: Ends::Lost("night-job-lost"),
        },
        Play {
            name: "principal-of-the-guide",
            steps: &[(60, Step::Move("authorize-guide"))],
            ends: Ends::Lost("users-harmed"),
        },
    ],
    away: &[],
};
