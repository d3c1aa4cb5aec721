//! The one object that stops every controller of Naru: while it is there, none of them moves anything.
//!
//! That it is there is enough, whatever it says; a controller does not read it further. Whose it is and why is for people.

mod stays;

pub use stays::stays;

use crate::{
    Name, Timestamp,
    actor::Actor,
    crossing::migration::Unreadable,
    object::{Key, Kind, Malformed, Object},
    snapshot::Objects,
};
use naru_view::freeze::Frozen;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The only name that a Freeze may have.
pub const NAME: &str = "naru";

/// The longest reason, in characters.
pub const REASON: usize = 500;

/// `spec` of a Freeze (`naru.dev/v1alpha1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Freeze {
    /// Who froze.
    pub actor: Actor,
    /// Why, 1 to [`REASON`] characters.
    pub reason: Name,
    /// When, by the clock of who froze.
    pub at: Timestamp,
}

/// Where it is.
pub fn key() -> Key {
    Key::new(Kind::Freeze, "", NAME)
}

/// The freeze that is in force, with all that it holds; None while there is none.
pub fn in_force(objects: &Objects) -> Option<Frozen> {
    let object = objects.object(Kind::Freeze, "", NAME)?;
    let freeze = Freeze::read(object).ok();
    // Who froze says when by their own clock; the API server has written down its own.
    let since: Option<Timestamp> = object.text("/metadata/creationTimestamp").parse().ok();
    let text = |of: fn(&Freeze) -> &Name| freeze.as_ref().map_or_else(|| "".into(), |it| of(it).clone());
    Some(Frozen {
        by: text(Freeze::by),
        reason: text(|it| &it.reason),
        since: since.map(Timestamp::as_millisecond),
        stays: stays(objects),
    })
}

impl Freeze {
    /// Who froze, for display.
    pub fn by(&self) -> &Name {
        if self.actor.name.is_empty() {
            &self.actor.sub
        } else {
            &self.actor.name
        }
    }

    /// The object to be created.
    ///
    /// # Errors
    /// None that can happen: the name is a constant.
    pub fn object(&self) -> Result<Object, Malformed> {
        let spec = serde_json::to_value(self).map_err(|_| Malformed("it cannot be written as JSON"))?;
        let kind = Kind::Freeze;
        let json = json!({
            "apiVersion": kind.api_version(), "kind": kind.name(), "metadata": {"name": NAME}, "spec": spec,
        });
        Object::new(kind, json)
    }

    /// Reads the object.
    ///
    /// # Errors
    /// Its `spec` is not one.
    pub fn read(object: &Object) -> Result<Self, Unreadable> {
        let spec = object.get("/spec").cloned().unwrap_or_default();
        serde_json::from_value(spec).map_err(|error| Unreadable {
            name: object.key().name.clone(),
            detail: error.to_string().into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Freeze, in_force, key};
    use crate::{
        actor::Actor,
        fact::Fact,
        object::{Kind, Object},
        snapshot::Objects,
    };
    use serde_json::json;

    #[test]
    fn what_is_written_reads_the_same() {
        let freeze = Freeze {
            actor: Actor::loopback(),
            reason: "night".into(),
            at: "2026-11-30T01:40:00Z".parse().unwrap(),
        };
        let object = freeze.object().unwrap();
        assert_eq!(*object.key(), key());
        assert_eq!(Freeze::read(&object), Ok(freeze));
        let other = json!({"metadata": {"name": "naru"}, "spec": {"reason": 7}});
        assert!(Freeze::read(&Object::new(Kind::Freeze, other).unwrap()).is_err());
    }

    #[test]
    fn that_it_is_there_is_enough_whatever_it_says() {
        let mut objects = Objects::all_known();
        assert_eq!(in_force(&objects), None);
        let freeze = |spec| json!({"metadata": {"name": "naru", "creationTimestamp": "2026-11-30T01:40:00Z"}, "spec": spec});
        objects.put(Fact::read(Kind::Freeze, freeze(json!({"reason": 7}))).unwrap());
        let odd = in_force(&objects).unwrap();
        assert_eq!(
            (&*odd.by, &*odd.reason, odd.since),
            ("", "", Some(1_796_002_800_000))
        );
        let actor = json!({"issuer": "i", "sub": "alice", "name": "", "groups": []});
        let spec = json!({"actor": actor, "reason": "night", "at": "2020-01-01T00:00:00Z"});
        objects.put(Fact::read(Kind::Freeze, freeze(spec)).unwrap());
        let frozen = in_force(&objects).unwrap();
        assert_eq!(
            (&*frozen.by, &*frozen.reason, frozen.since),
            ("alice", "night", odd.since)
        );
    }
}
