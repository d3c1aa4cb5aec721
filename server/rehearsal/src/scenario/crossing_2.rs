//! Phase 2 of the guide: one workload after the other gets its sidecar.

use super::{
    Scenario,
    before::at_the_edge,
    build::{phase_1, rolling, well},
    not_restarted::{
        ANNOTATE, AT_ONCE, DELETE_PODS, RESTART_ALL, RESTART_GATEWAY, RESTART_PRODUCT, RESTART_V1,
        RESTART_V2, USERS, crossed,
    },
};
use crate::{
    run::Look,
    story::{Ends, Goal, Hint, Move, Play, Step, Story},
    world::{
        hands::{self, apply},
        manifest::object,
    },
};
use naru_domain::object::Kind;
use serde_json::json;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "crossing-2",
    objects: phase_1,
    demand: at_the_edge,
    story: Some(&STORY),
};

fn gateway(look: &Look<'_>) -> bool {
    look.pods("default", "sangsang-plus-gateway").in_mesh()
}

fn users(look: &Look<'_>) -> bool {
    let of = |name| look.pods("user-service", name).in_mesh();
    of("user-service-v1") && of("user-service-v2")
}

fn product(look: &Look<'_>) -> bool {
    look.pods("product-service", "product-service").in_mesh()
}

macro_rules! label {
    ($name:literal, $namespace:literal) => {
        Move {
            name: $name,
            command: concat!("kubectl label namespace ", $namespace, " istio-injection=enabled"),
            offered: |it| !it.injecting($namespace),
            does: |it| hands::inject(it, $namespace),
        }
    };
}

const STORY: Story = Story {
    starts: "2026-11-24T01:30:00Z",
    minutes: 45,
    goals: &[
        Goal::now("gateway", gateway),
        Goal::now("users", users),
        Goal::now("product", product),
        Goal::now("soaked", |it| crossed(it) && well(it)).held(180),
    ],
    harms: &[USERS, AT_ONCE],
    events: &[],
    hints: &[
        Hint {
            name: "wait",
            when: |it| rolling(it) > 0,
        },
        Hint {
            name: "label",
            when: |it| !it.injecting("default"),
        },
        Hint {
            name: "restart",
            when: |it| !gateway(it),
        },
        Hint {
            name: "soak",
            when: |it| !it.well("people", 60, 0.99),
        },
        Hint {
            name: "next",
            when: |it| !crossed(it),
        },
        Hint {
            name: "hold",
            when: |_| true,
        },
    ],
    moves: &[
        RESTART_ALL,
        label!("label-product", "product-service"),
        RESTART_V2,
        ANNOTATE,
        RESTART_GATEWAY,
        label!("label-user", "user-service"),
        Move {
            name: "small-pool",
            command: "kubectl apply -n default -f destination-rule-with-pool-of-10.yaml",
            offered: |it| {
                it.object(Kind::DestinationRule, "default", "gateway-destination")
                    .is_none()
            },
            does: |it| {
                let pool = json!({"tcp": {"maxConnections": 10}, "http": {"http1MaxPendingRequests": 10, "maxRequestsPerConnection": 2}});
                let spec = json!({"host": "sangsang-plus-gateway",
                    "trafficPolicy": {"connectionPool": pool, "loadBalancer": {"simple": "LEAST_CONN"}}});
                apply(
                    it,
                    object(Kind::DestinationRule, "default", "gateway-destination", &spec),
                );
            },
        },
        DELETE_PODS,
        label!("label-default", "default"),
        RESTART_PRODUCT,
        RESTART_V1,
    ],
    plays: &[
        Play {
            name: "one-after-the-other",
            steps: &[
                (30, Step::Move("label-default")),
                (60, Step::Move("restart-gateway")),
                (240, Step::Move("label-user")),
                (260, Step::Move("restart-user-v1")),
                (420, Step::Move("restart-user-v2")),
                (540, Step::Move("label-product")),
                (560, Step::Move("restart-product")),
            ],
            ends: Ends::Won,
        },
        Play {
            name: "all-at-once",
            steps: &[
                (30, Step::Move("label-default")),
                (40, Step::Move("label-user")),
                (50, Step::Move("label-product")),
                (60, Step::Move("restart-all")),
            ],
            ends: Ends::Lost("rolled-at-once"),
        },
        Play {
            name: "pods-deleted",
            steps: &[(30, Step::Move("label-product")), (60, Step::Move("delete-pods"))],
            ends: Ends::Lost("users-harmed"),
        },
        Play {
            name: "labels-only",
            steps: &[
                (30, Step::Move("label-default")),
                (40, Step::Move("label-user")),
                (50, Step::Move("label-product")),
            ],
            ends: Ends::Lost("too-late"),
        },
        Play {
            name: "annotation",
            steps: &[(30, Step::Move("annotate")), (60, Step::Move("restart-user-v1"))],
            ends: Ends::Lost("too-late"),
        },
    ],
    away: &[],
};
