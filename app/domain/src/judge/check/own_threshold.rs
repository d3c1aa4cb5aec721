//! An item of a team's own: what it asks Prometheus for has held its threshold, at every moment that was looked at and for every series.

use super::OwnCheck;
use crate::{
    Why,
    crossing::{
        Item,
        item::OwnItem,
        own::{Bound, LONGEST_TITLE, LONGEST_UNIT, OwnSpec},
    },
    inquiry::Threshold,
    judge::{Code, FactSource, Found, World, ask::declared_at},
    mesh::Decider,
    promql::Odd,
};
use jiff::SignedDuration;

pub(crate) const MISSED: Code = Code::error("own-threshold-missed").state();
const CHANGED: Code = Code::error("own-item-changed");
const TWICE: Code = Code::error("own-item-twice");
const TITLE: Code = Code::error("own-item-title");
const UNIT: Code = Code::error("own-item-unit");
const COMPARISON: Code = Code::error("own-item-comparison");
const WINDOW: Code = Code::error("own-item-window");
const TOO_LARGE: Code = Code::error("own-query-too-large");
const UNREADABLE: Code = Code::error("own-query-unreadable");
const NO_METRIC: Code = Code::error("own-query-no-metric");
const NOT_A_NUMBER: Code = Code::error("own-query-not-a-number");
const SUBQUERY: Code = Code::error("own-query-subquery");
const RANGE: Code = Code::error("own-query-range");
const SHIFTED: Code = Code::error("own-query-time-shifted");
const SELECTORS: Code = Code::error("own-query-selectors");
const FUNCTION: Code = Code::error("own-query-function");
const FILTERS: Code = Code::error("own-query-filters");

/// What is asked, in one line: what a signature is given for.
const ASKED: &str = "own-asked";

/// Whose number was the worst: labels, which may name what not every viewer sees.
pub(crate) const SERIES: &str = "own-series";

pub(super) const CHECK: OwnCheck = OwnCheck {
    name: "own_threshold",
    codes: &[
        &MISSED,
        &CHANGED,
        &TWICE,
        &TITLE,
        &UNIT,
        &COMPARISON,
        &WINDOW,
        &TOO_LARGE,
        &UNREADABLE,
        &NO_METRIC,
        &NOT_A_NUMBER,
        &SUBQUERY,
        &RANGE,
        &SHIFTED,
        &SELECTORS,
        &FUNCTION,
        &FILTERS,
    ],
    run,
};

fn run(world: &World<'_>, own: OwnItem, found: &mut Found) {
    let item = Item::Own(own);
    let Some(migration) = world.migration(found) else {
        return;
    };
    let Some((at, spec)) = migration.items.written(item) else {
        return found.unknown(Why::NotDeclared {
            field: format!("items: {item}").into(),
        });
    };
    let same = |(other, it): &(usize, &OwnSpec)| *other > at && it.item() == Some(own);
    for (other, _) in migration.items.judged().filter(same) {
        if let Some(by) = declared_at(world, &format!("/spec/items/{other}/name")) {
            found.finding(&TWICE, by, [("item", own.id().into())]);
        }
    }
    let field = |name: &str| declared_at(world, &format!("/spec/items/{at}{name}"));
    let Some(whole) = field("") else {
        return;
    };
    let asked = spec.asked();
    if let Some(signed) = world.signed_for(item, ASKED).filter(|it| ***it != *asked) {
        let args = [("before", (**signed).into()), ("after", asked.as_str().into())];
        found.finding(&CHANGED, whole.clone(), args);
    }
    found.saw_at(ASKED, &whole, asked);
    if let Some((bound, question)) = written(spec, field, found) {
        held(world, (spec, bound), &question, &whole, found);
    }
}

/// What is asked; None, with what is wrong noted, where it is not written as it should be.
fn written(
    spec: &OwnSpec,
    field: impl Fn(&str) -> Option<Decider>,
    found: &mut Found,
) -> Option<(Bound, Threshold)> {
    let title = spec.title.trim().chars().count();
    let mut odd = |code: &'static Code, name: &str, args: &[(&'static str, &str)]| {
        if let Some(by) = field(name) {
            let args = args.iter().map(|(name, value)| (*name, (*value).into()));
            found.findings.push((code, by, args.collect()));
        }
    };
    if !(1..=LONGEST_TITLE).contains(&title) {
        odd(&TITLE, "/title", &[("most", &LONGEST_TITLE.to_string())]);
    }
    if spec.unit.chars().count() > LONGEST_UNIT {
        odd(&UNIT, "/unit", &[("most", &LONGEST_UNIT.to_string())]);
    }
    let bound = spec.bound();
    if bound.is_none() {
        odd(&COMPARISON, "", &[]);
    }
    if spec.window_s().is_none() {
        odd(&WINDOW, "/for", &[("said", &spec.held_for)]);
    }
    match spec.threshold() {
        Ok(asked) => bound.zip(asked),
        Err(wrong) => {
            let (code, args) = told(&wrong);
            let args: Vec<_> = args.iter().map(|(name, value)| (*name, &**value)).collect();
            odd(code, "/query", &args);
            None
        }
    }
}

/// The code of a rule that a query breaks, and what its sentence names.
fn told(wrong: &Odd) -> (&'static Code, Vec<(&'static str, String)>) {
    let most = |most: usize| vec![("most", most.to_string())];
    match wrong {
        Odd::TooLarge => {
            let args = vec![
                ("depth", crate::promql::DEPTH.to_string()),
                ("most", crate::promql::LONGEST.to_string()),
            ];
            (&TOO_LARGE, args)
        }
        Odd::Unreadable { at } => (&UNREADABLE, vec![("at", at.to_string())]),
        Odd::NoMetric => (&NO_METRIC, Vec::new()),
        Odd::NotANumber => (&NOT_A_NUMBER, Vec::new()),
        Odd::Subquery => (&SUBQUERY, Vec::new()),
        Odd::RangeTooLong => (&RANGE, Vec::new()),
        Odd::TimeShifted => (&SHIFTED, Vec::new()),
        Odd::TooManySelectors => (&SELECTORS, most(crate::promql::SELECTORS)),
        Odd::Function { name } => (&FUNCTION, vec![("function", name.to_string())]),
        Odd::Filters => (&FILTERS, Vec::new()),
    }
}

/// Whether it has held.
fn held(
    world: &World<'_>,
    (spec, bound): (&OwnSpec, Bound),
    question: &Threshold,
    by: &Decider,
    found: &mut Found,
) {
    let Some(state) = world.ask(question, found) else {
        return;
    };
    let (at, state) = (state.at, state.value);
    let Some(worst) = &state.worst else {
        let since = at - SignedDuration::from_secs(question.window_s.into());
        return found.unknown(Why::NotCounted {
            of: question.query.text().into(),
            since: since.to_string().into(),
        });
    };
    let number = format!("{} {}", worst.value, spec.unit);
    let number = number.trim();
    if !bound.holds(worst.value) {
        let args = [
            ("at", worst.at.to_string().into()),
            ("bound", bound.to_string().into()),
            ("series", (*worst.series).into()),
            ("value", number.into()),
        ];
        return found.finding(&MISSED, by.clone(), args);
    }
    if state.seen < state.looks {
        found.unknown(Why::NotAlways {
            of: question.query.text().into(),
            seen: state.seen,
            looks: state.looks,
        });
    }
    let seen = format!("{number} · n={}", state.series);
    found.learned("own-worst", FactSource::Metrics, by, seen, at);
    found.learned(SERIES, FactSource::Metrics, by, worst.series.clone(), at);
}

#[cfg(test)]
mod tests;
