//! Files as they would be once everything has come up: pods of every workload, with the proxies that the injector gives them, ready, and
//! the Services' endpoints. Checks of configuration then ask the same model about files as about a cluster; what only a running cluster
//! has (readiness, restarts, traffic) they do not ask of files.

use crate::{
    Name,
    fact::{
        self, Endpoint, EndpointPort, EndpointSlice, Labels, Pod, PodTemplate, Proxy, ReplicaSet, Service,
        Sidecar,
    },
    mesh::{
        Mesh,
        injection::{Injectors, Reason, Template, WillInject, installed, templates},
    },
    object::{Key, Kind, Object},
    snapshot::Objects,
    workload::selects,
};
use std::sync::Arc;

/// The name of an injector that was only taken for granted, by which checks tell it: no installation calls one so.
pub(super) const ASSUMED_INJECTOR: &str = "assumed-sidecar-injector";

/// So many pods of a workload are enough for every question; more would only cost.
const PODS: u32 = 3;

/// The objects, with pods and endpoints for the workloads that have none. Namespaces that are named only by what lies in them are there, without
/// labels. Where there is no injector at all, the default revision's is taken for granted: files of an application seldom hold it.
pub fn settled(mut objects: Objects) -> Objects {
    name_spaces(&mut objects);
    if objects
        .of_kind(Kind::MutatingWebhookConfiguration)
        .next()
        .is_none()
    {
        // It has a name, so that it is an object.
        objects.whole.extend(
            Object::new(Kind::MutatingWebhookConfiguration, installed(ASSUMED_INJECTOR))
                .map(|it| (it.key().clone(), it)),
        );
    }
    let made: Vec<(Template, Option<Sidecar>)> = {
        let mesh = Mesh::of(&objects);
        let injectors = Injectors::of(&mesh);
        templates(&objects)
            .into_iter()
            .filter(|template| template.owner.kind != Kind::Pod && !has_pods(&objects, &template.owner))
            .map(|template| {
                let sidecar = sidecar(&objects, &injectors, &template);
                (template, sidecar)
            })
            .collect()
    };
    for (template, sidecar) in made {
        come_up(&mut objects, &template, sidecar.as_ref());
    }
    endpoints(&mut objects);
    objects
}

fn name_spaces(objects: &mut Objects) {
    let named = objects.deployments.keys().chain(objects.services.keys());
    let named = named.chain(objects.whole.keys()).chain(objects.pods.keys());
    let named: std::collections::BTreeSet<Name> = named
        .map(|key| key.namespace.clone())
        .filter(|name| !name.is_empty())
        .collect();
    for name in named {
        let key = Key::new(Kind::Namespace, "", name.clone());
        let labels = Labels::from([("kubernetes.io/metadata.name".into(), name.clone())]);
        objects
            .namespaces
            .entry(key)
            .or_insert_with(|| Arc::new(fact::Namespace { name, labels }));
    }
}

fn has_pods(objects: &Objects, owner: &Key) -> bool {
    let of = |pod: &Pod| {
        let named = pod.owner.as_ref().is_some_and(|(kind, name)| match &**kind {
            "ReplicaSet" if owner.kind == Kind::Deployment => {
                let set = Key::new(Kind::ReplicaSet, pod.namespace.clone(), name.clone());
                let set = objects.replica_sets.get(&set);
                set.and_then(|set| set.owner.as_ref())
                    .is_some_and(|(_, of)| *of == owner.name)
            }
            "Job" if owner.kind == Kind::CronJob => name.starts_with(&*owner.name),
            kind => kind == owner.kind.name() && *name == owner.name,
        });
        pod.namespace == owner.namespace && named
    };
    objects.pods.values().any(|pod| of(pod))
}

/// The proxy that the injector gives, or that the template brings.
fn sidecar(objects: &Objects, injectors: &Injectors<'_>, template: &Template) -> Option<Sidecar> {
    let brought = |pod: &PodTemplate| {
        let proxy = pod.containers.iter().find(|it| &*it.name == "istio-proxy")?;
        (!proxy.image.is_empty() && &*proxy.image != "auto").then(|| Sidecar {
            native: proxy.native,
            image: proxy.image.clone(),
            revision: "".into(),
            injected: false,
        })
    };
    let namespace = Key::new(Kind::Namespace, "", template.owner.namespace.clone());
    let namespace = objects.namespaces.get(&namespace)?;
    match injectors.decide(namespace, template) {
        WillInject::Yes { revision, .. } => Some(Sidecar {
            native: false,
            image: "".into(),
            revision,
            injected: true,
        }),
        // Which revisions there are, files without an injector do not say: what is named is taken to be there, as the default one is.
        WillInject::No(Reason::NoSuchRevision { revision, .. }) if assumed(objects) => Some(Sidecar {
            native: false,
            image: "".into(),
            revision,
            injected: true,
        }),
        WillInject::No(_) | WillInject::Unknown(_) => brought(&template.pod),
    }
}

/// The injector was only taken for granted: files hold none.
pub(super) fn assumed(objects: &Objects) -> bool {
    let key = Key::new(Kind::MutatingWebhookConfiguration, "", ASSUMED_INJECTOR);
    objects.whole.contains_key(&key)
}

fn come_up(objects: &mut Objects, template: &Template, sidecar: Option<&Sidecar>) {
    let owner = &template.owner;
    let (count, by) = match owner.kind {
        Kind::Deployment => {
            let count = objects.deployments.get(owner).map_or(1, |it| it.replicas);
            let set = Name::from(format!("{}-settled", owner.name));
            let key = Key::new(Kind::ReplicaSet, owner.namespace.clone(), set.clone());
            let of = ReplicaSet {
                namespace: owner.namespace.clone(),
                name: set.clone(),
                owner: Some(("Deployment".into(), owner.name.clone())),
                created: None,
                replicas: count,
                revision: None,
                template: None,
            };
            objects.replica_sets.insert(key, Arc::new(of));
            (count, (Name::from("ReplicaSet"), set))
        }
        // A CronJob's pods are its Jobs'; the name tells the minute.
        Kind::CronJob => (1, (Name::from("Job"), format!("{}-00000000", owner.name).into())),
        kind => (1, (Name::from(kind.name()), owner.name.clone())),
    };
    for index in 0..count.min(PODS) {
        let name = Name::from(format!("{}-settled-{index}", owner.name));
        let pod = Pod {
            namespace: owner.namespace.clone(),
            name: name.clone(),
            labels: labels(template, sidecar),
            owner: Some(by.clone()),
            ip: "".into(),
            phase: "Running".into(),
            ready: true,
            leaving: false,
            proxy: if sidecar.is_some() {
                Proxy::Sidecar
            } else {
                Proxy::None
            },
            service_account: template.pod.service_account.clone(),
            created: None,
            started: None,
            restarts: 0,
            ended: Box::default(),
            sidecar: sidecar.cloned().map(Arc::new),
            template: None,
        };
        let key = Key::new(Kind::Pod, owner.namespace.clone(), name);
        objects.pods.insert(key, Arc::new(pod));
    }
}

/// The template's, and the label by which callers' proxies tell that mutual TLS is spoken, as the injected template sets it (`security.istio.io/tlsMode` in
/// istio's `manifests/charts/istio-control/istio-discovery/files/injection-template.yaml`).
fn labels(template: &Template, sidecar: Option<&Sidecar>) -> Labels {
    let mut labels = template.pod.labels.clone();
    if sidecar.is_some_and(|it| it.injected) {
        let mode = labels.entry("security.istio.io/tlsMode".into());
        mode.or_insert_with(|| "istio".into());
    }
    labels
}

fn endpoints(objects: &mut Objects) {
    let templates = templates(objects);
    let missing: Vec<EndpointSlice> = objects
        .services
        .values()
        .filter(|service| !service.selector.is_empty())
        .filter(|service| {
            let mut slices = objects.endpoint_slices.values();
            !slices.any(|it| it.service == service.name && it.namespace == service.namespace)
        })
        .map(|service| slice(objects, &templates, service))
        .collect();
    for slice in missing {
        let key = Key::new(Kind::EndpointSlice, slice.namespace.clone(), slice.name.clone());
        objects.endpoint_slices.insert(key, Arc::new(slice));
    }
}

fn slice(objects: &Objects, templates: &[Template], service: &Service) -> EndpointSlice {
    let behind = objects.pods.values().filter(|pod| {
        pod.namespace == service.namespace && !pod.leaving && selects(&service.selector, &pod.labels)
    });
    let ports = service.ports.iter().filter_map(|port| {
        let named = || {
            let mut of = templates.iter().filter(|it| {
                it.owner.namespace == service.namespace && selects(&service.selector, &it.pod.labels)
            });
            of.find_map(|it| it.pod.containers.iter().find_map(|c| c.port(&port.target)))
        };
        Some(EndpointPort {
            name: port.name.clone(),
            port: match port.target.parse() {
                Ok(number) => number,
                Err(_) if port.target.is_empty() => port.port,
                Err(_) => named()?,
            },
        })
    });
    EndpointSlice {
        namespace: service.namespace.clone(),
        name: format!("{}-settled", service.name).into(),
        service: service.name.clone(),
        endpoints: behind
            .map(|pod| Endpoint {
                pod: pod.name.clone(),
                ready: pod.ready,
            })
            .collect(),
        ports: ports.collect(),
    }
}
