//! Who may do what. Naru and every group of people may everything, until a test or a scenario says otherwise; a person without a group
//! may nothing, since rights are given to groups.

use naru_domain::{
    Name,
    actor::{Actor, NARU},
    object::{Key, Kind},
};
use naru_ports::As;
use std::collections::BTreeMap;

/// Whom a ban is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Everyone, Naru itself too.
    Everyone,
    /// Naru's own ServiceAccount: its reading and all its controllers.
    Naru,
    /// One controller of Naru's.
    Controller(Name),
    /// One user with credentials of their own, as a pipeline is.
    User(Name),
    /// One group of people. As with RBAC, a person may what any of their groups may.
    Group(Name),
}

/// Some deeds; what is None stands for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    /// `get`, `list`, `watch`, `create`, `patch`, `delete`.
    pub verb: Option<&'static str>,
    /// What.
    pub kind: Option<Kind>,
    /// Where.
    pub namespace: Option<Name>,
    /// Only the object of this name; for `sign` and its like, which item.
    pub name: Option<Name>,
}

impl Deeds {
    fn cover(&self, asked: &Asked<'_>) -> bool {
        let named = |it: &Name| asked.name.is_some_and(|asked| **it == *asked);
        self.verb.is_none_or(|it| it == asked.verb)
            && self.kind.is_none_or(|it| it == asked.kind)
            && self.name.as_ref().is_none_or(named)
    }
}

/// What is asked for. None asks for all of them (or for what is in no namespace).
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) verb: &'a str,
    pub(super) kind: Kind,
    pub(super) namespace: Option<&'a str>,
    pub(super) name: Option<&'a str>,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asker<'a> {
    Naru,
    As(As<'a>),
}

impl<'a> From<&'a Actor> for Asker<'a> {
    fn from(person: &'a Actor) -> Self {
        Self::As(As::Person(person))
    }
}

#[derive(Debug, Default)]
pub(super) struct Rights {
    pub(super) bans: Vec<(Who, Deeds)>,
    /// Groups that may no more than this.
    pub(super) only: BTreeMap<Name, Vec<Deeds>>,
}

impl Rights {
    pub(super) fn allow(&self, asker: Asker<'_>, asked: &Asked<'_>) -> bool {
        let namespace = asked.namespace;
        let banned = |who: &Who| {
            self.bans.iter().any(|(whom, deeds)| {
                // A ban in one namespace answers a question for all of them too.
                let here = |it: &Name| namespace.is_none_or(|asked| **it == *asked);
                whom == who && deeds.cover(asked) && deeds.namespace.as_ref().is_none_or(here)
            })
        };
        let granted = |group: &Name| {
            let here = |it: &Name| namespace.is_some_and(|asked| **it == *asked);
            self.only.get(group).is_none_or(|grants| {
                grants
                    .iter()
                    .any(|deeds| deeds.cover(asked) && deeds.namespace.as_ref().is_none_or(here))
            })
        };
        if banned(&Who::Everyone) {
            return false;
        }
        match asker {
            Asker::Naru => !banned(&Who::Naru),
            Asker::As(As::Controller(name)) => !banned(&Who::Naru) && !banned(&Who::Controller(name.into())),
            Asker::As(As::Oneself(user)) => !banned(&Who::User(user.into())),
            Asker::As(As::Person(person)) => person
                .groups
                .iter()
                .any(|group| granted(group) && !banned(&Who::Group(group.clone()))),
        }
    }
}

/// The API server's words for a missing right.
pub(super) fn refusal(asker: Asker<'_>, verb: &str, key: &Key) -> Name {
    let user = match asker {
        Asker::As(As::Person(_)) => "naru:person",
        Asker::As(As::Oneself(user)) => user,
        Asker::Naru | Asker::As(As::Controller(_)) => NARU,
    };
    let (plural, group) = (key.kind.plural(), key.kind.group());
    let resource = if group.is_empty() {
        plural.into()
    } else {
        format!("{plural}.{group}")
    };
    let place = if key.namespace.is_empty() {
        "at the cluster scope".into()
    } else {
        format!("in the namespace \"{}\"", key.namespace)
    };
    format!(
        "{resource} \"{}\" is forbidden: User \"{user}\" cannot {verb} resource \"{plural}\" in API group \"{group}\" {place}",
        key.name
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::{Asked, Asker, Deeds, Rights, Who};
    use naru_domain::{actor::Actor, object::Kind};
    use naru_ports::As;

    fn ask<'a>(verb: &'a str, kind: Kind, namespace: Option<&'a str>) -> Asked<'a> {
        Asked {
            verb,
            kind,
            namespace,
            name: None,
        }
    }

    fn person(groups: &[&str]) -> Actor {
        Actor {
            groups: groups.iter().map(|&group| group.into()).collect(),
            ..Actor::loopback()
        }
    }

    #[test]
    fn a_person_may_what_any_of_their_groups_may() {
        let patch = || Deeds {
            verb: Some("patch"),
            ..Deeds::default()
        };
        let bans = vec![
            (Who::Group("a".into()), patch()),
            (Who::Group("b".into()), patch()),
        ];
        let rights = Rights {
            bans,
            ..Rights::default()
        };
        let may = |groups: &[&str], verb| {
            rights.allow((&person(groups)).into(), &ask(verb, Kind::Service, Some("n")))
        };
        assert!(!may(&["a"], "patch") && !may(&["a", "b"], "patch") && !may(&[], "get"));
        assert!(may(&["a", "c"], "patch") && may(&["a"], "get"));
    }

    #[test]
    fn a_group_with_few_rights_has_no_others() {
        let mut rights = Rights::default();
        let deeds = Deeds {
            verb: Some("patch"),
            kind: Some(Kind::Service),
            namespace: Some("n".into()),
            name: None,
        };
        rights.only.insert("a".into(), vec![deeds]);
        let may =
            |verb, namespace| rights.allow((&person(&["a"])).into(), &ask(verb, Kind::Service, namespace));
        assert!(may("patch", Some("n")));
        assert!(!may("get", Some("n")) && !may("patch", Some("m")) && !may("patch", None));
    }

    #[test]
    fn a_ban_in_one_namespace_forbids_the_question_for_all() {
        let deeds = Deeds {
            verb: None,
            kind: Some(Kind::Pod),
            namespace: Some("secret".into()),
            name: None,
        };
        let rights = Rights {
            bans: vec![(Who::Naru, deeds)],
            ..Rights::default()
        };
        assert!(!rights.allow(Asker::Naru, &ask("list", Kind::Pod, None)));
        assert!(!rights.allow(Asker::Naru, &ask("list", Kind::Pod, Some("secret"))));
        assert!(rights.allow(Asker::Naru, &ask("list", Kind::Pod, Some("open"))));
        assert!(rights.allow(Asker::Naru, &ask("list", Kind::Service, None)));
        assert!(!rights.allow(Asker::As(As::Controller("c")), &ask("get", Kind::Pod, None)));
    }
}
