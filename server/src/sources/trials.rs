//! Dry runs that show whether Istio's webhooks act. Nothing is stored: the namespace [`NAMESPACE`] is there for nothing else, and an admission policy
//! of ours (`k8s/base/trials.yaml`) refuses whatever is no dry run in it.

use naru_domain::{
    Name, SourceName, Why,
    inquiry::{Injected, Injection, Trial},
    object::{Kind, Object, Write},
};
use naru_ports::{As, Cluster, ClusterError};
use serde_json::{Value, json};

/// Where they are done.
const NAMESPACE: &str = "naru-trials";

const MANAGER: &str = "naru-trial";

/// Asks for a pod with a proxy.
pub(super) async fn injection(cluster: &dyn Cluster, it: &Injection) -> Result<Trial<Injected>, Why> {
    let mut labels = json!({"sidecar.istio.io/inject": "true"});
    if !it.revision.is_empty() {
        labels["istio.io/rev"] = (&*it.revision).into();
    }
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "trial", "namespace": NAMESPACE, "labels": labels},
        "spec": {"automountServiceAccountToken": false, "containers": [{"name": "app", "image": "registry.k8s.io/pause:3.10"}]},
    });
    match submit(cluster, Kind::Pod, pod).await {
        Ok(pod) => Ok(proxy(&pod).map_or(Trial::Passed, Trial::AsMeant)),
        Err(ClusterError::Invalid(words)) if words.contains("failed calling webhook") => {
            Ok(Trial::Failed(words))
        }
        Err(error) => Err(unasked(error, "pods")),
    }
}

/// The proxy that was put into a pod, an ordinary or a native sidecar.
fn proxy(pod: &Object) -> Option<Injected> {
    let named = |list: &str| {
        let mut all = pod.list(list).iter();
        let found = all.find(|it| it["name"] == "istio-proxy")?;
        let text = |pointer: &str| {
            found
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or("")
                .into()
        };
        Some(Injected {
            image: text("/image"),
            cpu: text("/resources/requests/cpu"),
            memory: text("/resources/requests/memory"),
        })
    };
    named("/spec/containers").or_else(|| named("/spec/initContainers"))
}

/// Asks for a rule with a regular expression that is none: its schema lets it through, and Istio's own validation does not.
pub(super) async fn validation(cluster: &dyn Cluster) -> Result<Trial<Name>, Why> {
    let route = json!({
        "apiVersion": Kind::VirtualService.api_version(), "kind": "VirtualService",
        "metadata": {"name": "trial", "namespace": NAMESPACE},
        "spec": {"hosts": ["trial.invalid"], "http": [{
            "match": [{"uri": {"regex": "["}}], "route": [{"destination": {"host": "trial.invalid"}}],
        }]},
    });
    match submit(cluster, Kind::VirtualService, route).await {
        Ok(_) => Ok(Trial::Passed),
        Err(ClusterError::Invalid(words)) if words.contains("failed calling webhook") => {
            Ok(Trial::Failed(words))
        }
        Err(ClusterError::Invalid(words)) if words.contains("validation.istio.io") => {
            Ok(Trial::AsMeant(words))
        }
        Err(error) => Err(unasked(error, "virtualservices")),
    }
}

async fn submit(cluster: &dyn Cluster, kind: Kind, json: Value) -> Result<Object, ClusterError> {
    let object = Object::new(kind, json).map_err(|odd| ClusterError::Invalid(odd.to_string().into()))?;
    let write = Write::Create(object);
    let submitted = cluster
        .submit(As::Controller(MANAGER), &write, true, MANAGER)
        .await?;
    let nothing = || ClusterError::Unreachable("the answer holds no object".into());
    submitted.object.ok_or_else(nothing)
}

/// Why a trial says nothing of webhooks.
fn unasked(error: ClusterError, resource: &'static str) -> Why {
    let source = SourceName::Kubernetes;
    match error {
        // Admission refuses with the same status as missing rights do.
        ClusterError::Forbidden(words)
            if words.contains("violates PodSecurity") || words.contains("exceeded quota") =>
        {
            Why::Rejected { detail: words }
        }
        ClusterError::Forbidden(_) => Why::Forbidden {
            verb: "create".into(),
            resource: resource.into(),
            namespace: Some(NAMESPACE.into()),
        },
        ClusterError::NotFound => Why::Failed {
            source,
            status: 404,
            detail: format!("Namespace {NAMESPACE}").into(),
        },
        ClusterError::Invalid(words) => Why::Rejected { detail: words },
        ClusterError::Unreachable(detail) | ClusterError::Unsure(detail) => {
            Why::Unreachable { source, detail }
        }
        other => Why::Said {
            detail: other.to_string().into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{injection, validation};
    use naru_domain::{
        Why,
        inquiry::{Injected, Injection, Trial},
        object::{Key, Kind, Object, Write},
    };
    use naru_ports::{Access, As, Cluster, ClusterError, Seen, Submitted};
    use serde_json::json;

    /// Answers every write with this.
    struct Answering(Result<serde_json::Value, ClusterError>);

    #[async_trait::async_trait]
    impl Cluster for Answering {
        fn watch(&self, _kind: Kind) -> futures::stream::BoxStream<'static, Seen> {
            Box::pin(futures::stream::pending())
        }

        async fn get(&self, _key: &Key) -> Result<Object, ClusterError> {
            Err(ClusterError::NotFound)
        }

        async fn submit(
            &self,
            _who: As<'_>,
            write: &Write,
            dry_run: bool,
            _manager: &str,
        ) -> Result<Submitted, ClusterError> {
            assert!(dry_run, "a trial leaves nothing behind");
            let json = self.0.clone()?;
            Ok(Submitted {
                object: Some(Object::new(write.key().kind, json).unwrap()),
            })
        }

        async fn may(
            &self,
            _who: &naru_domain::actor::Actor,
            _asks: &[Access],
        ) -> Result<Vec<bool>, ClusterError> {
            Ok(vec![])
        }
    }

    fn pod(containers: &serde_json::Value, init: &serde_json::Value) -> Answering {
        let json = json!({"metadata": {"name": "trial"}, "spec": {"containers": containers, "initContainers": init}});
        Answering(Ok(json))
    }

    #[tokio::test]
    async fn a_pod_gets_a_proxy_of_either_kind_or_none() {
        let it = Injection { revision: "".into() };
        let (app, proxy) = (
            json!({"name": "app"}),
            json!({"name": "istio-proxy", "image": "p:1", "resources": {"requests": {"cpu": "10m"}}}),
        );
        let injected = || {
            Trial::AsMeant(Injected {
                image: "p:1".into(),
                cpu: "10m".into(),
                memory: "".into(),
            })
        };
        for (answer, trial) in [
            (pod(&json!([app, proxy]), &json!([])), injected()),
            (pod(&json!([app]), &json!([proxy])), injected()),
            (pod(&json!([app]), &json!([])), Trial::Passed),
        ] {
            assert_eq!(injection(&answer, &it).await, Ok(trial));
        }
    }

    #[tokio::test]
    async fn who_refuses_is_told_apart() {
        let refused = |words: &str| Answering(Err(ClusterError::Invalid(words.into())));
        let by_istio = "admission webhook \"rev.validation.istio.io\" denied the request: bad regex";
        let of = refused(by_istio);
        assert_eq!(validation(&of).await, Ok(Trial::AsMeant(by_istio.into())));
        let broken = "Internal error occurred: failed calling webhook \"rev.validation.istio.io\": refused";
        assert_eq!(
            validation(&refused(broken)).await,
            Ok(Trial::Failed(broken.into()))
        );
        let other = validation(&refused("denied by somebody else's policy")).await;
        assert!(matches!(other, Err(Why::Rejected { .. })));
        let forbidden = validation(&Answering(Err(ClusterError::Forbidden("no".into())))).await;
        assert!(matches!(forbidden, Err(Why::Forbidden { .. })));
        let through = Answering(Ok(json!({"metadata": {"name": "trial"}})));
        assert_eq!(validation(&through).await, Ok(Trial::Passed));
    }
}
