//! One weighted rule: linked sliders and number fields over a draft, and the way to its plan.

use super::{arriving, observed, order::Start, track, whose};
use crate::{
    components::{
        in_force::in_force,
        plan_sheet::Ask,
        split::{label, names},
    },
    context::frame,
    format,
    lang::Lang,
    pages::canary_list,
    routes, say,
};
use leptos::{ev, prelude::*};
use leptos_router::components::A;
use naru_view::{
    canary::{Canary, Destination, RuleList, SetWeights, WeightOf},
    weights::{TOTAL, link},
};

/// The draft of a rule: what the sliders say before anybody plans it.
#[derive(Clone, Copy)]
struct Draft {
    weights: RwSignal<Vec<u32>>,
    locked: RwSignal<Vec<bool>>,
    /// Somebody has typed a number and not left its field yet.
    typing: RwSignal<bool>,
}

impl Draft {
    fn set(self, index: usize, wanted: u32) {
        let locked = self.locked.get_untracked();
        self.weights
            .update(|weights| link(weights, &locked, index, wanted));
    }

    fn get(self, index: usize) -> u32 {
        self.weights
            .with(|weights| weights.get(index).copied().unwrap_or(0))
    }

    /// What is set has changed, by our own plan or by somebody else: the draft starts from it anew, unless somebody is in the middle of
    /// one for the same destinations. True where such a draft is kept, and now stands on other weights than it was begun on.
    fn follow(self, (before, was): &Shape, (now, is): &Shape) -> bool {
        let touched = self.typing.get_untracked() || self.weights.with_untracked(|drafted| drafted != was);
        if touched && before == now {
            return self.weights.with_untracked(|drafted| drafted != is);
        }
        self.locked.set(vec![false; is.len()]);
        self.weights.set(is.clone());
        false
    }

    fn locked(self, index: usize) -> bool {
        self.locked
            .with(|locked| locked.get(index).copied().unwrap_or(false))
    }
}

/// The destinations of a rule, and what is set for each, in whole points of 100.
type Shape = (Vec<String>, Vec<u32>);

pub(super) fn rule(
    canary: Memo<Canary>,
    ask: RwSignal<Option<Ask>>,
    begin: RwSignal<Option<Start>>,
) -> impl IntoView {
    let frame = frame();
    let lang = frame.lang;
    let first = canary.get_untracked();
    let list = first.route.list;
    let id = match list {
        RuleList::Http => format!("rule-{}", first.route.rule),
        other => format!("{}-{}", other.field(), first.route.rule),
    };
    let draft = Draft {
        weights: RwSignal::new(first.points()),
        locked: RwSignal::new(vec![false; first.destinations.len()]),
        typing: RwSignal::new(false),
    };
    let shape = Memo::new(move |_| canary.with(|it| (names(it), it.points())));
    let moved = RwSignal::new(false);
    Effect::new(move |before: Option<Shape>| {
        let now = shape.get();
        if let Some(before) = before.filter(|before| *before != now) {
            moved.set(draft.follow(&before, &now));
        }
        now
    });
    let same = Memo::new(move |_| shape.with(|(_, set)| draft.weights.with(|draft| draft == set)));
    let forbidden = Memo::new(move |_| {
        let whose = |it: &Canary| it.barred() && it.owner.as_ref().is_none_or(|owner| !owner.files);
        frame.read_only.is_some() || canary.with(|it| whose(it) || it.destinations.len() < 2)
    });
    let count = Memo::new(move |_| canary.with(|it| it.destinations.len()));
    let rows = move || {
        (0..count.get())
            .map(|i| row(lang, canary, draft, forbidden, i))
            .collect_view()
    };
    let plan = move |_| {
        let intent = canary.with_untracked(|it| {
            let weights = it.destinations.iter().zip(draft.weights.get_untracked());
            let weight = |(to, weight): (&Destination, u32)| WeightOf {
                host: to.host.clone(),
                subset: to.subset.clone(),
                weight,
            };
            SetWeights {
                route: it.route.clone(),
                weights: weights.map(weight).collect(),
            }
        });
        moved.set(false);
        ask.set(Some(Ask::Weights(intent)));
    };
    let reset = move |_| {
        moved.set(false);
        draft.weights.set(shape.with_untracked(|it| it.1.clone()));
    };
    let heading = {
        let id = id.clone();
        move || view! { <h2 id=id.clone()>{canary.with(|it| canary_list::rule(lang, it))}</h2> }
    };
    let stable = move || stable(lang, canary, draft, forbidden);
    // While Naru moves them, whoever sets them should know that they take over.
    let moved_by = Memo::new(move |_| {
        canary.with(|it| it.orders.iter().find(|it| !it.over()).map(|it| it.name.clone()))
    });
    let takes_over = move || {
        let name = moved_by.get()?;
        Some(view! { <p class="notice warn inset">{lang.order_takes_over(&name)}</p> })
    };
    let startable = Memo::new(move |_| canary.with(|it| Start::of(it).is_some()));
    let start = move || {
        startable.get().then(|| {
            let press = move |_| begin.set(canary.with_untracked(Start::of));
            view! {
                <button type="button" class="button" disabled=frame.read_only.is_some() on:click=press>{lang.order_begin()}</button>
            }
        })
    };
    // Of what was set through Naru it is known to the millisecond when it was accepted, and so what was sent after it.
    let changed = Memo::new(move |_| canary.with(|it| it.last_change.clone()));
    let namespace = first.route.namespace.clone();
    let reached = move || {
        let change = changed.get()?;
        Some(view! { <div class="inset">{in_force(namespace.clone(), change)}</div> })
    };
    let to = first
        .destinations
        .first()
        .and_then(|it| service(&it.host, &first.route.namespace));
    view! {
        <section class="card rule" aria-labelledby=id>
            <header>
                {heading}
                <p class="quiet end">{move || canary.with(|it| observed::over(lang, &it.observed))}</p>
            </header>
            {move || moved.get().then(|| view! { <p class="notice warn inset" role="status">{lang.canary_changed_meanwhile()}</p> })}
            {move || canary.with(|it| whose::stands_in_the_way(lang, it))}
            {takes_over}
            {whose::proposals(lang, canary, ask)}
            {whose::handed(lang, canary)}
            <div class="sliders">{rows}</div>
            {move || canary.with(|it| observed::observed(lang, it, ask))}
            {reached}
            {of_list(lang, list)}
            <noscript><p class="notice inset">{lang.canary_needs_script(&list.kind(), &first.route.place())}</p></noscript>
            <footer class="act scripted">
                <button type="button" class="button go" disabled=move || same.get() || forbidden.get() on:click=plan>{lang.canary_plan()}</button>
                {stable}
                <button
                    type="button"
                    class="button"
                    disabled=move || same.get()
                    on:click=reset
                >
                    {lang.canary_reset()}
                </button>
                {start}
                <p class="quiet end" role="status">
                    {move || if same.get() { lang.canary_no_change().to_owned() } else { lang.canary_sum(&draft.weights.with(|it| it.iter().sum::<u32>())) }}
                </p>
            </footer>
            {track::legend(lang)}
            {to.map(|to| view! { <p class="inset"><A href=routes::why("", &to)>{lang.request_open_service()}</A></p> })}
        </section>
    }
}

/// What is otherwise than with rules of `spec.http`.
fn of_list(lang: Lang, list: RuleList) -> impl IntoView {
    let http_route = list == RuleList::HttpRoute;
    let told = [
        http_route.then(|| lang.canary_relative()),
        http_route.then(|| lang.canary_all_counted()),
        (!list.steps()).then(|| lang.canary_no_steps()),
    ];
    let each = |it: &'static str| view! { <p class="quiet inset">{it}</p> };
    told.into_iter().flatten().map(each).collect_view()
}

/// The Service (`namespace/name`) that a rule's host names, if it is written as one of the cluster's.
fn service(host: &str, namespace: &str) -> Option<String> {
    let mut parts = host.split('.');
    let name = parts.next().filter(|it| !it.is_empty() && !it.contains('*'))?;
    match (parts.next(), parts.next()) {
        (None, _) => Some(format!("{namespace}/{name}")),
        (Some(namespace), Some("svc")) => Some(format!("{namespace}/{name}")),
        _ => None,
    }
}

/// "100 % stable" is always in reach: one button.
fn stable(lang: Lang, canary: Memo<Canary>, draft: Draft, forbidden: Memo<bool>) -> impl IntoView + use<> {
    let name = canary.with(|it| it.destinations.get(it.stable()).map(label).unwrap_or_default());
    let all = move |_| {
        draft.locked.update(|locked| locked.fill(false));
        draft.set(canary.with_untracked(Canary::stable), TOTAL);
    };
    view! {
        <button type="button" class="button stop" disabled=move || forbidden.get() on:click=all>{lang.canary_all_stable(&name)}</button>
    }
}

fn row(
    lang: Lang,
    canary: Memo<Canary>,
    draft: Draft,
    forbidden: Memo<bool>,
    i: usize,
) -> impl IntoView + use<> {
    let destination = Memo::new(move |_| canary.with(|it| it.destinations.get(i).cloned()));
    let name = move || destination.with(|it| it.as_ref().map(label).unwrap_or_default());
    let share = Memo::new(move |_| canary.with(|it| observed::share(&it.observed, i)));
    let set = Memo::new(move |_| canary.with(|it| it.points().get(i).copied().unwrap_or(0)));
    // Where weights are no percentages, they are told as they are written.
    let as_set = move || {
        let (weight, total) = canary.with(|it| (it.destinations.get(i).map(|it| it.weight), it.total()));
        let weight = weight.filter(|_| total != u64::from(TOTAL))?;
        Some(lang.canary_as_set(&format::count(total), &format::count(weight.into())))
    };
    let held = move || forbidden.get() || draft.locked(i);
    let by_hand = move |text: String| {
        if let Ok(wanted) = text.trim().parse::<u32>() {
            draft.set(i, wanted.min(TOTAL));
        }
    };
    let slide = move |event: ev::Targeted<ev::Event, web_sys::HtmlInputElement>| {
        draft.typing.set(false);
        by_hand(event.target().value());
        // Where others could not give way the slider goes back to what the draft says.
        event.target().set_value(
            &draft
                .weights
                .with_untracked(|it| it.get(i).copied().unwrap_or(0))
                .to_string(),
        );
    };
    let keys = move |event: ev::KeyboardEvent| {
        // Browsers differ in how far Page keys go: here it is always 10.
        let step: i64 = match &*event.key() {
            "PageUp" => 10,
            "PageDown" => -10,
            _ => return,
        };
        event.prevent_default();
        if !held() {
            let now = i64::from(draft.weights.with_untracked(|it| it.get(i).copied().unwrap_or(0)));
            draft.set(
                i,
                u32::try_from((now + step).clamp(0, i64::from(TOTAL))).unwrap_or(0),
            );
        }
    };
    let lock = move |_| {
        draft.locked.update(|locked| {
            if let Some(it) = locked.get_mut(i) {
                *it = !*it
            }
        })
    };
    let told = move || {
        let said = lang.canary_series(&draft.get(i), &name(), &set.get());
        match share.get() {
            Some(share) => format!(
                "{said}, {}",
                lang.canary_series_observed(&format::points(share.percent))
            ),
            None => said,
        }
    };
    let pods = move || {
        destination.with(|it| match it.as_ref().and_then(|it| it.ready) {
            Some(n) => lang.canary_pods(u64::from(n)),
            None => lang.canary_pods_unknown().into(),
        })
    };
    let host = move || {
        destination.with(|it| {
            it.as_ref()
                .filter(|it| !it.subset.is_empty())
                .map(|it| it.host.to_string())
        })
    };
    let role = move || destination.with(|it| it.as_ref().map(|it| say::role(lang, it.role)));
    let arriving =
        Memo::new(move |_| destination.with(|it| it.as_ref().and_then(|it| it.arriving.zip(Some(it.ready)))));
    let rate = move || arriving.get().map(|(it, ready)| arriving::rate(lang, &it, ready));
    let attempts = move || arriving.get().map(|(it, _)| arriving::attempts(lang, &it));
    let around = move || arriving.get().map(|(it, _)| arriving::around(lang, &it));
    view! {
        <div class="slider">
            <div class="name">
                <strong>{name}</strong>" "<span class="quiet">{role}</span>
                <p class="quiet">{host}</p>
                <p class="quiet">{pods}{rate}</p>
                {attempts}
                {around}
                {move || as_set().map(|it| view! { <p class="quiet num">{it}</p> })}
            </div>
            <div class="track">
                {track::track(set, move || draft.get(i), share)}
                <input
                    type="range"
                    min="0"
                    max=TOTAL
                    step="1"
                    value=set.get_untracked()
                    prop:value=move || draft.get(i).to_string()
                    aria-label=move || lang.canary_weight_of(&name())
                    aria-valuetext=told
                    disabled=held
                    on:input:target=slide
                    on:keydown=keys
                />
            </div>
            <div class="numbers">
                <input
                    type="number"
                    class="field"
                    min="0"
                    max=TOTAL
                    step="1"
                    inputmode="numeric"
                    value=set.get_untracked()
                    prop:value=move || draft.get(i).to_string()
                    aria-label=move || lang.canary_number_of(&name())
                    disabled=held
                    on:input=move |_| draft.typing.set(true)
                    on:blur=move |_| draft.typing.set(false)
                    on:change:target=slide
                    on:keydown=keys
                />
                <span aria-hidden="true">{lang.canary_percent()}</span>
                <button
                    type="button"
                    class="ghost scripted"
                    aria-pressed=move || if draft.locked(i) { "true" } else { "false" }
                    aria-label=move || lang.canary_lock_of(&name())
                    title=lang.canary_lock()
                    disabled=move || forbidden.get()
                    on:click=lock
                >
                    {move || crate::components::icon::icon(if draft.locked(i) { crate::components::icon::Icon::Lock } else { crate::components::icon::Icon::Unlock })}
                </button>
            </div>
        </div>
    }
}
