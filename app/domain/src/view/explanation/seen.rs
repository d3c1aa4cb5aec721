//! What a scope may see of deciders, hosts and reasons.

use crate::{
    Name, Why,
    actor::Scope,
    mesh::{self, host},
    object::Kind,
    snapshot::Objects,
};
use naru_view::explanation::Decider;

/// A scope before the objects.
#[derive(Clone, Copy)]
pub(super) struct Eyes<'a> {
    pub(super) objects: &'a Objects,
    pub(super) scope: &'a Scope,
}

pub(super) fn shown(decider: &Decider) -> bool {
    matches!(decider, Decider::Object { .. })
}

impl Eyes<'_> {
    pub(super) fn decider(self, decider: &mesh::Decider) -> Decider {
        let key = &decider.key;
        if self.scope.sees(&key.namespace) {
            Decider::Object {
                kind: key.kind.name().into(),
                namespace: key.namespace.clone(),
                name: key.name.clone(),
                path: decider.path.clone(),
            }
        } else {
            Decider::Elsewhere
        }
    }

    /// Several that may not be seen are one.
    pub(super) fn deciders(self, deciders: &[mesh::Decider]) -> Vec<Decider> {
        let mut all: Vec<Decider> = deciders.iter().map(|it| self.decider(it)).collect();
        all.dedup();
        all
    }

    /// Reasons that name an object say its kind alone where the object may not be seen.
    pub(super) fn whys(self, whys: &[Why]) -> Vec<Why> {
        whys.iter().map(|why| self.why(why)).collect()
    }

    fn why(self, why: &Why) -> Why {
        let Why::NotJudged { what } = why else {
            return why.clone();
        };
        // An object is named as `Kind namespace/name`.
        let named = what
            .split_once(' ')
            .and_then(|(kind, place)| Some((kind, place.split_once('/')?)));
        match named {
            Some((kind, (namespace, _))) if !self.scope.sees(namespace) => {
                Why::NotJudged { what: kind.into() }
            }
            _ => why.clone(),
        }
    }

    /// Whether a destination's full name is of a namespace that the scope sees, or of none.
    pub(super) fn sees_host(self, full: &str) -> bool {
        host::service_of(full).is_none_or(|id| self.scope.sees(&id.namespace))
    }

    /// Whether a request's host is a name of a namespace that there is and that the scope does not see.
    pub(super) fn hides(self, host: &str, from: &str) -> bool {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let mut parts = name.trim_end_matches('.').split('.').skip(1);
        let namespace = match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => from,
            (Some(namespace), None, _) => namespace,
            (Some(namespace), Some("svc"), None | Some("cluster")) => namespace,
            _ => return false,
        };
        !self.scope.sees(namespace) && self.exists(namespace)
    }

    fn exists(self, namespace: &str) -> bool {
        let name = Name::from(namespace);
        self.objects
            .namespaces
            .contains_key(&crate::object::Key::new(Kind::Namespace, "", name))
            || self
                .objects
                .services
                .keys()
                .any(|key| &*key.namespace == namespace)
    }
}
