//! The namespaces are labelled and their pods are older than the label: nothing is in the mesh, whatever the labels say.

use super::{
    Scenario,
    before::at_the_edge,
    build::{CROSSING, phase_1, rolling, well},
    night_job::{PERMISSIVE, STRICT},
};
use crate::{
    api::ObjectStore,
    run::Look,
    story::{Ends, Event, Goal, Harm, Hint, Move, Play, Step, Story},
    traffic::Demand,
    world::{Manifests, hands},
};
use naru_domain::object::{Key, Kind};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "not-restarted",
    objects,
    demand,
    story: Some(&STORY),
};

/// Without the job, whose night is another story.
fn objects() -> Manifests {
    let mut all = phase_1();
    all.retain(|(kind, _)| *kind != Kind::CronJob);
    all
}

fn demand() -> Demand {
    let mut demand = at_the_edge();
    demand.arrivals.truncate(1);
    demand
}

/// Somebody has labelled the namespaces after their pods were made, and gone home.
fn label(store: &ObjectStore) {
    let mut namespaces: Vec<&str> = CROSSING.iter().map(|(namespace, _)| *namespace).collect();
    namespaces.dedup();
    for namespace in namespaces {
        hands::inject(store, namespace);
    }
}

/// All four are in the mesh.
pub(super) fn crossed(look: &Look<'_>) -> bool {
    let mut all = CROSSING.iter();
    all.all(|(namespace, name)| look.pods(namespace, name).in_mesh())
}

/// Requests were lost that would not have been without the player.
pub(super) const USERS: Harm = Harm {
    name: "users-harmed",
    done: |it| it.wronged() >= 60,
};

/// More than one Deployment was being replaced at the same time.
pub(super) const AT_ONCE: Harm = Harm {
    name: "rolled-at-once",
    done: |it| rolling(it) > 1,
};

/// Sidecars come or go when a Deployment's pods are made anew.
macro_rules! restart {
    ($name:literal, $namespace:literal, $deployment:literal) => {
        Move {
            name: $name,
            command: concat!(
                "kubectl rollout restart -n ",
                $namespace,
                " deployment/",
                $deployment
            ),
            offered: |it| !it.rolling($namespace, $deployment) && !it.pods($namespace, $deployment).in_mesh(),
            does: |it| hands::restart(it, $namespace, $deployment),
        }
    };
}

pub(super) const RESTART_GATEWAY: Move = restart!("restart-gateway", "default", "sangsang-plus-gateway");
pub(super) const RESTART_V1: Move = restart!("restart-user-v1", "user-service", "user-service-v1");
pub(super) const RESTART_V2: Move = restart!("restart-user-v2", "user-service", "user-service-v2");
pub(super) const RESTART_PRODUCT: Move = restart!("restart-product", "product-service", "product-service");

/// Everything in one go.
pub(super) const RESTART_ALL: Move = Move {
    name: "restart-all",
    command: "for n in default user-service product-service; do kubectl rollout restart -n $n deployment; done",
    offered: |it| rolling(it) == 0,
    does: |it| {
        CROSSING
            .iter()
            .for_each(|(namespace, name)| hands::restart(it, namespace, name))
    },
};

/// Pods do come again, but not before they are gone.
pub(super) const DELETE_PODS: Move = Move {
    name: "delete-pods",
    command: "kubectl delete pods -n product-service -l app=product-service",
    offered: |it| !it.rolling("product-service", "product-service"),
    does: |it| hands::delete_pods(it, "product-service", "product-service"),
};

/// On the Deployment nothing reads it.
pub(super) const ANNOTATE: Move = Move {
    name: "annotate",
    command: "kubectl annotate -n user-service deployment/user-service-v1 sidecar.istio.io/inject=true",
    offered: |it| !it.did("annotate"),
    does: |it| {
        let key = Key::new(Kind::Deployment, "user-service", "user-service-v1");
        it.edit(&key, "kubectl-annotate", |json| {
            json["metadata"]["annotations"]["sidecar.istio.io/inject"] = "true".into();
        });
    },
};

const STORY: Story = Story {
    starts: "2026-11-24T02:00:00Z",
    minutes: 45,
    goals: &[
        Goal::now("in-mesh", crossed),
        Goal::now("strict", |it| it.strict() && well(it)).held(120),
    ],
    harms: &[USERS, AT_ONCE],
    events: &[Event {
        name: "labelled",
        at_s: 0,
        does: label,
    }],
    hints: &[
        Hint {
            name: "too-early",
            when: |it| it.strict() && !crossed(it),
        },
        Hint {
            name: "wait",
            when: |it| rolling(it) > 0,
        },
        Hint {
            name: "older",
            when: |it| {
                CROSSING
                    .iter()
                    .all(|(namespace, name)| it.pods(namespace, name).meshed == 0)
            },
        },
        Hint {
            name: "next",
            when: |it| !crossed(it),
        },
        Hint {
            name: "strict",
            when: |it| !it.strict(),
        },
        Hint {
            name: "hold",
            when: |_| true,
        },
    ],
    moves: &[
        RESTART_ALL,
        ANNOTATE,
        STRICT,
        RESTART_PRODUCT,
        RESTART_V2,
        DELETE_PODS,
        RESTART_GATEWAY,
        RESTART_V1,
        PERMISSIVE,
    ],
    plays: &[
        Play {
            name: "one-by-one",
            steps: &[
                (30, Step::Move("restart-gateway")),
                (150, Step::Move("restart-user-v1")),
                (300, Step::Move("restart-user-v2")),
                (420, Step::Move("restart-product")),
                (540, Step::Move("strict")),
            ],
            ends: Ends::Won,
        },
        Play {
            name: "all-at-once",
            steps: &[(30, Step::Move("restart-all"))],
            ends: Ends::Lost("rolled-at-once"),
        },
        Play {
            name: "pods-deleted",
            steps: &[(30, Step::Move("delete-pods"))],
            ends: Ends::Lost("users-harmed"),
        },
        Play {
            name: "annotation-and-strict",
            steps: &[(30, Step::Move("annotate")), (60, Step::Move("strict"))],
            ends: Ends::Lost("too-late"),
        },
        Play {
            name: "strict-half-way",
            steps: &[(30, Step::Move("restart-product")), (150, Step::Move("strict"))],
            ends: Ends::Lost("users-harmed"),
        },
    ],
    away: &[],
};
