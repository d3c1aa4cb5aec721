//! Whom the API server takes a request to be from.
//!
//! One fixed user is impersonated for all people; who they are stands in extras, their rights in groups. So RBAC can name everything
//! that Naru's ServiceAccount may impersonate, and a stolen ServiceAccount can be nobody else (see k8s/README.md).

use http::{HeaderMap, HeaderName, HeaderValue};
use naru_domain::{
    Name,
    actor::{Actor, reserved},
};

/// The user name of every person.
pub const PERSON: &str = "naru:person";

/// The extra that carries the identity provider's stable subject.
pub(crate) const SUB: &str = "naru.dev/sub";

/// The extra that carries the identity provider's issuer URL.
pub(crate) const ISSUER: &str = "naru.dev/issuer";

/// Groups of one person. Each is a header and a check of RBAC; nobody is in so many of those that Naru may impersonate.
const GROUPS: usize = 32;

/// Bytes of a group, a subject or an issuer. OpenID Connect bounds `sub` to 255 (Core 1.0, section 2).
const LENGTH: usize = 512;

/// The identity cannot be said in a header as it is; saying it otherwise would make it somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {0} of this identity is empty, too long, reserved, or has characters that cannot be sent")]
pub(crate) struct Unspeakable(&'static str);

/// Adds the headers that make a request this person's. Keys of extras are percent-encoded in header names
/// (<https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation>).
///
/// Groups of Kubernetes' own are refused here as well as by RBAC: a ClusterRole that lists too much is not to make somebody
/// `system:masters`.
pub(crate) fn impersonate(headers: &mut HeaderMap, who: &Actor) -> Result<(), Unspeakable> {
    groups(who)?;
    headers.insert(
        HeaderName::from_static("impersonate-user"),
        HeaderValue::from_static(PERSON),
    );
    for group in who.groups.iter() {
        headers.append(
            HeaderName::from_static("impersonate-group"),
            value("group", group)?,
        );
    }
    headers.insert(
        HeaderName::from_static("impersonate-extra-naru.dev%2fsub"),
        value("sub", &who.sub)?,
    );
    headers.insert(
        HeaderName::from_static("impersonate-extra-naru.dev%2fissuer"),
        value("issuer", &who.issuer)?,
    );
    Ok(())
}

/// The person's groups, none of them Kubernetes' own.
pub(crate) fn groups(who: &Actor) -> Result<&[Name], Unspeakable> {
    if who.groups.len() > GROUPS || who.groups.iter().any(|group| reserved(group)) {
        return Err(Unspeakable("group"));
    }
    Ok(&who.groups)
}

/// Spaces at the ends would be cut off on the way, and " alice" arrive as "alice".
fn value(what: &'static str, text: &Name) -> Result<HeaderValue, Unspeakable> {
    if text.is_empty() || text.len() > LENGTH || text.trim() != &**text || text.chars().any(char::is_control)
    {
        return Err(Unspeakable(what));
    }
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| Unspeakable(what))
}

#[cfg(test)]
mod tests {
    use super::{Actor, HeaderMap, Unspeakable, impersonate};

    #[test]
    fn a_person_is_one_user_with_groups_and_extras() {
        let who = Actor {
            issuer: "https://id.example/realms/naru".into(),
            sub: "f:7a/b=".into(),
            groups: ["naru:operator".into(), "한국".into()].into(),
            ..Actor::loopback()
        };
        let mut headers = HeaderMap::new();
        impersonate(&mut headers, &who).unwrap();
        let all = |name: &str| {
            headers
                .get_all(name)
                .iter()
                .map(|v| v.as_bytes())
                .collect::<Vec<_>>()
        };
        assert_eq!(all("impersonate-user"), [b"naru:person"]);
        assert_eq!(
            all("impersonate-group"),
            ["naru:operator".as_bytes(), "한국".as_bytes()]
        );
        assert_eq!(all("impersonate-extra-naru.dev%2fsub"), [b"f:7a/b="]);
        assert_eq!(
            all("impersonate-extra-naru.dev%2fissuer"),
            [b"https://id.example/realms/naru"]
        );
        assert_eq!(headers.len(), 5);
    }

    #[test]
    fn what_would_arrive_as_somebody_else_is_not_sent() {
        for sub in [
            "",
            " alice",
            "alice ",
            "alice\r\nImpersonate-Group: system:masters",
            "a\0",
        ] {
            let who = Actor {
                sub: sub.into(),
                ..Actor::loopback()
            };
            assert_eq!(
                impersonate(&mut HeaderMap::new(), &who),
                Err(Unspeakable("sub")),
                "{sub:?}"
            );
        }
    }

    #[test]
    fn nobody_is_impersonated_into_a_group_of_kubernetes_or_into_hundreds() {
        let many: Vec<String> = (0..33).map(|n| format!("naru:{n}")).collect();
        for groups in [
            vec!["system:masters".to_owned()],
            vec!["naru:operator".into(), "System:Masters".into()],
            vec![" system:masters".into()],
            vec!["system:authenticated".into()],
            vec!["x".repeat(513)],
            many,
        ] {
            let who = Actor {
                groups: groups.iter().map(|group| group.as_str().into()).collect(),
                ..Actor::loopback()
            };
            let mut headers = HeaderMap::new();
            assert_eq!(
                impersonate(&mut headers, &who),
                Err(Unspeakable("group")),
                "{groups:?}"
            );
        }
    }

    #[test]
    fn rbac_lists_the_groups_that_naru_knows_and_no_others() {
        let text = include_str!("../../../k8s/base/rbac.yaml");
        let roles: Vec<serde_json::Value> = serde_saphyr::from_multiple(text).unwrap();
        let role = roles
            .iter()
            .find(|it| it["kind"] == "ClusterRole" && it["metadata"]["name"] == "naru-impersonate")
            .unwrap();
        let rule = role["rules"]
            .as_array()
            .unwrap()
            .iter()
            .find(|rule| rule["resources"][0] == "groups")
            .unwrap();
        assert_eq!(
            rule["resourceNames"],
            serde_json::json!(naru_domain::actor::GROUPS)
        );
    }
}
