//! A canary whose new version is well at 5 % and fails from 10 % on: its pool of database connections is too small.

use super::{
    Scenario,
    build::{canary, released, split, v2, well},
    guide,
};
use crate::{
    run::Look,
    story::{Ends, Goal, Harm, Hint, Move, Play, Step, Story},
    traffic::{Demand, Turn, Work},
    world::hands,
};
use naru_domain::{
    object::{Key, Kind},
    snapshot::Objects,
};

const USER: &str = "user-service";
const V2: &str = "user-service-v2";
const AT_V2: &str = "user-service/user-service-v2";

pub(super) const SCENARIO: Scenario = Scenario {
    name: "canary-fails",
    objects: || canary(100, 0),
    demand,
    story: Some(&STORY),
};

/// The database lets so many requests a second of this version through, however many pods share its connections; what is more waits for
/// one until it fails.
const BEARS: f64 = 1.8;

fn demand() -> Demand {
    let mut demand = guide::demand(0.0);
    let usual = demand.works[&(USER.into(), V2.into())].clone();
    let turn = |capacity, when| Turn {
        workload: (USER, V2),
        when,
        work: Work {
            capacity,
            ..usual.clone()
        },
    };
    demand.turns = vec![
        turn(Some(BEARS), |_, _| true),
        turn(Some(BEARS / 3.0), |it, _| scaled(it)),
        turn(None, |it, _| released(it, "2.0.1")),
    ];
    demand
}

/// There are three pods instead of one.
fn scaled(objects: &Objects) -> bool {
    let key = Key::new(Kind::Deployment, USER, V2);
    objects.deployments.get(&key).is_some_and(|it| it.ready > 1)
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
        done: |it| it.wronged() + it.faulty(AT_V2) >= 200,
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
