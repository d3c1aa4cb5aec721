//! A session: who somebody is, for a quarter of an hour. No tokens: a refresh token that two replicas use at once ends the session at the
//! provider, and three tokens are more than a cookie holds.

use super::seal::{Keys, Purpose};
use naru_domain::{
    Name,
    actor::{Actor, reserved},
};
use naru_view::Millis;
use serde::{Deserialize, Serialize};

/// How long a session lasts at most. What a provider takes away (an account, a group) is gone after it at the latest.
pub const LIFE: Millis = 15 * 60_000;

/// What is left of a session when it is renewed. Three minutes are a few page views; the provider's own session is looked at each time.
pub const RENEW: Millis = 3 * 60_000;

/// How long an ended session may still be shown, read-only, while the provider cannot be reached: as long as a change in the night takes.
pub const OUTAGE: Millis = 4 * 60 * 60_000;

/// How far clocks of replicas and of the provider may be apart.
pub const SKEW: Millis = 60_000;

/// Groups of Naru's that one person is in, at most. Each is a header of each request to the API server.
pub const GROUPS: usize = 16;

/// Bytes of a group.
pub const GROUP: usize = 63;

/// Characters of a name that is shown.
const NAME: usize = 80;

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The provider's issuer URL, or `kubernetes`.
    pub iss: Name,
    /// The provider's stable subject.
    pub sub: Name,
    /// The provider's session; empty if it has not said.
    pub sid: Name,
    /// Our own name for it, from signing in to signing out, through all renewals.
    pub id: Name,
    /// Shown to people.
    pub name: Name,
    /// Naru's groups.
    pub groups: Vec<Name>,
    /// When it was made, or renewed.
    pub issued: Millis,
    /// When it ends.
    pub expires: Millis,
}

impl Session {
    /// As a cookie's value; None if it does not fit into one.
    pub fn seal(&self, keys: &Keys) -> Option<String> {
        keys.seal(Purpose::Session, &serde_json::to_vec(self).ok()?)
    }

    /// What a cookie's value says, if it is a session of this issuer that makes sense. Whether it is still going on is another question.
    pub fn open(keys: &Keys, sealed: &str, issuer: &str, now: Millis) -> Option<Self> {
        let session: Self = serde_json::from_slice(&keys.open(Purpose::Session, sealed)?).ok()?;
        let bounded = session.groups.len() <= GROUPS
            && session
                .groups
                .iter()
                .all(|group| group.len() <= GROUP && !reserved(group));
        let times = session.issued <= now + SKEW
            && session.issued < session.expires
            && session.expires - session.issued <= LIFE;
        (bounded && times && *session.iss == *issuer).then_some(session)
    }

    /// Who acts.
    pub fn actor(&self) -> Actor {
        Actor {
            issuer: self.iss.clone(),
            sub: self.sub.clone(),
            name: self.name.clone(),
            groups: self.groups.as_slice().into(),
        }
    }
}

/// A name for display out of what somebody else wrote: without control characters and directions of writing, not too long; the subject if
/// nothing is left.
pub fn shown(name: &str, sub: &str) -> Name {
    let invisible = |it: char| {
        it.is_control()
            || matches!(it, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let clean = |text: &str| -> String {
        let kept = text.chars().filter(|it| !invisible(*it)).take(NAME);
        kept.collect::<String>().trim().to_owned()
    };
    Some(clean(name))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| clean(sub))
        .into()
}

#[cfg(test)]
mod tests {
    use super::{Keys, LIFE, SKEW, Session, shown};

    const NOW: i64 = 1_800_000_000_000;

    fn session() -> Session {
        Session {
            iss: "https://id.example".into(),
            sub: "7f3c".into(),
            sid: "s".into(),
            id: "i".into(),
            name: "김나루".into(),
            groups: vec!["naru:operator".into()],
            issued: NOW,
            expires: NOW + LIFE,
        }
    }

    #[test]
    fn a_session_is_taken_only_if_it_makes_sense() {
        let keys = Keys::random().unwrap();
        let open = |session: &Session, issuer: &str| {
            Session::open(&keys, &session.seal(&keys).unwrap(), issuer, NOW)
        };
        assert_eq!(open(&session(), "https://id.example"), Some(session()));
        assert_eq!(open(&session(), "https://other.example"), None);
        assert_eq!(open(&session(), "kubernetes"), None);
        let odd: [fn(&mut Session); 6] = [
            |it| it.expires = it.issued + LIFE + 1,
            |it| it.expires = it.issued,
            |it| (it.issued, it.expires) = (NOW + SKEW + 1, NOW + SKEW + 2),
            |it| it.groups.push("system:masters".into()),
            |it| it.groups = vec!["naru:a".into(); 17],
            |it| it.groups = vec!["n".repeat(64).into()],
        ];
        for change in odd {
            let mut session = session();
            change(&mut session);
            assert_eq!(open(&session, "https://id.example"), None, "{session:?}");
        }
    }

    #[test]
    fn the_fullest_session_fits_into_a_cookie() {
        let full = Session {
            iss: "i".repeat(255).into(),
            sub: "s".repeat(255).into(),
            sid: "s".repeat(255).into(),
            id: "i".repeat(22).into(),
            name: "김".repeat(80).into(),
            groups: vec!["g".repeat(63).into(); 16],
            issued: NOW,
            expires: NOW + LIFE,
        };
        assert!(full.seal(&Keys::random().unwrap()).is_some());
    }

    #[test]
    fn names_carry_nothing_that_moves_other_text() {
        assert_eq!(&*shown(" Kim\u{202e}\r\n Naru\0 ", "x"), "Kim Naru");
        assert_eq!(&*shown("\u{200b}\n", "7f3c"), "7f3c");
        assert_eq!(shown(&"가".repeat(1000), "x").chars().count(), 80);
    }
}
