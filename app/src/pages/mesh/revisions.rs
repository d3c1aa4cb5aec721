//! The control planes.

use crate::{
    components::sign::{Sign, pill},
    format,
    lang::Lang,
};
use leptos::prelude::*;
use naru_view::{Name, mesh::RevisionRow};

pub(super) fn table(lang: Lang, all: &[RevisionRow], none: &str) -> impl IntoView + use<> {
    let none = all
        .is_empty()
        .then(|| view! { <p class="empty">{none.to_owned()}</p> });
    let rows = all.iter().map(|it| row(lang, it)).collect_view();
    let table = (!all.is_empty()).then(|| {
        view! {
            <div class="scroll" tabindex="0" role="region" aria-labelledby="revisions">
                <table class="rows">
                    <thead>
                        <tr>
                            <th scope="col">{lang.mesh_revision()}</th>
                            <th scope="col">{lang.mesh_istiod()}</th>
                            <th scope="col">{lang.mesh_version()}</th>
                            <th scope="col">{lang.mesh_proxies()}</th>
                            <th scope="col">{lang.mesh_namespaces()}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
    });
    view! {
        <section class="card">
            <header><h2 id="revisions">{lang.mesh_revisions()}</h2></header>
            {none}
            {table}
        </section>
    }
}

fn row(lang: Lang, it: &RevisionRow) -> impl IntoView + use<> {
    let tag = (!it.tag_of.is_empty())
        .then(|| view! { " "<span class="quiet">{lang.mesh_tag_of(&it.tag_of)}</span> });
    let (sign, ready) = match it.istiods {
        None => (Sign::Unknown, lang.verdict_unknown().to_owned()),
        Some((all, ready)) => {
            let sign = match ready {
                0 => Sign::Bad,
                ready if ready < all => Sign::Warn,
                _ => Sign::Good,
            };
            (sign, lang.mesh_ready(&all, &ready))
        }
    };
    let version = |version: &Name| match &**version {
        "" => format::UNKNOWN.to_owned(),
        version => version.to_owned(),
    };
    let proxies = match it.proxies.as_deref() {
        None => format::UNKNOWN.to_owned(),
        Some([]) => "0".to_owned(),
        Some(all) => {
            let each: Vec<String> = all
                .iter()
                .map(|(of, n)| format!("{n} × {}", version(of)))
                .collect();
            each.join(", ")
        }
    };
    view! {
        <tr>
            <th scope="row"><code>{it.name.to_string()}</code>{tag}</th>
            <td>{pill(sign, ready)}</td>
            <td>{or_unknown(&it.versions)}</td>
            <td>{proxies}</td>
            <td class="value">{if it.namespaces.is_empty() { "–".to_owned() } else { it.namespaces.join(", ") }}</td>
        </tr>
    }
}

fn or_unknown(names: &[Name]) -> String {
    match names {
        [] => format::UNKNOWN.to_owned(),
        names => names.join(", "),
    }
}
