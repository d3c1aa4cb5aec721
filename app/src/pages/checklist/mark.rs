//! Marks of the checklist: verdicts and what became of signatures, as shape, word and colour.

use crate::{components::sign::Sign, format, lang::Lang};
use leptos::prelude::*;
use naru_view::{
    Millis,
    checklist::Verdict,
    ledger::{Person, SignatureState},
};

/// The sign and word of a verdict.
pub(crate) fn verdict(lang: Lang, verdict: Verdict) -> (Sign, &'static str) {
    match verdict {
        Verdict::Met => (Sign::Good, lang.verdict_met()),
        Verdict::NotMet => (Sign::Bad, lang.verdict_not_met()),
        Verdict::Unknown => (Sign::Unknown, lang.verdict_unknown()),
    }
}

/// What became of a signature. Each state has a shape of its own, for whoever does not see colours.
pub(crate) fn signature(lang: Lang, state: SignatureState) -> impl IntoView {
    let (class, shape, word) = match state {
        SignatureState::None => ("pill idle", "○", lang.sign_none()),
        SignatureState::Untrusted => ("pill bad", "✕", lang.sign_untrusted()),
        SignatureState::SecondMissing => ("pill warn", "◐", lang.sign_second_missing()),
        SignatureState::Pending => ("pill idle", "…", lang.sign_pending()),
        SignatureState::Valid => ("pill ok", "✓", lang.sign_valid()),
        SignatureState::Revoked => ("pill warn", "⊘", lang.sign_revoked()),
        SignatureState::Reopened => ("pill bad", "↻", lang.sign_reopened()),
    };
    mark(class, shape, word.to_owned())
}

/// It is passed over.
pub(crate) fn waived(lang: Lang, until: Millis) -> impl IntoView {
    mark("pill idle", "◌", lang.sign_waived(&format::day(until)))
}

/// A pill with a shape that no other judgement has.
pub(crate) fn mark(class: &'static str, shape: &'static str, word: String) -> impl IntoView {
    view! { <span class=class><span aria-hidden="true">{shape}</span>{word}</span> }
}

/// A person: what they are called, and who they are. Two people may be called the same.
pub(crate) fn person(it: &Person) -> impl IntoView + use<> {
    let who = if it.issuer.is_empty() {
        it.sub.to_string()
    } else {
        format!("{} · {}", it.sub, it.issuer)
    };
    view! { <span class="person"><bdi>{it.name.to_string()}</bdi>" "<bdi class="quiet">{who}</bdi></span> }
}
