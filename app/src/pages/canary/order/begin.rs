//! Having Naru take the steps: what it goes through, and what that means, before it is ordered.

use super::steer::closing;
use crate::{
    AppError,
    components::{
        dialog::Dialog,
        sign::{Sign, pill},
        split::label,
    },
    context::frame,
    lang::Lang,
    say, serverfns,
};
use leptos::{ev, prelude::*, task::spawn_local};
use naru_view::{
    Name,
    canary::{Canary, RouteRef},
    order::{Begin, LONGEST_S, STEPS, Step},
    weights::TOTAL,
};

/// What a button asks for: the rule as it was when it was pressed.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Start {
    route: RouteRef,
    stable: String,
    canary: String,
    /// The canary's weight now: no step may be below it.
    weight: u32,
}

impl Start {
    /// Of a rule that Naru could move: of `spec.http`, two destinations that share 100, of which the one with more weight is the stable version, and nobody else's.
    pub(in super::super) fn of(it: &Canary) -> Option<Self> {
        let [one, other] = &*it.destinations else {
            return None;
        };
        // The first step is held against what is set, as percentages.
        let odd = !it.route.list.steps() || it.total() != u64::from(TOTAL);
        if odd || it.barred() || it.orders.iter().any(|it| !it.over()) {
            return None;
        }
        let (stable, canary) = if other.weight > one.weight {
            (other, one)
        } else {
            (one, other)
        };
        Some(Self {
            route: it.route.clone(),
            stable: label(stable),
            canary: label(canary),
            weight: canary.weight,
        })
    }

    /// The steps that most begin with, as far as they are ahead.
    fn usual(&self) -> String {
        let ahead = [10, 25, 50, 100]
            .into_iter()
            .filter(|it| *it >= self.weight.max(1));
        ahead.map(|it| it.to_string()).collect::<Vec<_>>().join(" ")
    }
}

/// What is typed. It outlives everything but another wish.
#[derive(Clone, Copy)]
struct Typed {
    weights: RwSignal<String>,
    minutes: RwSignal<String>,
    requests: RwSignal<String>,
    points: RwSignal<String>,
}

impl Typed {
    fn fresh(self, start: &Start) {
        self.weights.set(start.usual());
        self.minutes.set("10".into());
        self.requests.set("500".into());
        self.points.set("1".into());
    }

    /// What would be sent, if what is typed can be meant.
    fn wish(self, start: &Start) -> Option<Begin> {
        wish(
            start,
            &self.weights.get(),
            &self.minutes.get(),
            &self.requests.get(),
            &self.points.get(),
        )
    }
}

fn wish(start: &Start, weights: &str, minutes: &str, requests: &str, points: &str) -> Option<Begin> {
    let numbers = weights.split(|c: char| c.is_whitespace() || c == ',');
    let numbers = numbers
        .filter(|it| !it.is_empty())
        .map(|it| it.trim_end_matches('%').parse::<u32>());
    let weights = numbers.collect::<Result<Vec<_>, _>>().ok()?;
    let dwell_s = minutes.trim().parse::<u64>().ok()?.checked_mul(60)?;
    let requests = requests.trim().parse::<u64>().ok()?;
    let errors = points.trim().parse::<f64>().ok()? / 100.0;
    let fits = (1..=STEPS as usize).contains(&weights.len())
        && weights.first().is_some_and(|it| *it >= start.weight)
        && weights.last().is_some_and(|it| *it <= 100)
        && weights.windows(2).all(|two| two[0] < two[1])
        && dwell_s <= LONGEST_S
        && errors > 0.0
        && errors <= 1.0;
    let step = |weight| Step {
        weight,
        dwell_s,
        requests,
    };
    fits.then(|| Begin {
        route: start.route.clone(),
        steps: weights.into_iter().map(step).collect(),
        errors,
    })
}

/// How far it is.
#[derive(Clone, Debug, PartialEq)]
enum Stage {
    Typing,
    Sending,
    Done(Name),
    Failed(AppError),
}

/// Opens whenever `ask` is set, and unsets it when closed.
pub(in super::super) fn sheet(ask: RwSignal<Option<Start>>) -> impl IntoView {
    let frame = frame();
    let lang = frame.lang;
    let dialog = Dialog::new(ask);
    let stage = RwSignal::new(Stage::Typing);
    let typed = Typed {
        weights: RwSignal::new(String::new()),
        minutes: RwSignal::new(String::new()),
        requests: RwSignal::new(String::new()),
        points: RwSignal::new(String::new()),
    };
    dialog.opens(move |start| {
        typed.fresh(&start);
        stage.set(Stage::Typing);
    });
    let close = move || dialog.close();
    let send = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let idle = stage.with_untracked(|it| matches!(it, Stage::Typing));
        let wish = ask
            .get_untracked()
            .and_then(|start| untrack(|| typed.wish(&start)));
        let (true, Some(wish)) = (idle, wish) else {
            return;
        };
        let now = dialog.next();
        stage.set(Stage::Sending);
        spawn_local(async move {
            let answer = serverfns::begin_canary(wish).await;
            if let Err(AppError::SignedOut) = answer {
                crate::live::sign_in();
            }
            if dialog.waits(now) {
                stage.set(answer.map_or_else(Stage::Failed, Stage::Done));
            }
        });
    };
    let who = StoredValue::new(frame.who);
    let form = move |start: &Start| {
        let fits = {
            let start = start.clone();
            Memo::new(move |_| typed.wish(&start).is_some())
        };
        let sending = move || stage.with(|it| *it == Stage::Sending);
        let weight = start.weight;
        let bad = move || (!fits.get()).then(|| lang.order_begin_bad(&weight));
        let word = move || {
            if sending() {
                lang.order_sending()
            } else {
                lang.order_begin_confirm()
            }
        };
        view! {
            <form on:submit=send>
                <div class="body">
                    <p>{lang.order_begin_text(&start.canary, &start.stable)}</p>
                    {fields(lang, typed, &start.canary)}
                    <section>
                        <h3>{lang.order_will()}</h3>
                        <p>{lang.order_begin_means(&start.weight, &who.get_value())}</p>
                    </section>
                </div>
                <footer>
                    <button class="button go" aria-describedby="begin-hint" disabled=move || sending() || !fits.get()>{word}</button>
                    <button type="button" class="button" on:click=move |_| close()>{lang.plan_cancel()}</button>
                    <p id="begin-hint" class="quiet" role="status">{bad}</p>
                </footer>
            </form>
        }
    };
    // Drawn anew only where it is something else: what is typed keeps its place.
    let shown = Memo::new(move |_| match stage.get() {
        Stage::Typing | Stage::Sending => None,
        other => Some(other),
    });
    let body = move || {
        let Some(start) = ask.get() else {
            return ().into_any();
        };
        match shown.get() {
            Some(Stage::Done(name)) => view! {
                <div class="body" role="status">
                    <p>{pill(Sign::Good, lang.order_sent())}</p>
                    <p>{lang.order_begin_started(&name)}</p>
                </div>
                <footer>{closing(lang, close)}</footer>
            }
            .into_any(),
            Some(Stage::Failed(error)) => view! {
                <div class="body" role="alert">
                    <p>{pill(Sign::Bad, lang.plan_failed())}</p>
                    <p>{say::app_error(lang, &error)}</p>
                </div>
                <footer>{closing(lang, close)}</footer>
            }
            .into_any(),
            _ => form(&start).into_any(),
        }
    };
    let title = move || Some(lang.order_begin().to_owned());
    dialog.view("begin-title", title, || {}, body)
}

fn fields(lang: Lang, typed: Typed, canary: &str) -> impl IntoView + use<> {
    let field = move |label: String,
                      name: &'static str,
                      mode: &'static str,
                      hint: &'static str,
                      value: RwSignal<String>| {
        view! {
            <label class="asked-for">
                <span>{label}</span>
                <input
                    class="field"
                    name=name
                    autocomplete="off"
                    inputmode=mode
                    required
                    maxlength="80"
                    prop:value=value
                    on:input=move |event| value.set(event_target_value(&event))
                />
                {(!hint.is_empty()).then(|| view! { <span>{hint}</span> })}
            </label>
        }
    };
    view! {
        <div class="begin">
            {field(lang.order_begin_weights(&canary), "weights", "text", lang.order_begin_weights_hint(), typed.weights)}
            {field(lang.order_begin_dwell().into(), "minutes", "numeric", "", typed.minutes)}
            {field(lang.order_begin_requests().into(), "requests", "numeric", "", typed.requests)}
            {field(lang.order_begin_errors().into(), "points", "decimal", "", typed.points)}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::{Start, wish};
    use naru_view::canary::{RouteRef, RuleList};

    fn start(weight: u32) -> Start {
        Start {
            route: RouteRef {
                namespace: "n".into(),
                name: "r".into(),
                list: RuleList::Http,
                rule: 0,
            },
            stable: "v1".into(),
            canary: "v2".into(),
            weight,
        }
    }

    #[test]
    fn the_usual_steps_are_those_ahead() {
        for (weight, steps) in [
            (0, "10 25 50 100"),
            (10, "10 25 50 100"),
            (11, "25 50 100"),
            (50, "50 100"),
        ] {
            assert_eq!(start(weight).usual(), steps);
        }
    }

    #[test]
    fn only_what_can_be_meant_is_sent() {
        let typed = |weights: &str| wish(&start(10), weights, "10", "500", "1");
        let sent = typed(" 10, 25 %  100 ").map(|it| it.steps.iter().map(|it| it.weight).collect::<Vec<_>>());
        assert_eq!(sent, None, "a sign of its own is no number");
        let sent = typed("10, 25%  100").unwrap();
        let steps: Vec<_> = sent
            .steps
            .iter()
            .map(|it| (it.weight, it.dwell_s, it.requests))
            .collect();
        assert_eq!(steps, [(10, 600, 500), (25, 600, 500), (100, 600, 500)]);
        assert!((sent.errors - 0.01).abs() < 1e-12);
        for weights in ["", "5 50", "50 25", "25 25", "10 101", "ten"] {
            assert_eq!(typed(weights), None, "{weights:?}");
        }
        let many = (10..31).map(|it| it.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(typed(&many), None);
        for (minutes, requests, points) in [
            ("1441", "1", "1"),
            ("-1", "1", "1"),
            ("1", "x", "1"),
            ("1", "1", "0"),
            ("1", "1", "101"),
            ("1", "1", "NaN"),
        ] {
            assert_eq!(
                wish(&start(0), "10", minutes, requests, points),
                None,
                "{minutes} {requests} {points}"
            );
        }
    }
}
