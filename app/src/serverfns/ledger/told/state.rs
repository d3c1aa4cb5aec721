//! How the signatures stand, and why they do not count.

use super::person;
use crate::{lang::Lang, say};
use naru_domain::{
    crossing::{
        Audited, Item,
        progress::Holdup,
        reopen::Reopened,
        standing::{self, Signed, Standing},
    },
    object::Key,
};
use naru_view::{
    Name,
    ledger::{LedgerState, Signature, SignatureState},
};

/// As a whole.
pub(crate) fn ledger(lang: Lang, audited: &Audited) -> LedgerState {
    let chain = audited.chain.as_ref();
    LedgerState {
        count: chain.map_or(0, |head| head.count),
        head: chain.map_or_else(|_| "".into(), |head| head.digest.0.clone()),
        broken: chain.err().map(|broken| say::broken(lang, broken)),
        gone: gone(audited),
        unguarded: unguarded(lang, audited),
    }
}

/// What nobody asks for any more. Where the Migration cannot be read it is not known what it asks for.
fn gone(audited: &Audited) -> Vec<Name> {
    if audited.revision.is_none() {
        return Vec::new();
    }
    let asked = audited.items.all();
    let gone = audited.ledger.no_longer_asked(&asked);
    gone.into_iter().cloned().collect()
}

/// What is wrong with each admission policy that signatures rest on. What is not known is not said to be missing.
fn unguarded(lang: Lang, audited: &Audited) -> Vec<String> {
    if let Some(why) = &audited.guards.unknown {
        return vec![say::why(lang, why)];
    }
    let down = audited.guards.down.iter();
    down.map(|(name, down)| say::guard(lang, name, *down)).collect()
}

/// Why nobody can sign an item now; empty if somebody can.
pub(crate) fn unsignable(lang: Lang, audited: &Audited, standing: &Standing) -> Vec<String> {
    let mut whys = unguarded(lang, audited);
    match &standing.signature {
        standing::Signature::Untrusted(broken) => whys.push(say::broken(lang, broken)),
        _ if !standing.signable() => whys.push(lang.ledger_not_met().into()),
        _ => {}
    }
    whys
}

/// The latest signature under an item.
pub(crate) fn signature(lang: Lang, audited: &Audited, standing: &Standing) -> Signature {
    let signed = signed(&standing.signature);
    let sign_offs = &audited.ledger.sign_offs;
    let found = signed.and_then(|signed| sign_offs.iter().find(|it| it.name == signed.name));
    let why = match &standing.signature {
        standing::Signature::Untrusted(broken) => vec![say::broken(lang, broken)],
        standing::Signature::Revoked(_, it) => vec![lang.ledger_revoked_by(&it.actor.name, &it.reason)],
        standing::Signature::Reopened(_, it) => reopened_by(lang, it),
        _ => Vec::new(),
    };
    Signature {
        state: state_of(&standing.signature),
        name: signed.map_or_else(|| "".into(), |it| it.name.clone()),
        link: found.map_or_else(|| "".into(), |it| it.link.0.clone()),
        by: signed.map(|it| person(&it.by)),
        second: signed.and_then(|it| it.second.as_ref()).map(person),
        at: signed.map(|it| it.at.as_millisecond()),
        statement: found.map_or_else(String::new, |it| it.spec.statement.to_string()),
        why,
    }
}

/// Who signed, of a signature that is there.
pub(crate) fn signed(signature: &standing::Signature) -> Option<&Signed> {
    match signature {
        standing::Signature::None | standing::Signature::Untrusted(_) => None,
        standing::Signature::SecondMissing(signed)
        | standing::Signature::Pending(signed)
        | standing::Signature::Valid(signed)
        | standing::Signature::Revoked(signed, _)
        | standing::Signature::Reopened(signed, _) => Some(signed),
    }
}

/// What became of it.
pub(crate) fn state_of(signature: &standing::Signature) -> SignatureState {
    match signature {
        standing::Signature::None => SignatureState::None,
        standing::Signature::Untrusted(_) => SignatureState::Untrusted,
        standing::Signature::SecondMissing(_) => SignatureState::SecondMissing,
        standing::Signature::Pending(_) => SignatureState::Pending,
        standing::Signature::Valid(_) => SignatureState::Valid,
        standing::Signature::Revoked(..) => SignatureState::Revoked,
        standing::Signature::Reopened(..) => SignatureState::Reopened,
    }
}

/// Why an item is open again: what was found, what is no longer known, what changed.
pub(super) fn reopened_by(lang: Lang, reopened: &Reopened) -> Vec<String> {
    let place = |object: &Key| object.to_string();
    let none = || Name::from("–");
    let wrong = reopened
        .findings
        .iter()
        .map(|it| lang.ledger_found(&it.code, &place(&it.object), &it.path));
    let unknown = reopened.unknown.iter();
    let unknown = unknown.map(|check| lang.ledger_no_longer_known(check));
    let facts = reopened.facts.iter().map(|it| {
        let label = lang.fact(&it.name).unwrap_or(&it.name);
        let object = it.object.as_ref().map_or_else(String::new, place);
        let (before, after) = (
            it.before.clone().unwrap_or_else(none),
            it.after.clone().unwrap_or_else(none),
        );
        lang.ledger_changed(&after, &before, &label, &object)
    });
    wrong.chain(unknown).chain(facts).collect()
}

/// Why an item holds up the next phase.
pub(crate) fn holdup(lang: Lang, (item, why): (Item, Holdup)) -> String {
    let key = match why {
        Holdup::NotMet => "not-met",
        Holdup::Unsigned => "unsigned",
        Holdup::SecondMissing => "second-missing",
        Holdup::Pending => "pending",
        Holdup::Revoked => "revoked",
        Holdup::Reopened => "reopened",
        Holdup::Untrusted => "untrusted",
    };
    lang.holdup(key).unwrap_or(key).replace("{item}", item.id())
}

#[cfg(all(test, feature = "fixtures"))]
mod tests {
    use super::ledger;
    use crate::{Lang, fixtures};
    use naru_domain::{
        Timestamp,
        actor::Actor,
        crossing::{Audited, waiver::WaiverSpec},
        object::Kind,
        snapshot::Objects,
    };

    #[test]
    fn what_nobody_asks_for_any_more_is_named_where_it_is_known_what_is_asked_for() {
        let mut objects = fixtures::ledger();
        let gone = |objects: &Objects| ledger(Lang::En, &Audited::of(objects, None)).gone;
        assert!(gone(&objects).is_empty());
        let waiver = WaiverSpec {
            item: "2.checkout".into(),
            reason: "r".into(),
            owner: "o".into(),
            until: Timestamp::MAX,
            actor: Actor::loopback(),
            at: Timestamp::UNIX_EPOCH,
        };
        let waiver = waiver.object("later").unwrap();
        objects.whole.insert(waiver.key().clone(), waiver);
        assert_eq!(gone(&objects), ["2.checkout".into()]);
        objects.whole.retain(|key, _| key.kind != Kind::Migration);
        assert!(gone(&objects).is_empty());
    }
}
