//! A canary whose new version is well at 5 % and fails from 10 % on: its pool of database connections is too small.

use super::{
    Scenario,
    build::{canary, released, split, v2, weight, well},
    guide,
};
use crate::{
    run::Look,
    story::{Ends, Goal, Harm, Hint, Move, Play, Step, Story},
    traffic::{Demand, Turn, Work},
    world::hands,
};
use naru_domain::object::Kind;

const USER: &str = "user-service";
const V2: &str = "user-service-v2";
const AT_V2: &str = "user-service/user-service-v2";

pub(super) const SCENARIO: Scenario = Scenario {
    name: "canary-fails",
    objects: || canary(100, 0),
    demand,
    story: Some(&STORY),
};

/// What is more than the pool carries waits for a connection until it fails.
fn demand() -> Demand {
    let mut demand = guide::demand(0.0);
    let usual = demand.works[&(USER.into(), V2.into())].clone();
    let failing = |failing, when| Turn {
        workload: (USER, V2),
        when,
        work: Work {
            failing,
            ms: 900.0,
            ..usual.clone()
        },
    };
    demand.turns = vec![
        Turn {
            workload: (USER, V2),
            when: |_, _| true,
            work: usual.clone(),
        },
        failing(0.3, |it, _| weight(it) >= 10 && !released(it, "2.0.1")),
        failing(0.7, |it, _| weight(it) >= 25 && !released(it, "2.0.1")),
        failing(0.9, |it, _| weight(it) >= 50 && !released(it, "2.0.1")),
    ];
    demand
}

fn seen(look: &Look<'_>) -> bool {
    look.faulty(AT_V2) >= 10
}

const STORY: Story = Story {
    starts: "2026-11-23T02:13:00Z",
    minutes: 60,
    goals: &[
        Goal::once("found", |it| seen(it) && v2(it) == 0),
        Goal::once("mended", |it| it.met("found") && released(it.objects, "2.0.1")),
        Goal::now("half", |it| {
            v2(it) == 50 && it.met("mended") && well(it) && it.answered("sangsang-plus-gateway", V2, 60) > 300
        })
        .held(180),
    ],
    harms: &[Harm {
        name: "users-harmed",
        done: |it| it.wronged() + it.faulty(AT_V2) >= 300,
    }],
    events: &[],
    hints: &[
        Hint {
            name: "step-back",
            when: |it| seen(it) && v2(it) > 0 && !it.met("mended"),
        },
        Hint {
            name: "mend",
            when: |it| it.met("found") && !it.met("mended"),
        },
        Hint {
            name: "go-on",
            when: |it| it.met("mended"),
        },
        Hint {
            name: "small-step",
            when: |it| v2(it) == 0,
        },
        Hint {
            name: "compare",
            when: |_| true,
        },
    ],
    moves: &[
        Move {
            name: "restart",
            command: "kubectl rollout restart -n user-service deployment/user-service-v2",
            offered: |it| !it.rolling(USER, V2),
            does: |it| hands::restart(it, USER, V2),
        },
        Move {
            name: "remove-subsets",
            command: "kubectl delete -n user-service destinationrule/user-service",
            offered: |it| it.object(Kind::DestinationRule, USER, USER).is_some(),
            does: |it| hands::delete(it, Kind::DestinationRule, USER, USER),
        },
        Move {
            name: "mend",
            command: "kubectl set image -n user-service deployment/user-service-v2 user-service=registry.local/user-service:2.0.1",
            offered: |it| it.met("found") && !it.did("mend"),
            does: |it| hands::release(it, USER, V2, "registry.local/user-service:2.0.1", "2.0.1"),
        },
        Move {
            name: "scale",
            command: "kubectl scale -n user-service deployment/user-service-v2 --replicas=3",
            offered: |it| it.pods(USER, V2).all == 1,
            does: |it| hands::scale(it, USER, V2, 3),
        },
    ],
    plays: &[
        Play {
            name: "by-steps",
            steps: &[
                (30, split(&[95, 5])),
                (210, split(&[90, 10])),
                (270, split(&[100, 0])),
                (330, Step::Move("mend")),
                (420, split(&[90, 10])),
                (600, split(&[50, 50])),
            ],
            ends: Ends::Won,
        },
        Play {
            name: "straight-to-half",
            steps: &[(30, split(&[50, 50]))],
            ends: Ends::Lost("users-harmed"),
        },
        Play {
            name: "stays-at-ten",
            steps: &[(30, split(&[90, 10]))],
            ends: Ends::Lost("users-harmed"),
        },
        Play {
            name: "restarts-and-scales",
            steps: &[
                (30, split(&[90, 10])),
                (90, Step::Move("restart")),
                (150, Step::Move("scale")),
            ],
            ends: Ends::Lost("users-harmed"),
        },
        Play {
            name: "subsets-first",
            steps: &[(30, split(&[90, 10])), (60, Step::Move("remove-subsets"))],
            ends: Ends::Lost("users-harmed"),
        },
    ],
    away: &[],
};
