//! What is observed of a rule: the split, and how each destination answered, beside what was before the weights were set.

use super::apart;
use crate::{
    components::{plan_sheet::Ask, sign, split::label, whys::whys},
    format,
    lang::Lang,
};
use leptos::prelude::*;
use naru_view::canary::{Canary, Observed, Share};

/// A destination's measured share, where there is one.
pub(super) fn share(observed: &Observed, i: usize) -> Option<Share> {
    match observed {
        Observed::Known { shares, n, .. } if *n > 0 => shares.get(i).cloned(),
        _ => None,
    }
}

/// From when to when, and how many.
pub(super) fn over(lang: Lang, observed: &Observed) -> Option<String> {
    match observed {
        Observed::Known { from, to, n, .. } => {
            Some(lang.canary_observed_window(&format::clock(*from), &format::count(*n), &format::clock(*to)))
        }
        Observed::Unknown { .. } => None,
    }
}

/// The observed split as a table, judged against what is set; or why there is none.
pub(super) fn observed(lang: Lang, canary: &Canary, ask: RwSignal<Option<Ask>>) -> AnyView {
    let (shares, unrouted, others, window) = match &canary.observed {
        Observed::Unknown { whys: reasons, apart } => {
            let apart = apart.as_ref().map(|it| apart::steps(lang, it, ask));
            return view! { <div class="inset"><p>{lang.canary_observed_unknown()}</p>{whys(lang, reasons)}{apart}</div> }.into_any();
        }
        Observed::Known { n: 0, .. } => {
            return view! { <p class="inset">{lang.canary_too_few()}</p> }.into_any();
        }
        Observed::Known {
            shares,
            unrouted,
            others,
            before,
            ..
        } => (shares, *unrouted, *others, *before),
    };
    let set = canary.shares();
    let rows = canary
        .destinations
        .iter()
        .zip(&set)
        .zip(shares)
        .map(|((to, set), share)| {
            let interval = lang.canary_observed_value(
                &format::points(share.high),
                &format::points(share.low),
                &format::points(share.percent),
            );
            let part = |failed: u64, n: u64| (n > 0).then(|| failed as f64 / n as f64);
            let failed = part(share.failed, share.n);
            let past = |told: String| view! { <p class="quiet num">{lang.canary_before(&told)}</p> };
            let failed_before = share.before.map(|it| {
                past(match part(it.failed, it.n) {
                    failed @ Some(_) => format::percent_of(failed),
                    None => lang.canary_before_none().into(),
                })
            });
            let mean_before = share
                .before
                .and_then(|it| it.mean_ms)
                .map(|it| past(format::duration(it)));
            view! {
                <tr>
                    <th scope="row">{label(to)}</th>
                    <td class="r">{format::share(*set)}" %"</td>
                    <td class="r">{interval}</td>
                    <td class="r">{format::count(share.n)}</td>
                    <td class="r">{sign::errors(failed)}{failed_before}</td>
                    <td class="r">{format::duration_of(share.mean_ms)}{mean_before}</td>
                </tr>
            }
        });
    // Rounding to a tenth is what people see; a weight on the edge of that counts as inside.
    let mut each = set.iter().zip(shares);
    let inside = each.all(|(set, share)| (share.low - 0.05..=share.high + 0.05).contains(set));
    let verdict = if inside {
        lang.canary_inside()
    } else {
        lang.canary_outside()
    };
    let class = if inside { "quiet inset" } else { "inset text-warn" };
    let unrouted =
        (unrouted > 0).then(|| view! { <p class="inset text-bad">{lang.canary_unrouted(unrouted)}</p> });
    let others = (others > 0)
        .then(|| view! { <p class="quiet inset">{lang.canary_others(&format::count(others))}</p> });
    view! {
        <div class="scroll">
            <table class="rows observed">
                <thead>
                    <tr>
                        <th scope="col"><span class="visually-hidden">{lang.table_route()}</span></th>
                        <th scope="col" class="r">{lang.canary_set()}</th>
                        <th scope="col" class="r">{lang.table_observed()}</th>
                        <th scope="col" class="r">"n"</th>
                        <th scope="col" class="r">{lang.table_errors()}</th>
                        <th scope="col" class="r">{lang.table_average()}</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
        <p class=class>{verdict}</p>
        {window.map(|(from, to)| view! { <p class="quiet inset">{lang.canary_before_window(&format::clock(from), &format::clock(to))}</p> })}
        {others}
        {unrouted}
    }
    .into_any()
}
