//! One rule's split as a bar: what is set, and over it what was observed with its interval.

use crate::{format, lang::Lang};
use leptos::prelude::*;
use naru_view::canary::{Canary, Destination, Observed};

/// Subset, or host if it has none.
pub(crate) fn label(destination: &Destination) -> String {
    if destination.subset.is_empty() {
        destination.host.to_string()
    } else {
        destination.subset.to_string()
    }
}

/// The destinations' labels, in the object's order.
pub(crate) fn names(canary: &Canary) -> Vec<String> {
    canary.destinations.iter().map(label).collect()
}

/// What is set, as shares: `v1 90 %, v2 10 %`.
pub(crate) fn told(canary: &Canary) -> String {
    let each = canary.destinations.iter().zip(canary.shares());
    each.map(|(it, share)| format!("{} {} %", label(it), format::share(share)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The intended split in words, the observed one beside it.
pub(crate) fn split(lang: Lang, canary: &Canary) -> impl IntoView + use<> {
    let mut from = 0;
    let parts = canary.points().into_iter().enumerate().map(|(i, points)| {
        let x = from;
        from += points;
        let class = if i == 0 { "part first" } else { "part" };
        view! { <rect class=class x=format!("{x}%") y="6" width=format!("{points}%") height="8"/> }
    });
    let parts = parts.collect_view();
    let mut from = 0.0;
    // The borders between the destinations as they were measured; the last border is the end of the bar.
    let ticks = match &canary.observed {
        Observed::Known { shares, n, .. } if *n > 0 => shares
            .iter()
            .take(shares.len().saturating_sub(1))
            .map(|share| {
                let (low, high) = (from + share.low, from + share.high);
                from += share.percent;
                let width = (high - low).max(0.4);
                view! { <rect class="ghost-tick" x=format!("{low:.2}%") y="1" width=format!("{width:.2}%") height="18" rx="1"/> }
            })
            .collect_view(),
        _ => Vec::new(),
    };
    let observed = observed(lang, canary);
    view! {
        <div class="split">
            <svg class="bar" height="20" aria-hidden="true" focusable="false">{parts}{ticks}</svg>
            <p class="num">{told(canary)}</p>
            <p class="quiet num">{observed}</p>
        </div>
    }
}

fn observed(lang: Lang, canary: &Canary) -> String {
    match &canary.observed {
        Observed::Known { shares, n, .. } if *n > 0 => {
            let shares = canary.destinations.iter().zip(shares);
            let shares: Vec<String> = shares
                .map(|(it, share)| format!("{} {} %", label(it), format::points(share.percent)))
                .collect();
            format!(
                "{} {} (n = {})",
                lang.canary_observed(),
                shares.join(", "),
                format::count(*n)
            )
        }
        _ => lang.canary_observed_unknown().into(),
    }
}
