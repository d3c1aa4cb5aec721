//! What a host in a rule means, what the registry holds, and who sees it.

pub(crate) mod name;
pub(crate) mod registry;
pub(crate) mod sidecar;

use super::DOMAIN;
use crate::{Name, Why, object::Kind, snapshot::Objects, traffic::ServiceId};

/// What a host names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A Kubernetes Service that exists.
    Service(ServiceId),
    /// A Service's name in the cluster's domain, or a name of the wrong form, that nothing stands behind: requests fail with 503.
    Absent {
        /// The name as Istio reads it.
        fqdn: Name,
    },
    /// Something decides that is not judged here: a ServiceEntry may stand behind the name, or it is a wildcard.
    Unknown(Why),
}

/// The name as Istio reads it: a name without a dot is completed with the *rule's* namespace, not the caller's; any other stays as it
/// is, so that `user-service.user-service` is not completed and names nothing. Wildcards and addresses stay too.
/// (Istio reference, VirtualService, `Destination.host`; `ResolveShortnameToFQDN` in istio's `pkg/config`.)
pub fn fqdn(host: &str, rule_namespace: &str) -> Name {
    if host.contains('.') || host.starts_with('*') || host.contains(':') || host.is_empty() {
        host.into()
    } else {
        format!("{host}.{rule_namespace}.svc.{DOMAIN}").into()
    }
}

/// The Service's place that a full name speaks of; None outside the cluster's domain.
pub fn service_of(fqdn: &str) -> Option<ServiceId> {
    let rest = fqdn.strip_suffix(DOMAIN)?.strip_suffix(".svc.")?;
    let (name, namespace) = rest.split_once('.')?;
    let plain = |part: &str| !part.is_empty() && !part.contains(['.', '*']);
    (plain(name) && plain(namespace)).then(|| ServiceId {
        namespace: namespace.into(),
        name: name.into(),
    })
}

/// A Service's full name.
pub fn of_service(service: &ServiceId) -> Name {
    format!("{}.{}.svc.{DOMAIN}", service.name, service.namespace).into()
}

/// What `host`, written in a rule of `rule_namespace`, names.
pub fn resolve(objects: &Objects, host: &str, rule_namespace: &str) -> Host {
    let fqdn = fqdn(host, rule_namespace);
    let Some(service) = service_of(&fqdn) else {
        return outside(objects, fqdn);
    };
    if objects.service(&service.namespace, &service.name).is_some() {
        return Host::Service(service);
    }
    match objects.gap(Kind::Service) {
        Some(why) => Host::Unknown(why),
        None => Host::Absent { fqdn },
    }
}

/// A name that is no Service's, such as `a.b`, which Istio does not complete: only a ServiceEntry gives it a meaning, which is not judged.
fn outside(objects: &Objects, fqdn: Name) -> Host {
    let what = |what: &str| Host::Unknown(Why::NotJudged { what: what.into() });
    if fqdn.is_empty() {
        return Host::Absent { fqdn };
    }
    if name::wild(&fqdn) {
        return what("wildcard host");
    }
    if let Some(why) = objects.gap(Kind::ServiceEntry) {
        return Host::Unknown(why);
    }
    let mut entries = objects.of_kind(Kind::ServiceEntry);
    let named = entries.any(|entry| {
        let hosts = entry
            .list("/spec/hosts")
            .iter()
            .filter_map(serde_json::Value::as_str);
        hosts
            .map(str::to_lowercase)
            .any(|it| name::matches(&it, &fqdn.to_lowercase()))
    });
    if named {
        what("ServiceEntry")
    } else {
        Host::Absent { fqdn }
    }
}

#[cfg(test)]
mod tests {
    use super::{Host, fqdn, resolve, service_of};
    use crate::{
        Why,
        fact::Fact,
        object::Kind,
        snapshot::{KindState, Objects},
        traffic::ServiceId,
    };
    use serde_json::json;

    fn objects() -> Objects {
        let mut objects = Objects::default();
        let service = json!({"metadata": {"name": "user-service", "namespace": "user-service"}});
        objects.put(Fact::read(Kind::Service, service).unwrap());
        for kind in [Kind::Service, Kind::ServiceEntry] {
            objects.kinds.insert(kind, KindState::Known);
        }
        objects
    }

    #[test]
    fn a_short_name_means_the_rules_own_namespace() {
        let objects = objects();
        let found = Host::Service(ServiceId {
            namespace: "user-service".into(),
            name: "user-service".into(),
        });
        assert_eq!(resolve(&objects, "user-service", "user-service"), found);
        assert_eq!(
            resolve(&objects, "user-service.user-service.svc.cluster.local", "default"),
            found
        );
        let absent = Host::Absent {
            fqdn: "user-service.default.svc.cluster.local".into(),
        };
        assert_eq!(resolve(&objects, "user-service", "default"), absent);
    }

    #[test]
    fn a_partial_name_is_not_completed() {
        let absent = Host::Absent {
            fqdn: "user-service.user-service".into(),
        };
        assert_eq!(
            resolve(&objects(), "user-service.user-service", "default"),
            absent
        );
    }

    #[test]
    fn names_outside_the_cluster_are_what_a_service_entry_has_and_else_nothing() {
        let entry = json!({"metadata": {"name": "e", "namespace": "default"}, "spec": {"hosts": ["*.Example.com", "one.example.org"]}});
        let mut objects = objects();
        objects.put(Fact::read(Kind::ServiceEntry, entry).unwrap());
        for host in ["a.example.com", "one.example.org", "*.example.com", "*"] {
            assert!(
                matches!(
                    resolve(&objects, host, "default"),
                    Host::Unknown(Why::NotJudged { .. })
                ),
                "{host}"
            );
        }
        for host in [
            "oauth.buildingbite.com",
            "user-service.user-service.svc",
            "two.example.org",
        ] {
            assert_eq!(
                resolve(&objects, host, "default"),
                Host::Absent { fqdn: host.into() }
            );
        }
        objects.kinds.remove(&Kind::ServiceEntry);
        assert!(matches!(
            resolve(&objects, "oauth.buildingbite.com", "default"),
            Host::Unknown(Why::NotYet { .. })
        ));
    }

    #[test]
    fn not_knowing_the_services_is_not_their_absence() {
        let mut objects = objects();
        objects.kinds.remove(&Kind::Service);
        assert!(matches!(
            resolve(&objects, "other", "default"),
            Host::Unknown(Why::NotYet { .. })
        ));
    }

    #[test]
    fn odd_names_have_no_service() {
        for name in [
            "",
            ".svc.cluster.local",
            "a..svc.cluster.local",
            "a.b.c.svc.cluster.local",
            "svc.cluster.local",
        ] {
            assert_eq!(service_of(name), None, "{name:?}");
        }
        assert_eq!(&*fqdn("fd00::1", "n"), "fd00::1");
    }
}
