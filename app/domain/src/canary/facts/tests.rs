use super::facts;
use crate::{
    Timestamp,
    canary::spec::Target,
    example,
    fact::Fact,
    judge::guardrail::Facts,
    object::Kind,
    snapshot::{KindState, Objects},
};
use serde_json::{Value, json};

/// The window began.
const SINCE: &str = "2026-11-23T02:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn seen(objects: &Objects) -> Facts {
    let target = Target {
        host: "user-service".into(),
        subset: "v2".into(),
    };
    facts(objects, &target, "user-service", at(SINCE))
}

/// The example's pod of v2 with this status.
fn with(mut status: Value) -> Objects {
    let mut objects = example::objects();
    status["phase"] = json!("Running");
    let set = "user-service-v2-6d4cf56db6";
    let json = json!({"metadata": {"name": "c", "namespace": "user-service",
        "labels": {"app": "user-service", "version": "v2", "pod-template-hash": "6d4cf56db6"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": set, "controller": true}]}, "status": status});
    objects.put(Fact::read(Kind::Pod, json).unwrap());
    objects
}

/// A container's status after so many restarts; its last run lasted from one moment to the other.
fn container(restarts: u32, state: &Value, reason: &str, started: &str, finished: &str) -> Value {
    json!({"name": "app", "image": "user:v2", "ready": false, "restartCount": restarts, "state": state,
        "lastState": {"terminated": {"exitCode": 137, "reason": reason, "startedAt": started, "finishedAt": finished,
            "containerID": "containerd://1"}}})
}

#[test]
fn restarts_count_if_they_were_in_the_window() {
    let running = || json!({"running": {"startedAt": "2026-11-23T02:07:00Z"}});
    let backing_off = || json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s restarting failed container"}});
    let (early, earlier, late, later) = (
        "2026-11-23T01:59:00Z",
        "2026-11-23T01:00:00Z",
        "2026-11-23T02:03:00Z",
        "2026-11-23T02:06:59Z",
    );
    let table = [
        // The pod's start, its container, and how many loop and restarted.
        (earlier, container(7, &running(), "Error", earlier, early), 0, 0),
        (earlier, container(7, &running(), "Error", early, later), 0, 1),
        (earlier, container(1, &running(), "Error", late, later), 0, 1),
        (earlier, container(7, &running(), "Error", late, later), 0, 2),
        (late, container(4, &running(), "Error", late, later), 0, 4),
        (
            earlier,
            container(7, &backing_off(), "Error", earlier, early),
            1,
            0,
        ),
        (late, container(2, &backing_off(), "Completed", late, later), 1, 2),
        (
            earlier,
            container(2, &running(), "OOMKilled", earlier, later),
            0,
            1,
        ),
        (earlier, container(2, &running(), "OOMKilled", late, later), 1, 2),
        (
            earlier,
            container(9, &running(), "OOMKilled", earlier, early),
            0,
            0,
        ),
        (
            earlier,
            json!({"name": "app", "restartCount": 5, "state": running()}),
            0,
            0,
        ),
        (
            earlier,
            json!({"name": "app", "restartCount": 0, "state": running()}),
            0,
            0,
        ),
        (
            earlier,
            json!({"name": "app", "restartCount": 0, "state": {"waiting": {"reason": "ContainerCreating"}}}),
            0,
            0,
        ),
    ];
    for (started, status, looping, restarts) in table {
        for statuses in ["containerStatuses", "initContainerStatuses"] {
            let seen = seen(&with(json!({"startTime": started, statuses: [status]})));
            assert_eq!(
                (seen.crash_looping, seen.restarts, seen.started),
                (looping, restarts, Some(at(started))),
                "{started} {status}"
            );
        }
    }
}

#[test]
fn a_version_is_all_its_pods() {
    let mut objects = with(json!({"startTime": "2026-11-23T01:00:00Z"}));
    assert_eq!(
        seen(&objects),
        Facts {
            ready: Some(1),
            started: Some(at("2026-11-23T01:00:00Z")),
            ..Facts::default()
        }
    );
    let labels = json!({"app": "user-service", "version": "v2"});
    let status = |started: &str| {
        json!({"phase": "Running", "startTime": started,
            "containerStatuses": [{"name": "app", "restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]})
    };
    let mut pod = |name: &str, status: Value, leaving: bool| {
        let mut json = json!({"metadata": {"name": name, "namespace": "user-service", "labels": labels}, "status": status});
        if leaving {
            json["metadata"]["deletionTimestamp"] = json!("2026-11-23T02:05:00Z");
        }
        objects.put(Fact::read(Kind::Pod, json).unwrap());
    };
    pod("d", status("2026-11-23T02:01:00Z"), false);
    pod("e", status("2026-11-23T02:02:00Z"), false);
    pod("f", status("2026-11-23T02:03:00Z"), true);
    let seen = seen(&objects);
    assert_eq!((seen.ready, seen.crash_looping, seen.restarts), (Some(1), 2, 2));
    assert_eq!(seen.started, Some(at("2026-11-23T02:02:00Z")));
}

#[test]
fn what_is_behind_an_undefined_subset_is_nothing_and_what_is_not_watched_is_not_known() {
    let mut objects = example::objects();
    objects.clear(Kind::DestinationRule);
    assert_eq!(seen(&objects).ready, Some(0));
    let mut objects = with(
        json!({"containerStatuses": [{"restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}),
    );
    assert_eq!(seen(&objects).crash_looping, 1);
    objects.kinds.insert(Kind::Pod, KindState::NotYet);
    assert_eq!(seen(&objects), Facts::default());
}

#[test]
fn a_rollout_begins_with_its_replica_set_or_with_the_pods_of_an_older_one() {
    let set = |objects: &mut Objects, hash: &str, revision: u32, created: &str| {
        let json = json!({"metadata": {"name": format!("user-service-v2-{hash}"), "namespace": "user-service",
            "creationTimestamp": created, "annotations": {"deployment.kubernetes.io/revision": revision.to_string()},
            "ownerReferences": [{"kind": "Deployment", "name": "user-service-v2", "controller": true}]}});
        objects.put(Fact::read(Kind::ReplicaSet, json).unwrap());
    };
    let pod = |objects: &mut Objects, name: &str, hash: &str, created: &str| {
        let json = json!({"metadata": {"name": name, "namespace": "user-service", "creationTimestamp": created,
            "labels": {"app": "user-service", "version": "v2", "pod-template-hash": hash},
            "ownerReferences": [{"kind": "ReplicaSet", "name": format!("user-service-v2-{hash}"), "controller": true}]},
            "status": {"phase": "Running"}});
        objects.put(Fact::read(Kind::Pod, json).unwrap());
    };
    let mut objects = example::objects();
    let labels = json!({"app": "user-service", "version": "v2"});
    let deployment = json!({"metadata": {"name": "user-service-v2", "namespace": "user-service"},
        "spec": {"replicas": 1, "template": {"metadata": {"labels": labels}}}});
    objects.put(Fact::read(Kind::Deployment, deployment).unwrap());
    set(&mut objects, "6d4cf56db6", 1, "2026-11-20T08:00:00Z");
    assert_eq!(seen(&objects).deployed, None);
    // Another Deployment's rollout is not this version's.
    let other = json!({"metadata": {"name": "user-service-v1-9", "namespace": "user-service", "creationTimestamp": "2026-11-23T02:09:00Z",
        "ownerReferences": [{"kind": "Deployment", "name": "user-service-v1", "controller": true}]}});
    objects.put(Fact::read(Kind::ReplicaSet, other).unwrap());
    assert_eq!(seen(&objects).deployed, None);
    set(&mut objects, "7f", 2, "2026-11-23T02:04:00Z");
    assert_eq!(seen(&objects).deployed, Some(at("2026-11-23T02:04:00Z")));
    // Back to the first template: its ReplicaSet is as old as it was.
    set(&mut objects, "6d4cf56db6", 3, "2026-11-20T08:00:00Z");
    pod(&mut objects, "c", "6d4cf56db6", "2026-11-23T02:08:00Z");
    pod(&mut objects, "d", "6d4cf56db6", "2026-11-23T02:06:00Z");
    pod(&mut objects, "e", "7f", "2026-11-23T02:04:01Z");
    assert_eq!(seen(&objects).deployed, Some(at("2026-11-23T02:06:00Z")));
}
