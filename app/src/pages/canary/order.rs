//! The steps that Naru takes with one rule: where it is and why, what comes next, how both versions compare, and how people steer it.

mod begin;
mod compared;
mod headline;
mod rail;
mod steer;

pub(super) use begin::{Start, sheet as begin_sheet};
use headline::phase;
pub(super) use headline::{headline, stands};
pub(super) use steer::{Wish, sheet as steer_sheet};

use crate::{
    components::{age::age, sign::pill},
    context::frame,
    format,
    lang::Lang,
    live::Live,
    say,
};
use leptos::prelude::*;
use leptos_router::components::A;
use naru_view::{
    Name,
    canary::Canary,
    order::{Astray, Lost, Order, Phase, Said},
};

/// What is ordered of a rule, each in a card of its own. `alone`: the page's heading says already where it is.
pub(super) fn orders(canary: Memo<Canary>, ask: RwSignal<Option<Wish>>, alone: Memo<bool>) -> impl IntoView {
    let lang = frame().lang;
    let names =
        Memo::new(move |_| canary.with(|it| it.orders.iter().map(|it| it.name.clone()).collect::<Vec<_>>()));
    let two = move || {
        names.with(|names| {
            let list = names.iter().map(|it| &**it).collect::<Vec<_>>().join(", ");
            (names.len() > 1)
                .then(|| view! { <p class="notice warn" role="alert">{lang.order_two(&list)}</p> })
        })
    };
    let each = move |name: Name| {
        let find = move |it: &Canary| it.orders.iter().find(|it| it.name == name).cloned();
        let first = canary.with_untracked(&find);
        first.map(|first| {
            // An order that is gone takes its card along; until then it stays as it was.
            let order = Memo::new(move |held: Option<&Order>| {
                canary
                    .with(&find)
                    .or_else(|| held.cloned())
                    .unwrap_or_else(|| first.clone())
            });
            card(canary, order, ask, alone)
        })
    };
    view! {
        {two}
        <For each=move || names.get() key=Clone::clone children=each/>
    }
}

fn card(
    canary: Memo<Canary>,
    order: Memo<Order>,
    ask: RwSignal<Option<Wish>>,
    alone: Memo<bool>,
) -> impl IntoView {
    let lang = frame().lang;
    let now = Live::here().now;
    let (rule, name) = (
        canary.with_untracked(|it| it.route.rule),
        order.with_untracked(|it| it.name.clone()),
    );
    let id = format!("order-{rule}-{name}");
    let labelled = id.clone();
    let title = move || {
        if alone.get() {
            lang.order_title().to_owned()
        } else {
            order.with(|it| headline(lang, it))
        }
    };
    let state = move || {
        let (sign, word) = order.with(|it| phase(lang, it.phase));
        pill(sign, word)
    };
    let about = move || {
        order.with(|it| {
            let since = it
                .since
                .map(|at| view! { " · "{lang.order_since()}" "{age(lang, at)} });
            let change = it.change.as_ref().map(|change| {
                let told = lang.order_change(change);
                view! { " · "<A href="/changes">{told}</A> }
            });
            view! { {lang.order_of(&it.name, &it.approved_by)}{since}{change} }
        })
    };
    // Told once, and again only where it is another: what is drawn anew would be read out anew.
    let alarm = Memo::new(move |_| order.with(|it| it.alarm.clone()));
    let alarm = move || {
        alarm.get().map(|it| {
            view! {
                <div class="notice bad" role="alert">
                    <h3>{lang.order_alarm()}</h3>
                    <p>{say::said(lang, &it)}</p>
                </div>
            }
        })
    };
    let next = move || {
        order.with(|it| headline::next(lang, it, now.get()).map(|text| view! { <p class="next">{text}</p> }))
    };
    let reasons = move || order.with(|it| reasons(lang, it));
    let rail = move || order.with(|it| rail::rail(lang, it, now));
    let compared = move || order.with(|it| compared::compared(lang, it));
    view! {
        <section class="card order" aria-labelledby=labelled>
            <header>
                <h2 id=id>{title}</h2>
                {state}
                <p class="quiet end">{about}</p>
            </header>
            <div class="body">
                {alarm}
                {next}
                {reasons}
                {move || order.with(|it| blind(lang, it))}
                {move || order.with(|it| unnamed(lang, it))}
            </div>
            {rail}
            {compared}
            {steer::buttons(canary, order, ask)}
        </section>
    }
}

/// Why it is where it is. What every step takes is told by the rail, and what people are alarmed about is told above.
fn reasons(lang: Lang, order: &Order) -> impl IntoView + use<> {
    let usual = |it: &Said| {
        (order.until.is_some() && matches!(&*it.code, "dwell" | "few-requests"))
            || (order.phase == Phase::Dwelling && &*it.code == "awaits-promotion")
    };
    let told = order
        .why
        .iter()
        .filter(|it| !usual(it) && order.alarm.as_ref() != Some(it));
    let items = told
        .map(|it| view! { <li>{say::said(lang, it)}</li> })
        .collect_view();
    (!items.is_empty()).then(|| view! { <ul class="reasons">{items}</ul> })
}

/// Where the canary of a rule is, for lists; None where Naru moves none, or what came of it is no longer so.
pub(in crate::pages) fn in_short(lang: Lang, canary: &Canary) -> Option<impl IntoView + use<>> {
    let order = canary.orders.iter().find(|it| stands(it))?;
    let (sign, word) = phase(lang, order.phase);
    Some(view! { <div class="moved">{pill(sign, word)}<p class="quiet">{headline(lang, order)}</p></div> })
}

/// Canary objects that move nothing, and why.
pub(in crate::pages) fn astray(lang: Lang, all: &[Astray]) -> Option<impl IntoView + use<>> {
    let items = all.iter().map(|it| {
        let name = format!("{}/{}", it.namespace, it.name);
        let said = match &it.why {
            Lost::Unreadable { detail } => lang.order_astray_unreadable(detail, &name),
            Lost::NoRule { rule } => lang.order_astray_no_rule(&(rule + 1), &name, &it.route),
        };
        view! { <li>{said}</li> }
    });
    let items = items.collect_view();
    (!items.is_empty()).then(
        || view! { <div class="notice warn astray" role="status"><h3>{lang.order_astray_title()}</h3><ul>{items}</ul></div> },
    )
}

fn blind(lang: Lang, order: &Order) -> Option<impl IntoView + use<>> {
    let since = order.blind_since.filter(|_| !order.over())?;
    Some(view! { <p class="notice warn">{lang.order_blind(&format::utc(since))}</p> })
}

/// The rule and the Canary do not speak of the same destinations.
fn unnamed(lang: Lang, order: &Order) -> Option<impl IntoView + use<>> {
    let lost = order.weight.is_none() && !order.over();
    lost.then(|| view! { <p class="notice warn">{lang.order_no_destination(&order.canary)}</p> })
}
