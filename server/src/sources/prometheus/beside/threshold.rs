//! The worst of what a team's own item asks for, over a time that ends now.

use super::Asking;
use crate::sources::prometheus::{
    failed, garbled, http::Moments, label::Label, moment, query::Matcher, short,
};
use naru_domain::{
    Timestamp, Why,
    inquiry::{Threshold, ThresholdState, WorstSeen},
};
use serde::{Deserialize, de::IgnoredAny};
use std::{collections::BTreeMap, fmt::Write as _};

/// So many series are read at most.
const SERIES: usize = 100;

/// Looks lie so far apart at least, in seconds: that often proxies are scraped.
const LEAST_STEP_S: u32 = 15;

/// A window is looked at in so many steps at most.
const STEPS: u32 = 720;

/// The largest answer, in bytes: 100 series at 721 moments.
const BODY_LIMIT: usize = 4 << 20;

/// Asks at each moment, and keeps the worst.
pub(super) async fn of(
    asking: &Asking<'_>,
    question: &Threshold,
    now: Timestamp,
) -> Result<ThresholdState, Why> {
    let step_s = question.window_s.div_ceil(STEPS).max(LEAST_STEP_S);
    let steps = question.window_s / step_s;
    let until_ms = now.as_millisecond();
    let range = Moments {
        from_ms: until_ms - i64::from(steps * step_s) * 1_000,
        until_ms,
        step_s,
        // One more tells that there are more.
        series: SERIES + 1,
        body_limit: BODY_LIMIT,
    };
    let replica = asking
        .replica
        .map(|it| Matcher::Is(Label::Replica, it.to_owned()));
    let query = match replica {
        Some(replica) => question.query.with(&replica.to_string()),
        None => question.query.text().to_owned(),
    };
    let body = asking.http.query_range(query, &range).await?;
    let state = state(&read(&body, question)?, question)?;
    Ok(ThresholdState {
        looks: steps + 1,
        ..state
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status: String,
    #[serde(default)]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    /// Seconds, and the number as text.
    #[serde(default)]
    values: Vec<(f64, String)>,
    /// Native histograms are no numbers.
    histograms: Option<IgnoredAny>,
}

/// The series of a whole answer.
fn read(body: &[u8], question: &Threshold) -> Result<Vec<Series>, Why> {
    // The parser's own words would quote the answer.
    let answer: Answer =
        serde_json::from_slice(body).map_err(|_| garbled("not the JSON of the query API"))?;
    if answer.status != "success" {
        return Err(failed(200, &answer.error_type, &answer.error));
    }
    let data = answer.data.ok_or_else(|| garbled("no data in the answer"))?;
    if data.result_type != "matrix" {
        return Err(garbled("no matrix"));
    }
    if data.result.len() > SERIES {
        return Err(Why::NotObserved {
            what: format!("{}: n > {SERIES}", question.query.text()).into(),
        });
    }
    // A warning means that the answer is partial: then nothing is known for certain.
    match answer.warnings.first() {
        Some(warning) => Err(Why::Said {
            detail: short(warning),
        }),
        None => Ok(data.result),
    }
}

fn state(series: &[Series], question: &Threshold) -> Result<ThresholdState, Why> {
    let mut worst: Option<WorstSeen> = None;
    // Whether there were numbers alone at a moment.
    let mut moments: BTreeMap<i64, bool> = BTreeMap::new();
    for one in series {
        if one.histograms.is_some() {
            return Err(Why::NotObserved {
                what: format!("histogram: {}", name(&one.metric)).into(),
            });
        }
        for (seconds, text) in &one.values {
            let value: f64 = text
                .parse()
                .map_err(|_| garbled("a sample's value is no number"))?;
            let at_ms = (seconds * 1_000.0).round() as i64;
            *moments.entry(at_ms).or_insert(true) &= !value.is_nan();
            let worse = |it: &WorstSeen| {
                let same = value == it.value && moment(at_ms) < it.at;
                question.worst.than(value, it.value) || same
            };
            if !value.is_nan() && worst.as_ref().is_none_or(worse) {
                worst = Some(WorstSeen {
                    value,
                    series: short(&name(&one.metric)),
                    at: moment(at_ms),
                });
            }
        }
    }
    let seen = moments.values().filter(|numbers| **numbers).count();
    Ok(ThresholdState {
        worst,
        series: u32::try_from(series.len()).unwrap_or(u32::MAX),
        looks: 0,
        seen: u32::try_from(seen).unwrap_or(u32::MAX),
    })
}

/// As Prometheus writes a series: `up{pod="a"}`.
fn name(labels: &BTreeMap<String, String>) -> String {
    let mut out = labels.get("__name__").cloned().unwrap_or_default();
    out.push('{');
    let others = labels.iter().filter(|(label, _)| *label != "__name__");
    for (at, (label, value)) in others.enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(out, "{comma}{label}={value:?}");
    }
    out.push('}');
    out
}
