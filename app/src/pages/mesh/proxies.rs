//! Pods that have a proxy, those in trouble first.

use crate::{
    components::{
        age::age,
        sign::{Sign, pill},
        states::empty,
    },
    format,
    lang::Lang,
};
use leptos::prelude::*;
use naru_view::mesh::{Proxies, ProxyRow, Sync};

pub(super) fn table(lang: Lang, it: &Proxies) -> impl IntoView + use<> {
    let none = (it.all == 0).then(|| empty(lang.mesh_no_proxies()));
    let rows = it.rows.iter().map(|it| row(lang, it)).collect_view();
    let shown = it.rows.len();
    let count = (it.all > 0).then(|| {
        let text = lang.count_shown(&it.all, &shown);
        view! { <p class="quiet end">{text}</p> }
    });
    let unscraped = it.unscraped.filter(|it| *it > 0).map(|n| {
        let text = lang.mesh_unscraped(u64::from(n));
        view! { <p class="body">{pill(Sign::Bad, text)}</p> }
    });
    let table = (it.all > 0).then(|| {
        view! {
            <div class="scroll" tabindex="0" role="region" aria-labelledby="proxies">
                <table class="rows">
                    <thead>
                        <tr>
                            <th scope="col">{lang.mesh_pod()}</th>
                            <th scope="col">{lang.mesh_sync()}</th>
                            <th scope="col">{lang.mesh_version()}</th>
                            <th scope="col" class="wide">{lang.mesh_revision()}</th>
                            <th scope="col" class="wide">{lang.mesh_istiod()}</th>
                            <th scope="col">{lang.mesh_scraped()}</th>
                            <th scope="col" class="wide">{lang.mesh_created()}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
    });
    view! {
        <section class="card">
            <header><h2 id="proxies">{lang.mesh_proxies()}</h2>{count}</header>
            {none}
            {unscraped}
            {table}
        </section>
    }
}

fn row(lang: Lang, it: &ProxyRow) -> impl IntoView + use<> {
    let (sign, word) = match it.sync {
        Sync::Acknowledged => (Sign::Good, lang.mesh_acknowledged()),
        Sync::Waiting => (Sign::Warn, lang.mesh_waiting()),
        Sync::Refused => (Sign::Bad, lang.mesh_refused()),
        Sync::Unconnected => (Sign::Bad, lang.mesh_unconnected()),
        Sync::Unknown => (Sign::Unknown, lang.verdict_unknown()),
    };
    let (collected, said) = match it.scraped {
        Some(true) => (Sign::Good, lang.mesh_yes()),
        Some(false) => (Sign::Bad, lang.mesh_no()),
        None => (Sign::Unknown, lang.verdict_unknown()),
    };
    let detail = (!it.detail.is_empty()).then(|| view! { " "<span class="quiet">{it.detail.clone()}</span> });
    let text = |text: &str| match text {
        "" => format::UNKNOWN.to_owned(),
        text => text.to_owned(),
    };
    view! {
        <tr>
            <th scope="row"><span class="ns">{format!("{}/", it.namespace)}</span>{it.name.to_string()}</th>
            <td class="value">{pill(sign, word)}{detail}</td>
            <td>{text(&it.version)}</td>
            <td class="wide"><code>{text(&it.revision)}</code></td>
            <td class="wide">{text(&it.istiod)}</td>
            <td>{pill(collected, said)}</td>
            <td class="wide">{it.created.map(|at| age(lang, at))}</td>
        </tr>
    }
}
