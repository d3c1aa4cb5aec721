//! One step of the chain: a sign, a name, what is so, and by which field.

use crate::{components::sign::Sign, lang::Lang};
use leptos::prelude::*;
use naru_view::explanation::Decider;

/// A step; `name` is its heading, `level` two within a destination.
pub(super) fn step(sign: Sign, name: &'static str, deep: bool, body: AnyView) -> AnyView {
    let class = match sign.class() {
        "ok" => "step ok",
        "warn" => "step warn",
        "bad" => "step bad",
        _ => "step idle",
    };
    let name = if deep {
        view! { <h4>{name}</h4> }.into_any()
    } else {
        view! { <h3>{name}</h3> }.into_any()
    };
    view! {
        <li class=class>
            <span class="mark" aria-hidden="true">{sign.shape()}</span>
            <div class="told">{name}{body}</div>
        </li>
    }
    .into_any()
}

/// `decided by VirtualService a/b /spec/http/0`.
pub(super) fn by(lang: Lang, decider: Option<&Decider>) -> Option<AnyView> {
    let text = match decider? {
        Decider::Object {
            kind,
            namespace,
            name,
            path,
        } => lang.explain_by(&format!("{kind} {namespace}/{name} {path}").trim_end()),
        Decider::Elsewhere => lang.explain_by(&lang.request_object_elsewhere()),
    };
    Some(view! { <p class="by"><code>{text}</code></p> }.into_any())
}

/// A paragraph.
pub(super) fn line(text: impl Into<String>) -> AnyView {
    let text: String = text.into();
    view! { <p>{text}</p> }.into_any()
}
