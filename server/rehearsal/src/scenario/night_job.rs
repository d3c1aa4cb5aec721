//! A job outside the mesh calls in plaintext once a night: it is found before STRICT, or it is refused.

use super::{Scenario, before::at_the_edge, build::phase_2};
use crate::{
    run::Look,
    story::{Ends, Goal, Harm, Hint, Move, Play, Step, Story},
    traffic::Cause,
    world::{
        controllers,
        hands::{self, apply, peer_authentication},
    },
};
use naru_domain::object::{Key, Kind};
use serde_json::json;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "night-job",
    objects: phase_2,
    demand: at_the_edge,
    story: Some(&STORY),
};

const JOB: &str = "price-sync";

/// Requests of the job that were refused for want of a proxy.
pub(super) fn refused(look: &Look<'_>) -> u64 {
    look.harmed(|it| &*it.caller == JOB && it.cause == Cause::Plaintext)
}

/// The job has run under STRICT, long enough to tell.
pub(super) fn ran(look: &Look<'_>) -> bool {
    look.asked_since("strict", JOB) >= 300 && refused(look) == 0
}

/// The job was refused.
pub(super) const LOST: Harm = Harm {
    name: "night-job-lost",
    done: |it| refused(it) >= 30,
};

/// `batch` gets sidecars from its next run on.
pub(super) const INJECT: Move = Move {
    name: "inject-batch",
    command: "kubectl label namespace batch istio-injection=enabled",
    offered: |it| !it.injecting("batch"),
    does: |it| hands::inject(it, "batch"),
};

/// STRICT for all.
pub(super) const STRICT: Move = Move {
    name: "strict",
    command: "kubectl apply -n istio-system -f peer-authentication-strict.yaml",
    offered: |it| !it.strict(),
    does: |it| peer_authentication(it, "istio-system", "STRICT"),
};

/// Back again.
pub(super) const PERMISSIVE: Move = Move {
    name: "permissive",
    command: "kubectl apply -n istio-system -f peer-authentication-permissive.yaml",
    offered: |it| it.strict(),
    does: |it| peer_authentication(it, "istio-system", "PERMISSIVE"),
};

/// The job runs out of its turn.
pub(super) const RUN: Move = Move {
    name: "run-job",
    command: "kubectl create job -n batch --from=cronjob/price-sync price-sync-$(($(date +%s) / 60))",
    offered: |it| it.pods("batch", JOB).ready == 0,
    does: |it| controllers::run_job(it, &Key::new(Kind::CronJob, "batch", JOB)),
};

const STORY: Story = Story {
    starts: "2026-11-23T02:13:00Z",
    minutes: 50,
    goals: &[Goal::now("strict", |it| it.strict()), Goal::now("job-ran", ran)],
    harms: &[
        LOST,
        Harm {
            name: "job-suspended",
            done: |it| it.did("suspend-job") && it.seconds() >= 19 * 60 && it.asked(JOB) == 0,
        },
    ],
    events: &[],
    hints: &[
        Hint {
            name: "refused",
            when: |it| refused(it) > 0,
        },
        Hint {
            name: "before",
            when: |it| !it.injecting("batch") && !it.did("exempt") && it.asked(JOB) == 0,
        },
        Hint {
            name: "seen",
            when: |it| !it.injecting("batch") && !it.did("exempt"),
        },
        Hint {
            name: "strict",
            when: |it| !it.strict(),
        },
        Hint {
            name: "wait",
            when: |_| true,
        },
    ],
    moves: &[
        STRICT,
        Move {
            name: "strict-here",
            command: "kubectl apply -n default -f peer-authentication-strict.yaml",
            offered: |it| {
                it.object(Kind::PeerAuthentication, "default", "default")
                    .is_none()
            },
            does: |it| peer_authentication(it, "default", "STRICT"),
        },
        Move {
            name: "annotate-batch",
            command: "kubectl annotate namespace batch sidecar.istio.io/inject=true",
            offered: |it| !it.did("annotate-batch"),
            does: |it| {
                it.edit(
                    &Key::new(Kind::Namespace, "", "batch"),
                    "kubectl-annotate",
                    |json| {
                        json["metadata"]["annotations"]["sidecar.istio.io/inject"] = "true".into();
                    },
                );
            },
        },
        INJECT,
        Move {
            name: "exempt",
            command: "kubectl apply -n product-service -f peer-authentication-product-service-permissive.yaml",
            offered: |it| {
                it.object(Kind::PeerAuthentication, "product-service", "product-service")
                    .is_none()
            },
            does: |it| {
                let spec = json!({"selector": {"matchLabels": {"app": "product-service"}}, "mtls": {"mode": "PERMISSIVE"}});
                let metadata = json!({"name": "product-service", "namespace": "product-service"});
                apply(
                    it,
                    (
                        Kind::PeerAuthentication,
                        json!({"metadata": metadata, "spec": spec}),
                    ),
                );
            },
        },
        Move {
            name: "suspend-job",
            command: "kubectl patch cronjob -n batch price-sync -p '{\"spec\":{\"suspend\":true}}'",
            offered: |it| !it.did("suspend-job"),
            does: |it| {
                it.edit(&Key::new(Kind::CronJob, "batch", JOB), "kubectl-patch", |json| {
                    json["spec"]["suspend"] = true.into();
                });
            },
        },
        RUN,
        PERMISSIVE,
    ],
    plays: &[
        Play {
            name: "inject-first",
            steps: &[(60, Step::Move("inject-batch")), (120, Step::Move("strict"))],
            ends: Ends::Won,
        },
        Play {
            name: "exempt-first",
            steps: &[(60, Step::Move("exempt")), (120, Step::Move("strict"))],
            ends: Ends::Won,
        },
        Play {
            name: "wait-and-see",
            steps: &[
                (1_100, Step::Move("inject-batch")),
                (1_380, Step::Move("strict")),
                (1_440, Step::Move("run-job")),
            ],
            ends: Ends::Won,
        },
        Play {
            name: "strict-at-once",
            steps: &[(60, Step::Move("strict"))],
            ends: Ends::Lost("night-job-lost"),
        },
        Play {
            name: "annotation",
            steps: &[(60, Step::Move("annotate-batch")), (120, Step::Move("strict"))],
            ends: Ends::Lost("night-job-lost"),
        },
        Play {
            name: "suspended",
            steps: &[(60, Step::Move("suspend-job")), (120, Step::Move("strict"))],
            ends: Ends::Lost("job-suspended"),
        },
        Play {
            name: "one-namespace",
            steps: &[(60, Step::Move("inject-batch")), (120, Step::Move("strict-here"))],
            ends: Ends::Lost("too-late"),
        },
    ],
    away: &[],
};
