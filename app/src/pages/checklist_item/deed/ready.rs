//! What is put one's name to, what is typed for it, and the button.

use super::{super::findings::finding, Ask, Sheet, Shown, Stage, fields, shown};
use crate::context::frame;
use leptos::{ev, html, prelude::*};

pub(super) fn ready(sheet: Sheet, shown: Option<&Shown>, stage: Stage) -> impl IntoView + use<> {
    let lang = sheet.lang;
    let Some(ask) = sheet.ask.get_untracked() else {
        return ().into_any();
    };
    let wants = ask.wants();
    let busy = stage == Stage::Putting;
    let anew = (stage == Stage::Anew).then(|| anew(lang.sign_changed()));
    let told = shown.map(|it| shown::shown(lang, it));
    let about = match &ask {
        Ask::Except(alike) => {
            let alike = alike.iter().map(|it| finding(lang, it, None)).collect_view();
            Some(view! { <ul class="findings boxed">{alike}</ul> })
        }
        _ => None,
    };
    let means = ask.means(lang).map(|text| view! { <p>{text}</p> });
    // Whoever signs first needs what the API server was asked for; a second person needs a little less than that.
    let barred = matches!(ask, Ask::Sign(..)) && shown.is_some_and(|it| it.sheet.may == Some(false));
    let read_only = frame().read_only.is_some();
    let shown = shown.cloned().map(Box::new);
    let seen = shown.clone();
    let fits = Memo::new(move |_| sheet.deed(seen.as_deref()).is_some());
    let idle = !busy && !barred && !read_only;
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if let (true, Some(deed)) = (idle, untrack(|| sheet.deed(shown.as_deref()))) {
            sheet.put(deed, shown.clone());
        }
    };
    let hint = move || match (read_only, fits.get()) {
        (true, _) => lang.plan_read_only(),
        (false, false) => fields::needed(sheet, wants),
        (false, true) => "",
    };
    let word = if busy { lang.sign_putting() } else { ask.verb(lang) };
    view! {
        <form on:submit=submit>
            <div class="body">
                {anew}
                {means}
                {about}
                {told}
                {fields::fields(sheet, wants)}
            </div>
            <footer>
                <button class="button go" aria-describedby="deed-hint" disabled=move || !idle || !fits.get()>{word}</button>
                <button type="button" class="button" on:click=move |_| sheet.dialog.close()>{lang.sign_cancel()}</button>
                <p id="deed-hint" class="quiet">{hint}</p>
            </footer>
        </form>
    }
    .into_any()
}

/// That what was shown is no longer so. Focus goes there, since what had it is gone.
fn anew(text: &'static str) -> impl IntoView {
    let notice = NodeRef::<html::P>::new();
    focused(move || notice.get().map(Into::into));
    view! { <p node_ref=notice tabindex="-1" class="notice warn" role="alert">{text}</p> }
}

/// Moves focus to an element once it is in the document.
pub(super) fn focused(element: impl Fn() -> Option<web_sys::HtmlElement> + 'static) {
    Effect::new(move |_| {
        if let Some(element) = element() {
            request_animation_frame(move || {
                let _ = element.focus();
            });
        }
    });
}
