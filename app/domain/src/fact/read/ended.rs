//! Containers that have ended before, as kubelet tells of them.

use super::{at, list, number};
use crate::fact::EndedContainer;
use serde_json::Value;

/// Of a pod's containers and init containers; a native sidecar is one of the latter. Of each container kubelet tells one end, the last
/// (`lastState` in <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodStatus>).
pub(super) fn containers(pod: &Value) -> Box<[EndedContainer]> {
    ["/status/initContainerStatuses", "/status/containerStatuses"]
        .into_iter()
        .flat_map(|statuses| list(pod, statuses))
        .filter_map(container)
        .collect()
}

fn container(status: &Value) -> Option<EndedContainer> {
    let restarts = number(status, "/restartCount").unwrap_or(0);
    let looping = &*at(status, "/state/waiting/reason") == "CrashLoopBackOff";
    let moment = |pointer: &str| at(status, pointer).parse().ok();
    (restarts > 0 || looping).then(|| EndedContainer {
        restarts,
        looping,
        out_of_memory: &*at(status, "/lastState/terminated/reason") == "OOMKilled",
        started: moment("/lastState/terminated/startedAt"),
        finished: moment("/lastState/terminated/finishedAt"),
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        fact::{EndedContainer, Fact},
        object::Kind,
    };
    use serde_json::{Value, json};

    fn ended(status: &Value) -> Vec<EndedContainer> {
        let json = json!({"metadata": {"name": "p", "namespace": "n"}, "status": status});
        match Fact::read(Kind::Pod, json).unwrap() {
            Fact::Pod(pod) => pod.ended.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_containers_that_have_ended_are_kept() {
        let well = json!({"name": "app", "restartCount": 0, "ready": true, "lastState": {},
            "state": {"running": {"startedAt": "2026-11-23T02:00:00Z"}}});
        assert_eq!(
            ended(&json!({"containerStatuses": [well], "startTime": "2026-11-23T02:00:00Z"})),
            []
        );
        let killed = json!({"name": "app", "restartCount": 3, "ready": false,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container=app"}},
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137,
                "startedAt": "2026-11-23T02:01:00Z", "finishedAt": "2026-11-23T02:01:30Z"}}});
        let sidecar = json!({"name": "istio-proxy", "restartCount": 1, "state": {"running": {}},
            "lastState": {"terminated": {"reason": "Error", "exitCode": 1, "finishedAt": "not a time"}}});
        let status = json!({"initContainerStatuses": [sidecar], "containerStatuses": [well, killed]});
        let moment = |text: &str| Some(text.parse().unwrap());
        assert_eq!(
            ended(&status),
            [
                EndedContainer {
                    restarts: 1,
                    looping: false,
                    out_of_memory: false,
                    started: None,
                    finished: None,
                },
                EndedContainer {
                    restarts: 3,
                    looping: true,
                    out_of_memory: true,
                    started: moment("2026-11-23T02:01:00Z"),
                    finished: moment("2026-11-23T02:01:30Z"),
                },
            ]
        );
        assert_eq!(
            ended(&json!({"containerStatuses": [{"restartCount": "3", "state": 7}]})),
            []
        );
    }
}
