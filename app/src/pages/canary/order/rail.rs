//! The steps as a rail of stops: which are done, which is in force and how long it lasts, which are ahead.

use super::headline::points;
use crate::{format, lang::Lang};
use leptos::prelude::*;
use naru_view::{
    Millis,
    order::{Order, Phase, Step},
};

/// How a stop stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Done,
    InForce,
    Ahead,
}

impl Stop {
    /// Of the step at a position. Who was rolled back has none behind them.
    fn of(order: &Order, at: usize) -> Self {
        match (order.phase, order.step) {
            (Phase::Promoted | Phase::Finished, _) => Self::Done,
            (Phase::RolledBack, _) | (_, None) => Self::Ahead,
            (_, Some(step)) if at < step as usize => Self::Done,
            (_, Some(step)) if at == step as usize => Self::InForce,
            _ => Self::Ahead,
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::InForce => "now",
            Self::Ahead => "ahead",
        }
    }

    fn word(self, lang: Lang) -> &'static str {
        match self {
            Self::Done => lang.order_done(),
            Self::InForce => lang.order_in_force(),
            Self::Ahead => lang.order_ahead(),
        }
    }
}

pub(super) fn rail(lang: Lang, order: &Order, now: RwSignal<Millis>) -> impl IntoView + use<> {
    let stops = order.steps.iter().enumerate().map(|(at, step)| {
        let stop = Stop::of(order, at);
        let mark = if stop == Stop::Done { "✓".to_owned() } else { (at + 1).to_string() };
        let detail = match stop {
            Stop::InForce => in_force(lang, order, step, now).into_any(),
            Stop::Ahead if step.weight < 100 => ahead(lang, step).into_any(),
            _ => ().into_any(),
        };
        view! {
            <li class=stop.class() aria-current=(stop == Stop::InForce).then_some("step")>
                <b aria-hidden="true">{mark}</b>
                <p class="weight">{points(Some(step.weight))}" %"<span class="visually-hidden">", "{stop.word(lang)}</span></p>
                {detail}
            </li>
        }
    });
    let stops = stops.collect_view();
    // Steps that end below 100 end with a person.
    let person = order.steps.last().is_some_and(|it| it.weight < 100).then(|| {
        let done = matches!(order.phase, Phase::Promoted | Phase::Finished);
        let stop = if done { Stop::Done } else { Stop::Ahead };
        view! {
            <li class=stop.class()>
                <b aria-hidden="true">{if done { "✓" } else { "◇" }}</b>
                <p class="weight">"100 %"<span class="visually-hidden">", "{stop.word(lang)}</span></p>
                <p>{lang.order_by_person()}</p>
            </li>
        }
    });
    view! { <ol class="stops" aria-label=lang.order_steps()>{stops}{person}</ol> }
}

/// How long the step in force lasts yet, as a bar and as a time that runs, and how many requests it has.
fn in_force(lang: Lang, order: &Order, step: &Step, now: RwSignal<Millis>) -> impl IntoView + use<> {
    let time = order.since.zip(order.until).map(|(since, until)| {
        let width = move || format!("{:.1}%", passed(since, until, now.get()) * 100.0);
        let left = move || match until - now.get() {
            left if left > 0 => lang.order_left(&remaining(left)),
            _ => lang.order_dwell_over().to_owned(),
        };
        view! {
            <svg class="lapse" height="4" aria-hidden="true" focusable="false">
                <rect class="way" width="100%" height="4" rx="2"/>
                <rect class="fill" width=width height="4" rx="2"/>
            </svg>
            // What changes every second is for the eye; the moment at which it ends is read out.
            <p><span aria-hidden="true">{left}</span><span class="visually-hidden">{lang.order_lasts_until(&format::utc(until))}</span></p>
        }
    });
    // On its way to another weight it waits for no requests any more.
    let requests = order.until.map(|_| match order.few {
        Some((n, wanted)) => lang.order_requests_of(&format::count(n), &format::count(wanted)),
        None => lang.order_requests(&format::count(step.requests)),
    });
    let requests = requests.map(|text| view! { <p>{text}</p> });
    view! { {time}{requests} }
}

fn ahead(lang: Lang, step: &Step) -> impl IntoView + use<> {
    view! {
        <p>{dwell(lang, step.dwell_s)}</p>
        <p>{lang.order_requests(&format::count(step.requests))}</p>
    }
}

/// `10 min`, in the largest unit that is whole.
pub(super) fn dwell(lang: Lang, seconds: u64) -> String {
    match seconds {
        0 => lang.order_dwell_seconds(&0),
        s if s.is_multiple_of(3_600) => lang.order_dwell_hours(&(s / 3_600)),
        s if s.is_multiple_of(60) => lang.order_dwell_minutes(&(s / 60)),
        s => lang.order_dwell_seconds(&s),
    }
}

/// `3:12`, `1:03:12`; what has begun of a second counts.
pub(super) fn remaining(ms: Millis) -> String {
    let seconds = (ms.max(0) + 999) / 1_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// The share of a time that has passed, 0 to 1.
fn passed(since: Millis, until: Millis, now: Millis) -> f64 {
    let whole = (until - since).max(1) as f64;
    ((now - since) as f64 / whole).clamp(0.0, 1.0)
}

#[cfg(all(test, feature = "fixtures"))]
mod tests {
    use super::{Stop, dwell, passed, remaining};
    use crate::{Lang, fixtures::order};
    use naru_view::order::Phase;

    #[test]
    fn stops_are_done_in_force_or_ahead() {
        let all = |phase| {
            let order = order(phase);
            (0..4).map(|at| Stop::of(&order, at)).collect::<Vec<_>>()
        };
        use Stop::{Ahead, Done, InForce};
        assert_eq!(all(Phase::Waiting), [Ahead; 4]);
        assert_eq!(all(Phase::Dwelling), [Done, InForce, Ahead, Ahead]);
        assert_eq!(all(Phase::RolledBack), [Ahead; 4]);
        assert_eq!(all(Phase::Promoted), [Done; 4]);
    }

    #[test]
    fn times_run_down_to_nothing() {
        for (ms, text) in [
            (0, "0:00"),
            (1, "0:01"),
            (192_000, "3:12"),
            (3_792_000, "1:03:12"),
        ] {
            assert_eq!(remaining(ms), text);
        }
        assert_eq!(remaining(-5), "0:00");
        assert_eq!(
            (passed(0, 100, 25), passed(0, 100, 200), passed(5, 5, 0)),
            (0.25, 1.0, 0.0)
        );
        let told = [0, 45, 600, 7_200, 5_400].map(|s| dwell(Lang::En, s));
        assert_eq!(told, ["0 s", "45 s", "10 min", "2 h", "90 min"]);
    }
}
