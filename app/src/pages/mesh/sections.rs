//! What each source shows and what it does not, as `naru doctor` tells it.

use crate::{components::sign::Sign, lang::Lang, routes};
use leptos::prelude::*;
use leptos_router::components::A;
use naru_view::mesh::{Line, Section, Tone};

pub(super) fn cards(lang: Lang, all: &[Section]) -> impl IntoView + use<> {
    let cards = all.iter().enumerate().map(|(at, it)| {
        let id = format!("source-{at}");
        let of = id.clone();
        let lines = it.lines.iter().map(|it| line(lang, it)).collect_view();
        view! {
            <section class="card" aria-labelledby=of>
                <header><h2 id=id>{it.title.clone()}</h2></header>
                <ul class="plain told">{lines}</ul>
            </section>
        }
    });
    cards.collect_view()
}

fn line(lang: Lang, it: &Line) -> impl IntoView + use<> {
    let (sign, word) = match it.tone {
        Tone::Good => (Sign::Good, lang.mesh_tone_good()),
        Tone::Idle => (Sign::Idle, lang.mesh_tone_idle()),
        Tone::Bad => (Sign::Bad, lang.mesh_tone_bad()),
        Tone::Unknown => (Sign::Unknown, lang.verdict_unknown()),
    };
    let class = format!("mark {}", sign.class());
    let items = it.items.iter().map(|id| {
        let (href, text) = (routes::item(id), id.to_string());
        view! { " "<A href attr:class="chip">{text}</A> }
    });
    let items = items.collect_view();
    view! {
        <li>
            <span class=class role="img" aria-label=word>{sign.shape()}</span>
            <span>{it.text.clone()}{items}</span>
        </li>
    }
}
