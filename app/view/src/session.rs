//! What pages know about who is signed in, and why somebody is not.

use serde::{Deserialize, Serialize};

/// How people say who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignIn {
    /// Not at all: whoever reaches the loopback address is the operator.
    #[default]
    None,
    /// At an identity provider (OpenID Connect).
    Oidc,
    /// By a bearer token of the cluster's: the way in when the provider is down.
    Kubernetes,
}

/// Why nothing may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadOnly {
    /// The server was started so.
    Server,
    /// The session has run out, and the provider that would renew it cannot be reached.
    ProviderAway,
    /// It is not known whether the session was ended, since the list of ended sessions cannot be read.
    RevocationsUnknown,
}

/// Why somebody is not signed in (any more); travels in the query of the page that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotIn {
    /// The session has run out, and the provider wants to ask before it gives a new one.
    Lapsed,
    /// They signed out.
    SignedOut,
    /// They signed out, and other replicas could not be told: there a copied cookie is good until its session ends.
    SignedOutHere,
    /// The provider cannot be reached, or does not speak its protocol.
    ProviderAway,
    /// The provider does not let them in.
    Refused,
    /// The way back does not belong to a sign-in that began in this browser within the last minutes.
    Stray,
    /// The provider's answer, or the token, is not good.
    Token,
    /// Their groups cannot be taken.
    Groups,
    /// The API server cannot be asked whose the token is.
    Cluster,
}

impl NotIn {
    /// Each with its name in the query.
    const NAMES: [(Self, &'static str); 9] = [
        (Self::Lapsed, "lapsed"),
        (Self::SignedOut, "signed-out"),
        (Self::SignedOutHere, "signed-out-here"),
        (Self::ProviderAway, "provider-away"),
        (Self::Refused, "refused"),
        (Self::Stray, "stray"),
        (Self::Token, "token"),
        (Self::Groups, "groups"),
        (Self::Cluster, "cluster"),
    ];

    /// Its name in the query.
    pub fn tag(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(it, _)| *it == self)
            .map_or("", |(_, tag)| tag)
    }

    /// The one of this name.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, name)| *name == tag)
            .map(|(it, _)| *it)
    }
}

#[cfg(test)]
mod tests {
    use super::NotIn;

    #[test]
    fn each_reason_has_a_name_of_its_own() {
        for (it, tag) in NotIn::NAMES {
            assert_eq!((NotIn::from_tag(tag), it.tag()), (Some(it), tag));
        }
        assert_eq!(NotIn::from_tag("<script>"), None);
    }
}
