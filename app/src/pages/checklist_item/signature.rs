//! The latest signature: whose, when, what they said, why it does not count; and what can be done about it.

use super::{
    super::checklist::mark::{self, person},
    Asking,
    deed::Ask,
};
use crate::{components::age::age, context::frame, format, lang::Lang, say};
use leptos::prelude::*;
use naru_view::{
    Name,
    checklist::ItemPage,
    ledger::{Revocable, Signature, SignatureState},
};

pub(super) fn signature(lang: Lang, it: &ItemPage, asking: Asking) -> AnyView {
    let told = if it.signature.by.is_some() {
        told(lang, &it.signature).into_any()
    } else if it.signature.state == SignatureState::None {
        view! { <p>{lang.sign_nobody()}</p> }.into_any()
    } else {
        ().into_any()
    };
    let two = it.two_people.then(|| view! { <p>{lang.sign_two_people()}</p> });
    let class = match it.signature.state {
        SignatureState::Reopened | SignatureState::Untrusted => "notice bad",
        _ => "notice warn",
    };
    let why = reasons("sign-why", class, lang.sign_why(), &it.signature.why);
    let cannot = reasons("sign-cannot", "notice", lang.sign_cannot(), &unsignable(it));
    view! {
        <section class="card" aria-labelledby="signature">
            <header>
                <h2 id="signature" tabindex="-1">{lang.sign_title()}</h2>
                {mark::signature(lang, it.signature.state)}
            </header>
            <div class="body signature">{why}{told}{two}{cannot}</div>
            {acts(lang, it, asking)}
        </section>
    }
    .into_any()
}

/// Who, when, what, as which object.
pub(super) fn told(lang: Lang, it: &Signature) -> impl IntoView + use<> {
    let second = it.second.as_ref().map(|second| {
        view! { <div><dt>{lang.sign_second()}</dt><dd>{person(second)}</dd></div> }
    });
    let at = it.at.map(|at| {
        view! { <div><dt>{lang.sign_when()}</dt><dd>{age(lang, at)}" · "{format::utc(at)}</dd></div> }
    });
    view! {
        <dl class="pairs">
            <div><dt>{lang.sign_by()}</dt><dd>{it.by.as_ref().map(person)}</dd></div>
            {second}
            {at}
            <div><dt>{lang.sign_said()}</dt><dd class="statement">{it.statement.clone()}</dd></div>
            <div><dt>{lang.sign_object()}</dt><dd><code>{it.name.to_string()}</code></dd></div>
            <div><dt>{lang.sign_digest()}</dt><dd>{digest(&it.link)}</dd></div>
        </dl>
    }
}

/// The beginning of a digest, and all of it on demand.
pub(super) fn digest(it: &Name) -> impl IntoView + use<> {
    let short: String = it.chars().take(12).collect();
    view! { <details class="digest"><summary><code>{short}"…"</code></summary><code>{it.to_string()}</code></details> }
}

fn reasons(
    id: &'static str,
    class: &'static str,
    title: &'static str,
    all: &[String],
) -> Option<impl IntoView + use<>> {
    (!all.is_empty()).then(|| {
        let all = all
            .iter()
            .map(|it| view! { <li>{it.clone()}</li> })
            .collect_view();
        view! { <div class=class id=id><p>{title}</p><ul>{all}</ul></div> }
    })
}

/// Why nobody can sign, where somebody would want to.
fn unsignable(it: &ItemPage) -> Vec<String> {
    let settled = matches!(
        it.signature.state,
        SignatureState::Valid | SignatureState::Pending
    );
    if settled {
        Vec::new()
    } else {
        it.unsignable.clone()
    }
}

/// What a person can do. Nothing where nothing may be written, which is said; and nothing before the item was judged.
fn acts(lang: Lang, it: &ItemPage, asking: Asking) -> Option<AnyView> {
    if let Some(why) = frame().read_only {
        let why = say::read_only(lang, why);
        return Some(view! { <footer class="acts"><p class="quiet">{why}</p></footer> }.into_any());
    }
    let ask = asking.filter(|_| it.judged.is_some())?.deed;
    let (state, item) = (it.signature.state, it.row.id.clone());
    let blocked = !it.unsignable.is_empty();
    let sign = match state {
        SignatureState::Valid | SignatureState::Pending => None,
        SignatureState::SecondMissing => Some((lang.sign_countersign(), Ask::Countersign(item.clone()))),
        _ => {
            let title = it.row.title.clone();
            Some((lang.sign_sign(), Ask::Sign(item.clone(), title)))
        }
    };
    let sign = sign.map(|(word, wish)| {
        let reason = blocked.then_some("sign-cannot");
        view! {
            <button type="button" class="button go" disabled=blocked aria-describedby=reason on:click=move |_| ask.set(Some(wish.clone()))>
                {word}
            </button>
        }
    });
    let standing = matches!(
        state,
        SignatureState::SecondMissing | SignatureState::Pending | SignatureState::Valid
    );
    let revoke = standing.then(|| {
        let what = Revocable::SignOff;
        let name = it.signature.name.clone();
        verb(lang.sign_revoke(), ask, Ask::Revoke { what, name })
    });
    let waive = it.row.waived_until.is_none().then(|| {
        let wish = Ask::Waive(item, it.row.title.clone());
        verb(lang.sign_waive(), ask, wish)
    });
    Some(view! { <footer class="acts scripted">{sign}{revoke}{waive}</footer> }.into_any())
}

fn verb(word: &'static str, ask: RwSignal<Option<Ask>>, wish: Ask) -> impl IntoView {
    view! { <button type="button" class="button" on:click=move |_| ask.set(Some(wish.clone()))>{word}</button> }
}
