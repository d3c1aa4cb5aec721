//! The answer as a chain: caller, route, destinations with what is behind them.

mod end;

use super::{
    form,
    step::{by, line, step},
    verdict::Standing,
};
use crate::{
    components::{sign::Sign, whys::whys},
    context::lang,
    format,
    lang::Lang,
    say,
};
use leptos::prelude::*;
use naru_view::{
    explanation::{Behind, Effects, Explanation, Leg, Outcome},
    topology::Meshed,
};

pub(super) fn answer(told: &Explanation) -> impl IntoView + use<> {
    let lang = lang();
    let asked = format!("{} {}", told.ask.method, told.ask.url);
    let mut steps = vec![caller(lang, told), route(lang, told)];
    let several = told.legs.len() > 1;
    steps.extend(told.legs.iter().map(|it| leg(lang, told, it, several)));
    view! {
        <section class="card" aria-labelledby="why-chain">
            <header>
                <h2 id="why-chain">{lang.request_chain()}</h2>
                <code class="asked">{asked}</code>
                <a href=form::again(&told.ask) rel="external" class="button little end">{lang.request_again()}</a>
            </header>
            <ol class="chain">{steps}</ol>
        </section>
    }
}

fn caller(lang: Lang, told: &Explanation) -> AnyView {
    let caller = &told.caller;
    let principal = caller.principal.as_deref().unwrap_or(format::UNKNOWN);
    let (sign, text) = match (caller.meshed, caller.gateway) {
        (Meshed::Sidecar, true) => (Sign::Good, lang.explain_gateway(&principal, &caller.workload)),
        (Meshed::Sidecar, false) => (Sign::Good, lang.explain_sidecar(&principal, &caller.workload)),
        (Meshed::Ambient, _) => (Sign::Unknown, lang.request_ambient(&caller.workload)),
        _ => (Sign::Warn, lang.explain_plain(&caller.workload)),
    };
    step(sign, lang.table_caller(), false, line(text))
}

fn route(lang: Lang, told: &Explanation) -> AnyView {
    let nowhere = told.legs.is_empty();
    let (sign, text) = match &told.outcome {
        Outcome::Sent => (Sign::Good, None),
        Outcome::ByDns if nowhere => (Sign::Idle, Some(lang.request_by_dns_nowhere().to_owned())),
        Outcome::ByDns => (Sign::Idle, Some(lang.request_by_dns().into())),
        Outcome::NoVirtualHost => (Sign::Bad, Some(lang.explain_no_virtual_host().into())),
        Outcome::NoRoute => (Sign::Bad, Some(lang.explain_no_route().into())),
        Outcome::NoListener => (Sign::Bad, Some(lang.explain_no_listener().into())),
        Outcome::NoFilterChain => (Sign::Bad, Some(lang.explain_no_filter_chain().into())),
        Outcome::Passthrough => (Sign::Idle, Some(lang.explain_passthrough().into())),
        Outcome::BlackHole => (Sign::Bad, Some(lang.explain_black_hole().into())),
        Outcome::Redirect {
            code,
            authority,
            path,
        } => {
            let to = format!("{authority}{path}");
            let to = (!to.is_empty()).then(|| lang.request_redirect_to(&to));
            let text = [Some(lang.explain_redirect(code)), to];
            (
                Sign::Idle,
                Some(text.into_iter().flatten().collect::<Vec<_>>().join(" ")),
            )
        }
        Outcome::Direct { status } => (Sign::Idle, Some(lang.explain_direct(status))),
        Outcome::Elsewhere => (Sign::Unknown, Some(lang.request_host_elsewhere().into())),
        Outcome::Unknown { whys } => (Sign::Unknown, Some(lang.explain_unknown(&say::whys(lang, whys)))),
    };
    let deciders = told
        .deciders
        .iter()
        .filter_map(|it| by(lang, Some(it)))
        .collect_view();
    let by_default =
        (told.deciders.is_empty() && told.outcome == Outcome::Sent).then(|| line(lang.request_by_default()));
    let effects = effects(lang, &told.effects);
    let effects = (!effects.is_empty()).then(|| {
        let items = effects
            .into_iter()
            .map(|text| view! { <li>{text}</li> })
            .collect_view();
        view! { <ul class="bullets">{items}</ul> }
    });
    let body = view! { {text.map(line)}{by_default}{deciders}{effects} }.into_any();
    step(sign, lang.table_route(), false, body)
}

fn effects(lang: Lang, it: &Effects) -> Vec<String> {
    let time = |ms: u64| format::duration(ms as f64);
    let part = |percentage: f64| format!("{} %", format::number(percentage));
    let mut all = Vec::new();
    all.extend(it.timeout_ms.map(|ms| lang.request_timeout(&time(ms))));
    if let Some(retries) = &it.retries {
        all.push(match u64::from(retries.attempts) {
            0 => lang.request_no_retries().into(),
            n => lang.request_retries(n, &retries.on),
        });
        all.extend(retries.per_try_ms.map(|ms| lang.request_per_try(&time(ms))));
    }
    all.extend(
        it.delay
            .map(|(percentage, ms)| lang.request_delay(&part(percentage), &time(ms))),
    );
    all.extend(
        it.abort
            .map(|(percentage, status)| lang.request_abort(&part(percentage), &status)),
    );
    if !it.authority.is_empty() {
        all.push(lang.request_rewrite_host(&it.authority));
    }
    all.extend(it.path.as_ref().map(|path| lang.request_rewrite_path(path)));
    let mirror =
        |(to, percentage): &(naru_view::Name, u32)| lang.request_mirror(&format!("{percentage} %"), to);
    all.extend(it.mirrors.iter().map(mirror));
    all
}

fn leg(lang: Lang, told: &Explanation, leg: &Leg, several: bool) -> AnyView {
    let sign = if leg.weight == 0 {
        Sign::Idle
    } else {
        Standing::behind(&leg.behind).sign()
    };
    let share = format!("{} %", leg.weight);
    let to = say::destination(&leg.host, &leg.subset);
    let text = if leg.behind == Behind::Elsewhere {
        lang.request_leg_elsewhere(&share)
    } else {
        lang.explain_sent(&to, &leg.port, &share)
    };
    let bar = several.then(|| {
        let width = format!("{}%", leg.weight.min(100));
        view! {
            <svg class="bar" height="6" aria-hidden="true" focusable="false"><rect class="way" width="100%" height="6"/><rect class="part" width=width height="6"/></svg>
        }
    });
    let behind = match &leg.behind {
        Behind::NoCluster => line(lang.explain_no_cluster(&to)),
        Behind::Elsewhere => ().into_any(),
        Behind::Unknown { whys: reasons } => {
            view! { <p>{lang.request_behind_unknown()}</p>{whys(lang, reasons)} }.into_any()
        }
        Behind::Ends { ends } => {
            let nobody = ends
                .iter()
                .all(|it| it.ready == 0)
                .then(|| line(lang.explain_no_endpoints()));
            let ends = ends.iter().map(|it| end::end(lang, told, it)).collect_view();
            view! { {nobody}{ends} }.into_any()
        }
    };
    let body = view! { <p>{text}</p>{bar}{behind} }.into_any();
    step(sign, lang.request_destination(), false, body)
}
