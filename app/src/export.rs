//! All that people have put their names to as one page, to be read and printed without Naru: no script, no address outside.

mod entries;

use crate::{format, lang::Lang, say, serverfns};
use entries::{over, signature};
use leptos::prelude::*;
use naru_domain::{
    crossing::{Ledger, Migration, SignOff, export::Export},
    object::{Kind, Object},
};

/// The whole document.
pub fn export_page(lang: Lang, export: &Export) -> String {
    // What was read is made of objects.
    let objects = export.objects().unwrap_or_default();
    let ledger = Ledger::read(&objects);
    let system = objects
        .iter()
        .find(|it| it.key().kind == Kind::Migration)
        .and_then(|it: &Object| Migration::read(it).ok())
        .map_or_else(String::new, |it| it.system.to_string());
    let whole = match export.verify(None) {
        Ok(head) => lang.cli_whole(&head.count, &head.digest),
        Err(broken) => say::broken(lang, &broken),
    };
    let own = export.items();
    let asked = own.all();
    let items = asked.iter().map(|item| {
        let title = format!("{item} {}", serverfns::title(lang, *item, &own));
        of_item(lang, item.id(), title, &ledger)
    });
    let gone = ledger.no_longer_asked(&asked).into_iter();
    let gone = gone.map(|id| of_item(lang, id, lang.export_gone(id), &ledger));
    let items = items.chain(gone).collect_view();
    let exceptions = ledger
        .exceptions
        .iter()
        .map(|it| {
            let about = format!("{} · {}", it.spec.code, it.spec.object);
            let said = (&it.spec.reason, &it.spec.owner);
            let until = it.spec.until;
            over(lang, &it.name, &about, &it.spec.actor, said, until, &it.status)
        })
        .collect_view();
    let title = lang.export_title(&system);
    let at = format::utc(export.exported_at.as_millisecond());
    let page = view! {
        <html lang=lang.tag()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width"/>
                <title>{title.clone()}</title>
                <style>{STYLE}</style>
            </head>
            <body>
                <h1>{title}</h1>
                <p>{lang.export_at(&at)}</p>
                <p class="whole">{whole}</p>
                <p>{lang.export_check()}" "<code>"naru verify FILE --head DIGEST"</code></p>
                {items}
                <h2>{lang.export_exceptions()}</h2>
                {(ledger.exceptions.is_empty()).then(|| view! { <p>{lang.export_none()}</p> })}
                <ul>{exceptions}</ul>
            </body>
        </html>
    };
    format!("<!DOCTYPE html>\n{}\n", page.to_html())
}

/// Plain enough to outlive fashions; what is printed is what is shown.
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}\
code{overflow-wrap:anywhere}h2{margin-top:2rem;border-top:1px solid #999;padding-top:1rem}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.2rem .6rem .2rem 0;overflow-wrap:anywhere}\
li{margin:.5rem 0}details{margin:.3rem 0}.whole{font-weight:600;overflow-wrap:anywhere}@media print{details{display:block}}";

fn of_item(lang: Lang, item: &str, title: String, ledger: &Ledger) -> impl IntoView + use<> {
    let signed = |it: &&SignOff| *it.spec.item == *item;
    let signatures = ledger.sign_offs.iter().filter(signed);
    let signatures = signatures
        .map(|it| signature(lang, it, ledger.evidence_of(it)))
        .collect_view();
    let waivers = ledger.waivers.iter().filter(|it| *it.spec.item == *item);
    let waivers = waivers
        .map(|it| {
            let said = (&it.spec.reason, &it.spec.owner);
            let about = lang.history_waived();
            over(
                lang,
                &it.name,
                about,
                &it.spec.actor,
                said,
                it.spec.until,
                &it.status,
            )
        })
        .collect_view();
    let none = signatures.is_empty() && waivers.is_empty();
    view! {
        <h2>{title}</h2>
        {none.then(|| view! { <p>{lang.export_none()}</p> })}
        <ul>{signatures}{waivers}</ul>
    }
}

#[cfg(all(test, feature = "fixtures"))]
mod tests {
    use super::export_page;
    use crate::{Lang, fixtures};
    use naru_domain::crossing::export::Export;

    #[test]
    fn what_people_wrote_is_text_and_the_page_needs_nothing_from_elsewhere() {
        let objects = fixtures::ledger();
        let export = Export::of(&objects, now());
        for lang in Lang::ALL {
            let html = export_page(lang, &export);
            for said in ["000001", "김나루", "&lt;b&gt;", "BuildingBite", "1.1"] {
                assert!(html.contains(said), "{said} in {html}");
            }
            for odd in ["<script", "http://", "<b>", "src="] {
                assert!(!html.contains(odd), "{odd}");
            }
        }
    }

    #[test]
    fn what_is_no_longer_asked_for_is_told_with_its_signatures() {
        let export = Export::of(&fixtures::ledger(), now());
        let told = |lang: Lang, export: &Export| {
            export_page(lang, export).contains(&lang.export_gone(&"2.checkout"))
        };
        let mut gone = export.clone();
        for sign_off in &mut gone.sign_offs {
            sign_off["spec"]["item"] = "2.checkout".into();
        }
        let mut asked = gone.clone();
        asked.migrations[0]["spec"]["items"] = serde_json::json!([
            {"phase": 2, "name": "checkout", "title": "The checkout answers", "query": "up", "atLeast": 1, "for": "5m"}]);
        for lang in Lang::ALL {
            assert!(!told(lang, &export) && told(lang, &gone) && !told(lang, &asked));
            let page = export_page(lang, &asked);
            assert!(page.contains("2.checkout The checkout answers"), "{page}");
        }
    }

    fn now() -> naru_domain::Timestamp {
        naru_domain::Timestamp::from_millisecond(fixtures::NOW).unwrap_or_default()
    }
}
