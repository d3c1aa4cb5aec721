//! Both versions beside each other: each metric with its difference, the interval of that, and what is allowed.

use crate::{
    components::sign::{Sign, pill},
    format,
    lang::Lang,
    say,
};
use leptos::prelude::*;
use naru_view::order::{Compared, Measured, Metric, Order, Span};

pub(super) fn compared(lang: Lang, order: &Order) -> impl IntoView + use<> {
    let id = format!("compared-{}", order.name);
    let title = lang.order_compared(&order.canary, &order.stable);
    if order.metrics.is_empty() {
        let text = lang.order_nothing_compared();
        return view! { <div class="compared"><h3 id=id>{title}</h3><p class="quiet">{text}</p></div> }
            .into_any();
    }
    let rows = order.metrics.iter().map(|it| row(lang, it)).collect_view();
    let left_out = order.left_out.map(|at| lang.order_left_out(&format::utc(at)));
    let left_out = left_out.map(|text| view! { <p class="quiet">{text}</p> });
    view! {
        <div class="compared">
            <h3 id=id.clone()>{title}</h3>
            <p class="quiet">{lang.order_compared_how()}</p>
            {left_out}
            <div class="scroll" tabindex="0" role="group" aria-labelledby=id>
                <table class="rows">
                    <thead>
                        <tr>
                            <th scope="col">{lang.order_metric()}</th>
                            <th scope="col" class="r">{order.stable.to_string()}</th>
                            <th scope="col" class="r">{order.canary.to_string()}</th>
                            <th scope="col">{lang.order_difference()}</th>
                            <th scope="col" class="r">{lang.order_allowed()}</th>
                            <th scope="col" class="r">{lang.order_requests_n()}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </div>
    }
    .into_any()
}

fn row(lang: Lang, it: &Measured) -> impl IntoView + use<> {
    let (sign, word) = match it.finding() {
        Compared::Worse => (Sign::Bad, lang.order_worse()),
        Compared::Undecided => (Sign::Warn, lang.order_undecided()),
        Compared::Within => (Sign::Good, lang.order_within()),
    };
    // What is usual is said once, above.
    let span = match it.span {
        Span::Began => None,
        Span::Weight => Some(lang.order_span_weight()),
        Span::Recent => Some(lang.order_span_recent()),
    };
    let span = span.map(|text| view! { <p class="quiet">{text}</p> });
    // Retries are a number per request, everything else a share.
    let retries = it.metric == Metric::Amplification;
    let value = |x: f64| {
        if retries {
            plain(x)
        } else {
            format::percent_of(Some(x))
        }
    };
    let by = |x: f64| signed(if retries { x } else { x * 100.0 });
    let allowed = if retries {
        by(it.threshold)
    } else {
        lang.order_points(&by(it.threshold))
    };
    view! {
        <tr>
            <th scope="row"><p>{say::metric(lang, it.metric)}</p>{pill(sign, word)}{span}</th>
            <td class="r">{value(it.stable)}</td>
            <td class="r">{value(it.canary)}</td>
            <td class="difference">
                <p class="num">{lang.order_interval(&by(it.difference), &by(it.high), &by(it.low))}</p>
                {bar(it)}
            </td>
            <td class="r">{allowed}</td>
            <td class="r">{format::count(it.n)}</td>
        </tr>
    }
}

fn plain(x: f64) -> String {
    format!("{:.3}", x.max(0.0))
}

/// Two decimals with a sign, a true minus, and no sign of nothing.
fn signed(x: f64) -> String {
    if !x.is_finite() {
        return format::UNKNOWN.into();
    }
    match format!("{x:+.2}") {
        zero if matches!(&*zero, "+0.00" | "-0.00") => "0.00".into(),
        text => text.replace('-', "−"),
    }
}

/// Positions in percent of the drawing, so that no style attribute is needed: the interval, the difference in it, nothing as a line, and
/// what is allowed as a dashed one.
fn bar(it: &Measured) -> impl IntoView + use<> {
    let at = scale(it);
    let percent = move |x: f64| format!("{:.2}%", at(x));
    let class = match it.finding() {
        Compared::Worse => "between bad",
        Compared::Undecided => "between warn",
        Compared::Within => "between",
    };
    // What is thinner than a line would not be seen.
    let width = format!("{:.2}%", (at(it.high) - at(it.low)).max(0.8));
    let (zero, difference, allowed) = (percent(0.0), percent(it.difference), percent(it.threshold));
    view! {
        <svg class="versus" height="20" aria-hidden="true" focusable="false">
            <line class="zero" x1=zero.clone() x2=zero y1="1" y2="19"/>
            <rect class=class x=percent(it.low) y="6" width=width height="8" rx="2"/>
            <line class="found" x1=difference.clone() x2=difference y1="3" y2="17"/>
            <line class="allowed" x1=allowed.clone() x2=allowed y1="1" y2="19"/>
        </svg>
    }
}

/// From a difference to a position, 0 to 100, with room on both sides. An interval that is much wider than what is allowed is cut off there,
/// or one could not tell zero from it.
fn scale(it: &Measured) -> impl Fn(f64) -> f64 + Copy + use<> {
    const ROOM: f64 = 3.0;
    let reach = it.threshold.max(it.difference.abs()) * 4.0;
    let from = it.low.max(-reach).min(0.0);
    let to = it.high.min(reach).max(it.threshold).max(it.difference);
    move |x: f64| {
        let whole = (to - from).max(f64::MIN_POSITIVE);
        (ROOM + (x - from) / whole * (100.0 - 2.0 * ROOM)).clamp(0.0, 100.0)
    }
}

#[cfg(all(test, feature = "fixtures"))]
mod tests {
    use super::{scale, signed};
    use crate::fixtures::measured;
    use naru_view::order::Metric;

    #[test]
    fn differences_have_a_sign_and_nothing_has_none() {
        let told = [0.434, -0.1, 0.0, 0.001, -0.001, f64::NAN].map(signed);
        assert_eq!(told, ["+0.43", "−0.10", "0.00", "0.00", "0.00", "–"]);
    }

    #[test]
    fn the_bar_shows_nothing_and_what_is_allowed_apart_however_wide_the_interval_is() {
        for (low, difference, high) in [(-0.001, 0.0, 0.002), (-0.6, 0.0, 0.9), (0.4, 0.5, 0.6)] {
            let at = scale(&measured(Metric::Errors, 0.0, (low, difference, high), 0.01));
            assert!(at(0.0) < at(0.01), "{low} {high}");
            assert!((0.0..=100.0).contains(&at(low)) && at(high) <= 100.0);
            assert!(at(difference) >= 0.0 && at(difference) <= 100.0);
        }
        let wide = scale(&measured(Metric::Errors, 0.0, (-0.6, 0.0, 0.9), 0.01));
        assert!(wide(0.01) - wide(0.0) > 5.0, "they can be told apart");
    }
}
