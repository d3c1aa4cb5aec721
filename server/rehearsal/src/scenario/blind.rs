//! Prometheus is away for ten minutes in the middle of a canary, and the new version cannot yet carry more than it does.

use super::{
    Scenario,
    build::{canary, split, v2, well},
    guide,
};
use crate::{
    story::{Ends, Goal, Harm, Hint, Move, Play, Step, Story},
    traffic::{Demand, Turn, Work},
    world::hands,
};

const V2: &str = "user-service-v2";
const AT_V2: &str = "user-service/user-service-v2";

/// From when to when Prometheus is away.
const AWAY: (i64, i64) = (120, 720);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "blind",
    objects: || canary(90, 10),
    demand,
    story: Some(&STORY),
};

/// v2 fills its cache for the first quarter of an hour, and the database bears little of what it asks until then.
fn demand() -> Demand {
    let mut demand = guide::demand(0.0);
    let usual = demand.works[&("user-service".into(), V2.into())].clone();
    let turn = |work, when| Turn {
        workload: ("user-service", V2),
        when,
        work,
    };
    let cold = Work {
        capacity: Some(4.0),
        ..usual.clone()
    };
    demand.turns = vec![
        turn(usual, |_, _| true),
        turn(cold, |_, second| second < AWAY.1 + 15),
    ];
    demand
}

const STORY: Story = Story {
    starts: "2026-11-25T02:40:00Z",
    minutes: 45,
    goals: &[
        Goal::once("held", |it| v2(it) == 10 && it.seconds() >= AWAY.0).held(AWAY.1 - AWAY.0),
        Goal::now("half", |it| {
            v2(it) == 50 && it.met("held") && well(it) && it.answered("sangsang-plus-gateway", V2, 60) > 300
        })
        .held(180),
    ],
    harms: &[Harm {
        name: "users-harmed",
        done: |it| it.wronged() + it.faulty(AT_V2) >= 200,
    }],
    events: &[],
    hints: &[
        Hint {
            name: "put-back",
            when: |it| v2(it) > 10 && it.seconds() < AWAY.1,
        },
        Hint {
            name: "hold",
            when: |it| it.seconds() >= AWAY.0 && it.seconds() < AWAY.1,
        },
        Hint {
            name: "look-again",
            when: |it| it.seconds() >= AWAY.1 && it.seconds() < AWAY.1 + 60,
        },
        Hint {
            name: "go-on",
            when: |it| it.seconds() >= AWAY.1,
        },
        Hint {
            name: "wait",
            when: |_| true,
        },
    ],
    moves: &[
        Move {
            name: "restart-prometheus",
            command: "kubectl rollout restart -n istio-system deployment/prometheus",
            offered: |it| !it.did("restart-prometheus"),
            does: |it| hands::restart(it, "istio-system", "prometheus"),
        },
        Move {
            name: "read-proxy",
            command: "kubectl exec -n default deployment/sangsang-plus-gateway -c istio-proxy -- pilot-agent request GET stats/prometheus",
            offered: |_| true,
            does: |_| {},
        },
    ],
    plays: &[
        Play {
            name: "holds",
            steps: &[(800, split(&[75, 25])), (1_000, split(&[50, 50]))],
            ends: Ends::Won,
        },
        Play {
            name: "goes-on-blind",
            steps: &[(180, split(&[50, 50]))],
            ends: Ends::Lost("users-harmed"),
        },
        Play {
            name: "restarts-prometheus-and-goes-on",
            steps: &[(200, Step::Move("restart-prometheus")), (320, split(&[75, 25]))],
            ends: Ends::Lost("users-harmed"),
        },
    ],
    away: &[AWAY],
};
