//! One request explained: who decides, where it goes, what is behind, whether both sides agree on mutual TLS, and whether it is let in.

pub mod ask;
mod behind;
mod through;

use super::{
    Mesh, Proxy, authz, host, mtls,
    protocol::Reads,
    route::{self, Choice, ChosenDestination, Outcome, Protocol, Request, Share},
    unjudged,
};
use crate::{
    Name, Why,
    fact::{self, Pod},
    object::Kind,
    workload::{WorkloadId, pods_of, selects},
};

/// Who asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// The workload.
    pub workload: WorkloadId,
    /// How its pods are in the mesh.
    pub meshed: fact::Proxy,
    /// Its proxy is a gateway's rather than a sidecar: some Gateway selects it.
    pub gateway: bool,
    /// Its identity under mutual TLS, without `spiffe://`; None without a proxy.
    pub principal: Option<Name>,
}

/// What becomes of a request, step by step.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Who asks.
    pub caller: Caller,
    /// What its proxy does; None where it has none, so that no rule of the mesh applies on its side.
    pub choice: Option<Choice>,
    /// What is behind each destination that gets requests.
    pub legs: Vec<Leg>,
}

/// One destination with what is behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Leg {
    /// The destination and its part.
    pub share: Share,
    /// Ready pods and all, by workload; or why not.
    pub ends: Result<Vec<End>, Nowhere>,
}

/// Why there is nothing behind a destination.
#[derive(Clone, Debug, PartialEq)]
pub enum Nowhere {
    /// There is no such Service, port or subset: 503, flag NC.
    NoCluster,
    /// It cannot be known.
    Unknown(Vec<Why>),
}

/// A workload behind a destination.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// None for addresses that are no pod's.
    pub workload: Option<WorkloadId>,
    /// Endpoints that take requests. None at all: 503, flag UH.
    pub ready: u32,
    /// All of them.
    pub total: u32,
    /// Mutual TLS or plaintext, and whether the called side takes it.
    pub handshake: mtls::Handshake,
    /// Whether it is let in; None where no proxy asks.
    pub authorization: Option<authz::Decision>,
    /// What is read at the port by what the called side's Services say of it; None where they say nothing.
    pub reads: Option<Reads>,
    /// Its proxy reads HTTP there, and something else is sent: nobody answers.
    pub deaf: bool,
}

/// Explains a request of a workload's; None if there is no such workload, or it has no pods.
pub fn explain(mesh: &Mesh<'_>, from: &WorkloadId, request: &Request) -> Option<Explanation> {
    let pods = pods_of(mesh.objects, from);
    let pod = *pods.first()?;
    let caller = caller(mesh, from, pod);
    let proxy = if caller.gateway {
        Proxy::gateway(pod.namespace.clone(), pod.labels.clone())
    } else {
        Proxy::sidecar(pod.namespace.clone(), pod.labels.clone())
    };
    let choice = match caller.meshed {
        fact::Proxy::Sidecar => Some(route::choose(mesh, &proxy, request)),
        fact::Proxy::Ambient => Some(Choice::by_default(Outcome::Unknown(vec![Why::NotJudged {
            what: "ambient".into(),
        }]))),
        fact::Proxy::None => None,
    };
    let asks = behind::Asks {
        mesh,
        caller: &caller,
        proxy: &proxy,
        request,
        http: speaks_http(&caller, choice.as_ref(), request),
    };
    let legs = match &choice {
        Some(Choice {
            outcome: Outcome::Sent(shares),
            ..
        }) => shares.iter().map(|it| asks.leg(it.clone())).collect(),
        Some(Choice {
            outcome: Outcome::Passthrough,
            ..
        }) => asks.let_through().into_iter().collect(),
        Some(_) => Vec::new(),
        None => direct(mesh, &proxy, request)
            .map(|it| asks.leg(it))
            .into_iter()
            .collect(),
    };
    Some(Explanation { caller, choice, legs })
}

/// Whether HTTP goes on from the caller's side: also what a gateway has taken out of its TLS, but not what it passes on by rules of bytes.
fn speaks_http(caller: &Caller, choice: Option<&Choice>, request: &Request) -> bool {
    let of_bytes = |it: &Choice| {
        let path = it.deciders.first().map_or("", |it| &it.path);
        path.starts_with("/spec/tls/") || path.starts_with("/spec/tcp/")
    };
    match request.protocol {
        Protocol::Http => true,
        Protocol::Https => caller.gateway && !choice.is_some_and(of_bytes),
        Protocol::Tls | Protocol::Tcp => false,
    }
}

fn caller(mesh: &Mesh<'_>, workload: &WorkloadId, pod: &Pod) -> Caller {
    let mut gateways = mesh.objects.of_kind(Kind::Gateway);
    let gateway = gateways.any(|it| selects(&unjudged::labels(it, "/spec/selector"), &pod.labels))
        || mesh
            .at_gateways()
            .fronts
            .iter()
            .any(|it| it.serves(mesh.objects, &pod.namespace, &pod.labels));
    let account: Name = if pod.service_account.is_empty() {
        "default".into()
    } else {
        pod.service_account.clone()
    };
    let principal = format!("{}/ns/{}/sa/{account}", mesh.config.trust_domain, pod.namespace);
    Caller {
        workload: workload.clone(),
        meshed: pod.proxy,
        gateway,
        principal: (pod.proxy != fact::Proxy::None).then(|| principal.into()),
    }
}

/// Without a proxy only the cluster's own DNS and Services count.
fn direct(mesh: &Mesh<'_>, proxy: &Proxy, request: &Request) -> Option<Share> {
    let host = request
        .host
        .split_once(':')
        .map_or(&*request.host, |(host, _)| host);
    let mut parts = host.split('.');
    let name = parts.next()?;
    let namespace = parts.next().unwrap_or(&proxy.namespace);
    let service = mesh.objects.service(namespace, name)?;
    let id = crate::traffic::ServiceId {
        namespace: service.namespace.clone(),
        name: service.name.clone(),
    };
    Some(Share {
        destination: ChosenDestination {
            host: host::of_service(&id),
            subset: "".into(),
            port: request.port,
        },
        weight: 100,
        missing: None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Nowhere, explain};
    use crate::{
        example,
        fact::Fact,
        mesh::{
            Mesh, authz, mtls,
            route::{Outcome, Request},
        },
        object::{Kind, Object},
        snapshot::Objects,
        workload::WorkloadId,
    };
    use serde_json::json;

    /// The example's system, with a caller that has a sidecar and one that has none.
    fn objects() -> Objects {
        let mut objects = example::objects();
        for (name, containers) in [
            ("web", json!([{"name": "app"}, {"name": "istio-proxy"}])),
            ("job", json!([{"name": "app"}])),
        ] {
            let pod = json!({"metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
                "spec": {"serviceAccountName": name, "containers": containers}, "status": {"phase": "Running"}});
            objects.put(Fact::read(Kind::Pod, pod).unwrap());
        }
        objects
    }

    fn put(objects: &mut Objects, kind: Kind, name: &str, spec: &serde_json::Value) {
        let json = json!({"metadata": {"name": name, "namespace": "user-service"}, "spec": spec});
        objects.put(Fact::Object(Object::new(kind, json).unwrap()));
    }

    fn of(name: &str) -> WorkloadId {
        ("default".into(), name.into())
    }

    fn request() -> Request {
        Request::get("user-service.user-service", 80)
    }

    #[test]
    fn a_sidecars_request_is_followed_to_both_versions() {
        let objects = objects();
        let told = explain(&Mesh::of(&objects), &of("web"), &request()).unwrap();
        assert_eq!(
            told.caller.principal.as_deref(),
            Some("cluster.local/ns/default/sa/web")
        );
        assert!(matches!(&told.choice.unwrap().outcome, Outcome::Sent(shares) if shares.len() == 2));
        let ready: Vec<(u32, u32)> = told
            .legs
            .iter()
            .map(|leg| {
                let end = &leg.ends.as_ref().unwrap()[0];
                (leg.share.weight, end.ready)
            })
            .collect();
        assert_eq!(ready, [(90, 2), (10, 1)]);
    }

    #[test]
    fn a_caller_without_a_proxy_goes_past_the_rules_and_is_refused_by_strict() {
        let mut objects = objects();
        put(
            &mut objects,
            Kind::PeerAuthentication,
            "default",
            &json!({"mtls": {"mode": "STRICT"}}),
        );
        let told = explain(&Mesh::of(&objects), &of("job"), &request()).unwrap();
        assert_eq!(told.choice, None);
        assert_eq!(told.caller.principal, None);
        let ends = told.legs[0].ends.as_ref().unwrap();
        assert_eq!(ends.len(), 2, "both versions are behind the Service");
        assert!(
            ends.iter()
                .all(|it| matches!(it.handshake.outcome, mtls::Outcome::Refused { .. }))
        );
    }

    #[test]
    fn authorization_is_asked_of_the_called_side() {
        let mut objects = objects();
        let only_jobs =
            json!({"rules": [{"from": [{"source": {"principals": ["cluster.local/ns/default/sa/job"]}}]}]});
        put(&mut objects, Kind::AuthorizationPolicy, "jobs", &only_jobs);
        for from in ["web", "job"] {
            let told = explain(&Mesh::of(&objects), &of(from), &request()).unwrap();
            let end = &told.legs[0].ends.as_ref().unwrap()[0];
            // The job's identity would do, and a plaintext caller has none.
            assert_eq!(
                end.authorization.as_ref().unwrap().verdict,
                authz::Verdict::Deny,
                "{from}"
            );
        }
    }

    #[test]
    fn on_a_port_declared_tcp_policies_see_bytes_whatever_is_sent() {
        let mut objects = objects();
        let get_only = json!({"rules": [{"to": [{"operation": {"methods": ["GET"]}}]}]});
        put(&mut objects, Kind::AuthorizationPolicy, "get-only", &get_only);
        for (port, verdict) in [("http", authz::Verdict::Allow), ("tcp", authz::Verdict::Deny)] {
            let service = json!({"metadata": {"name": "user-service", "namespace": "user-service"},
                "spec": {"selector": {"app": "user-service"}, "ports": [{"name": port, "port": 80}]}});
            objects.put(Fact::read(Kind::Service, service).unwrap());
            let told = explain(&Mesh::of(&objects), &of("job"), &request()).unwrap();
            let end = &told.legs[0].ends.as_ref().unwrap()[0];
            assert_eq!(end.authorization.as_ref().unwrap().verdict, verdict, "{port}");
        }
    }

    #[test]
    fn nobody_is_nobody_and_a_missing_port_leads_nowhere() {
        let objects = objects();
        let mesh = Mesh::of(&objects);
        assert_eq!(explain(&mesh, &of("gone"), &request()), None);
        let odd = Request::get("user-service.user-service", 81);
        let told = explain(&mesh, &of("job"), &odd).unwrap();
        assert_eq!(told.legs[0].ends, Err(Nowhere::NoCluster));
    }
}
