//! One VirtualService or HTTPRoute: each weighted rule with what is set, what is drafted and what is observed.

mod apart;
mod arriving;
mod observed;
pub(super) mod order;
mod rule;
mod track;
mod whose;

use super::{canary_list, missing};
use crate::{
    Lang,
    components::{
        page::Heading,
        plan_sheet::{Handed, plan_sheet},
        split,
        whys::whys,
    },
    context::{frame, lang},
    live,
};
use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_params_map};
use naru_view::{
    canary::{Canaries, Canary, RouteRef, RuleList},
    order::Astray,
    source::{Freshness, SourceState},
    why::{SourceName, Why},
};
use std::sync::Arc;

/// The page of a VirtualService.
pub(crate) fn canary() -> impl IntoView {
    live::part::<Canaries>(|data| draw(data, RuleList::Http.kind()))
}

/// The page of an HTTPRoute.
pub(crate) fn http_route() -> impl IntoView {
    live::part::<Canaries>(|data| draw(data, RuleList::HttpRoute.kind()))
}

fn draw(data: RwSignal<Arc<Canaries>>, kind: &'static str) -> AnyView {
    let lang = lang();
    let params = use_params_map();
    let address = Memo::new(move |_| {
        params.with(|it| {
            (
                it.get("namespace").unwrap_or_default(),
                it.get("name").unwrap_or_default(),
            )
        })
    });
    let rules = Memo::new(move |_| {
        let (namespace, name) = address.get();
        let ours = |it: &&Canary| {
            let route = &it.route;
            (route.list.kind(), &*route.namespace, &*route.name) == (kind, &*namespace, &*name)
        };
        data.with(|it| it.routes.iter().filter(ours).cloned().collect::<Vec<_>>())
    });
    let lost = Memo::new(move |_| {
        let (namespace, name) = address.get();
        // Canary objects name VirtualServices alone.
        let ours = |it: &&Astray| {
            kind == RuleList::Http.kind() && (&*it.namespace, &*it.route) == (&*namespace, &*name)
        };
        data.with(|it| it.astray.iter().filter(ours).cloned().collect::<Vec<_>>())
    });
    let found = Memo::new(move |_| !rules.with(Vec::is_empty));
    // What Kubernetes has not told completely may be there all the same: that is not known, and no 404.
    let untold = Memo::new(move |_| data.with(|it| untold(&it.sources)));
    let absent = move || {
        let (namespace, name) = address.get();
        match untold.get() {
            Some(missing) => not_known(lang, &name, &missing).into_any(),
            None => missing(
                lang.canary_not_found(&name, &namespace),
                lang.canary_not_found_text(&kind),
                "/canary",
                lang.canary_back(),
            )
            .into_any(),
        }
    };
    view! { <Show when=move || found.get() fallback=absent>{move || body(rules, lost)}</Show> }.into_any()
}

/// What is missing from what Kubernetes tells; None where it has told everything.
fn untold(sources: &[SourceState]) -> Option<Vec<Why>> {
    let kubernetes = sources.iter().find(|it| it.source == SourceName::Kubernetes)?;
    (kubernetes.state != Freshness::Fresh).then(|| kubernetes.whys.clone())
}

fn not_known(lang: Lang, name: &str, missing: &[Why]) -> impl IntoView + use<> {
    view! {
        <div class="page">
            <Heading title=lang.app_title(&lang.canary_open(&name)) answer=lang.canary_not_known(&name)/>
            {whys(lang, missing)}
            <p><A href="/canary">{lang.canary_back()}</A></p>
        </div>
    }
}

fn body(rules: Memo<Vec<Canary>>, lost: Memo<Vec<Astray>>) -> impl IntoView {
    let frame = frame();
    let lang = frame.lang;
    provide_context(Handed(RwSignal::new(Vec::new())));
    let (ask, steer, begin) = (RwSignal::new(None), RwSignal::new(None), RwSignal::new(None));
    let alone = Memo::new(move |_| rules.with(|it| matches!(&**it, [one] if one.orders.len() == 1)));
    let name = move || {
        rules.with_untracked(|rules| {
            rules
                .first()
                .map(|it| it.route.name.to_string())
                .unwrap_or_default()
        })
    };
    let answer = Memo::new(move |_| {
        rules.with(|rules| match &**rules {
            [one] => {
                let told = match &*one.orders {
                    [order] if order::stands(order) => order::headline(lang, order),
                    _ => split::told(one),
                };
                lang.canary_answer(&one.route.name, &told)
            }
            [first, ..] => lang.canary_answer_rules(rules.len() as u64, &first.route.name),
            [] => String::new(),
        })
    });
    let about = move || {
        rules.with(|rules| {
            let first = rules.first()?;
            let list =
                |names: &[naru_view::Name]| names.iter().map(|it| &**it).collect::<Vec<_>>().join(", ");
            let bound = if first.gateways.is_empty() {
                "mesh".into()
            } else {
                list(&first.gateways)
            };
            Some(format!(
                "{} {}/{} · {} {} · {} {}",
                first.route.list.kind(),
                first.route.namespace,
                first.route.name,
                lang.canary_hosts(),
                list(&first.hosts),
                lang.canary_gateways(),
                bound
            ))
        })
    };
    let title = lang.app_title(&lang.canary_open(&name()));
    let keys = Memo::new(move |_| rules.with(|it| it.iter().map(|it| it.route.clone()).collect::<Vec<_>>()));
    let section = move |route: RouteRef| {
        let first = rules.with_untracked(|all| all.iter().find(|it| it.route == route).cloned());
        first.map(|first| {
            let canary = Memo::new(move |held: Option<&Canary>| {
                // A rule that is gone takes its section along; until then it stays as it was.
                rules
                    .with(|all| all.iter().find(|it| it.route == route).cloned())
                    .or_else(|| held.cloned())
                    .unwrap_or_else(|| first.clone())
            });
            view! {
                {order::orders(canary, steer, alone)}
                {rule::rule(canary, ask, begin)}
            }
        })
    };
    let in_flight = Memo::new(move |_| rules.with(|all| all.iter().any(canary_list::in_flight)));
    let sign = move || {
        use crate::components::sign::{Sign, pill};
        if in_flight.get() {
            pill(Sign::Good, lang.canary_in_flight())
        } else {
            pill(Sign::Idle, lang.canary_settled())
        }
    };
    view! {
        <div class="page">
            <p class="back"><A href="/canary">{lang.canary_back()}</A></p>
            <div class="lead">
                <Heading title answer/>
                {sign}
                <p>{about}</p>
            </div>
            {frame.read_only.map(|_| view! { <p class="notice">{lang.canary_read_only()}</p> })}
            {move || lost.with(|it| order::astray(lang, it))}
            <For each=move || keys.get() key=Clone::clone children=section/>
            {plan_sheet(ask)}
            {order::steer_sheet(steer)}
            {order::begin_sheet(begin)}
        </div>
    }
}
