//! Whom somebody plays: an identity, what it sees, and its rights in the rehearsed cluster.
//!
//! Rights are the cluster's, as in reality: the console asks with the person's groups, and the API server answers. Here is only what an
//! administrator would have written into Roles.

use crate::sessions::Viewer;
use naru_domain::{
    Name,
    actor::{Actor, Scope},
    crossing::Item,
    object::Kind,
};
use naru_rehearsal::api::{Deeds, ObjectStore};
use naru_view::rehearsal::Persona;
use std::sync::Arc;

/// The namespace of the team that is played.
const TEAM: &str = "user-service";

fn group(persona: Persona) -> Name {
    match persona {
        // The operator of a console without login, who may what everybody may here.
        Persona::PlatformEngineer => Actor::loopback().groups[0].clone(),
        other => format!("naru:{}", other.tag()).into(),
    }
}

/// The viewer of a request by somebody who plays this.
pub(crate) fn viewer(persona: Persona) -> Viewer {
    let actor = match persona {
        Persona::PlatformEngineer => Actor::loopback(),
        other => Actor {
            // One door for all who play: each is another person than the others.
            issuer: Actor::loopback().issuer,
            sub: other.tag().into(),
            name: other.tag().into(),
            groups: Arc::from([group(other)]),
        },
    };
    let namespaces = (persona == Persona::ServiceTeam).then(|| Arc::from([Name::from(TEAM)]));
    Viewer::new(actor, Scope { namespaces })
}

/// Whether this person has a shell with kubectl beside the console.
pub(super) fn has_kubectl(who: &Actor) -> bool {
    who.groups.contains(&group(Persona::PlatformEngineer))
}

/// Whether this person may change nothing at all, the course of the rehearsal included.
pub(super) fn only_looks(who: &Actor) -> bool {
    who.groups.contains(&group(Persona::Viewer))
}

/// Writes the Roles.
pub(super) fn grant(store: &ObjectStore) {
    let deed = |verb, kind, namespace: Option<&str>| Deeds {
        verb: Some(verb),
        kind,
        namespace: namespace.map(Name::from),
        name: None,
    };
    let sees = |namespace| ["get", "list", "watch"].map(|verb| deed(verb, None, namespace));
    let sets = |kinds: &[Kind], namespace| {
        let of = |kind: &Kind| ["create", "patch"].map(|verb| deed(verb, Some(*kind), namespace));
        kinds.iter().flat_map(of).collect::<Vec<Deeds>>()
    };
    let with = |seen: [Deeds; 3], set: Vec<Deeds>| seen.into_iter().chain(set).collect::<Vec<Deeds>>();
    let routing = [
        Kind::VirtualService,
        Kind::DestinationRule,
        Kind::HttpRoute,
        Kind::Change,
        Kind::Proposal,
    ];
    store.allow_only(
        group(Persona::ServiceTeam),
        with(sees(Some(TEAM)), sets(&routing, Some(TEAM))),
    );
    let policies = [
        Kind::PeerAuthentication,
        Kind::AuthorizationPolicy,
        Kind::RequestAuthentication,
        Kind::Change,
    ];
    // As `naru-signer` and a role for the one item that is theirs (k8s/base/signers.yaml).
    let signs = [
        deed("create", Some(Kind::SignOff), None),
        deed("patch", Some(Kind::SignOff), None),
        Deeds {
            name: Some(Item::Secured.id().into()),
            ..deed("sign", Some(Kind::SignOff), None)
        },
    ];
    let set = sets(&policies, None).into_iter().chain(signs).collect();
    store.allow_only(group(Persona::SecurityOfficer), with(sees(None), set));
    store.allow_only(group(Persona::Viewer), sees(None));
}

#[cfg(test)]
mod tests {
    use super::{Persona, grant, has_kubectl, only_looks, viewer};
    use naru_domain::object::Kind;
    use naru_ports::{Access, Cluster};
    use naru_rehearsal::{ManualClock, api::ObjectStore};
    use std::sync::Arc;

    #[tokio::test]
    async fn each_persona_may_what_its_work_needs_and_no_more() {
        let store = ObjectStore::new(Arc::new(ManualClock::at(jiff::Timestamp::UNIX_EPOCH)), 8);
        grant(&store);
        let ask = |kind, namespace: &str| Access {
            verb: "patch",
            kind,
            namespace: Some(namespace.into()),
            name: None,
        };
        let asks = [
            ask(Kind::VirtualService, "user-service"),
            ask(Kind::VirtualService, "default"),
            ask(Kind::PeerAuthentication, "istio-system"),
        ];
        for (persona, expected) in [
            (Persona::PlatformEngineer, [true, true, true]),
            (Persona::ServiceTeam, [true, false, false]),
            (Persona::SecurityOfficer, [false, false, true]),
            (Persona::Viewer, [false, false, false]),
        ] {
            let who = viewer(persona).actor;
            assert_eq!(store.may(&who, &asks).await.unwrap(), expected, "{persona:?}");
            let signs = ["3.1", "1.1"].map(|item| Access {
                verb: "sign",
                kind: Kind::SignOff,
                namespace: None,
                name: Some(item.into()),
            });
            let may = match persona {
                Persona::PlatformEngineer => [true, true],
                Persona::SecurityOfficer => [true, false],
                Persona::ServiceTeam | Persona::Viewer => [false, false],
            };
            assert_eq!(store.may(&who, &signs).await.unwrap(), may, "{persona:?}");
            assert_eq!(has_kubectl(&who), persona == Persona::PlatformEngineer);
            assert_eq!(only_looks(&who), persona == Persona::Viewer);
        }
        assert!(!viewer(Persona::ServiceTeam).scope.sees("default"));
    }
}
