//! The signatures as a whole: how many, the end of their chain, and loudly what is wrong with them.

use crate::lang::Lang;
use leptos::prelude::*;
use naru_view::ledger::LedgerState;

/// Why no signature counts, or none can be given: before everything else.
pub(super) fn alarms(lang: Lang, it: &LedgerState) -> impl IntoView + use<> {
    let broken = it.broken.iter().cloned().collect();
    view! {
        {alarm("ledger-broken", lang.sign_ledger_broken(), broken)}
        {alarm("ledger-unguarded", lang.sign_ledger_unguarded(), it.unguarded.clone())}
    }
}

fn alarm(id: &'static str, title: &'static str, whys: Vec<String>) -> Option<impl IntoView> {
    (!whys.is_empty()).then(|| {
        let whys = whys.into_iter().map(|it| view! { <li>{it}</li> }).collect_view();
        view! {
            <section class="notice bad alarm" aria-labelledby=id>
                <h2 id=id><span aria-hidden="true">"◆ "</span>{title}</h2>
                <ul>{whys}</ul>
            </section>
        }
    })
}

pub(super) fn ledger(lang: Lang, it: &LedgerState) -> impl IntoView + use<> {
    let count = match it.count {
        0 => lang.sign_ledger_none().to_owned(),
        n => lang.sign_ledger_count(u64::from(n)),
    };
    let head = (!it.head.is_empty()).then(|| {
        let command = format!("naru verify FILE --head {}", it.head);
        view! {
            <dl class="pairs">
                <div><dt>{lang.sign_ledger_head()}</dt><dd><code class="digest">{it.head.to_string()}</code></dd></div>
            </dl>
            <p>{lang.sign_ledger_keep()}</p>
            <pre class="command" tabindex="0">{command}</pre>
        }
    });
    let gone = (!it.gone.is_empty()).then(|| {
        let items = it.gone.join(", ");
        view! { <p>{lang.sign_ledger_gone(&items)}</p> }
    });
    // What is broken has said so above; a count of nothing would contradict it.
    let count = it.broken.is_none().then(|| view! { <p>{count}</p> });
    view! {
        <section class="card" aria-labelledby="ledger">
            <header><h2 id="ledger">{lang.sign_ledger()}</h2></header>
            <div class="body ledger">{count}{gone}{head}{it.broken.clone().map(|it| view! { <p>{it}</p> })}</div>
        </section>
    }
}
