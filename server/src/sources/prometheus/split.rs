//! How requests were really split since a moment, from raw samples.
//!
//! For each question, *settling* ends with the first scrape later than `since`, anywhere in the answer (`from`). What is counted:
//! - A series that was there counts from its own first sample later than `since`. Requests before that sample were routed partly by the
//!   old weights, so they are left out.
//! - A series that was *born* counts from 0, its first sample included: else the first burst of a new pod or of a new response code, which
//!   is what matters most, would never be seen. Born means: no sample in the five minutes before `since`, and either its target had been
//!   scraped since then without it, or it appeared more than a scrape interval after `from`, when every older target had had its turn.
//!   In doubt (it appeared with the first scrapes) it counts from its first sample: too few rather than too many.
//! - A series without a sample later than `since` has ended before, and is not in the answer.
//!
//! Counters of durations are read the same way: each request adds one to the one counter and its milliseconds to the other, in the same scrape.

mod batch;
mod count;

pub(super) use batch::{Batch, batches};

use super::{
    answer::{self, Row},
    flows::protocol,
    garbled,
    label::{Label, Names, SWITCHED},
};
use count::{Series, Unit, before, split};
use naru_domain::{
    Timestamp, Why,
    traffic::{Dated, ServiceId, Split, SplitQuestion, failing::failed},
};
use std::collections::BTreeMap;

/// One answer for each question, with its place.
pub(super) type Answers = Vec<(usize, Result<Dated<Split>, Why>)>;

/// Reads the samples of a batch and answers its questions. Without durations it is told how many requests there were, not how long they took.
pub(super) fn answer(
    requests: &[u8],
    durations: Result<&[u8], Why>,
    asked: &[(usize, SplitQuestion)],
    now: Timestamp,
) -> Result<Answers, Why> {
    let (mut services, mut numberless) = (BTreeMap::<ServiceId, Vec<Series>>::new(), 0_usize);
    let mut names = Names::default();
    let mut read = |body: &[u8], unit: Unit| {
        answer::read(body, &mut names, &mut |row| {
            let (service, series) = series(row, unit);
            numberless += row.samples.len() - series.samples.len();
            services.entry(service).or_default().push(series);
        })
    };
    let mut gaps = read(requests, Unit::Requests)?;
    gaps.extend(match durations.and_then(|body| read(body, Unit::Milliseconds)) {
        Ok(gaps) => gaps,
        Err(why) => vec![why],
    });
    if numberless > 0 {
        gaps.push(garbled(format!("{numberless} samples are no numbers")));
    }
    for series in services.values_mut() {
        of_one_replica(series);
    }
    Ok(asked
        .iter()
        .map(|(at, question)| {
            let (since, shortened) = batch::start(question, now);
            let named = question.services.iter().filter_map(|it| services.get(it));
            let series: Vec<&Series> = named.flatten().collect();
            let counted = split(&series, since, now).map(|mut dated| {
                dated.value.before = question.changed.and_then(|it| before(&series, it));
                dated.gaps.extend(gaps.iter().cloned().chain(shortened));
                dated
            });
            (*at, counted)
        })
        .collect())
}

fn series(row: &Row, unit: Unit) -> (ServiceId, Series) {
    let get = |label| row.labels.get(label).clone();
    let service = ServiceId {
        namespace: get(Label::ServiceNamespace),
        name: get(Label::ServiceName),
    };
    let flags = row.labels.get(Label::Flags);
    let series = Series {
        namespace: get(Label::TargetNamespace),
        workload: get(Label::TargetWorkload),
        version: row
            .labels
            .first([Label::TargetVersion, Label::TargetRevision])
            .clone(),
        route: get(Label::Route),
        failed: failed(
            protocol(&row.labels),
            row.labels.get(Label::Code),
            row.labels.get(Label::GrpcStatus),
            flags,
        ),
        unit,
        switched: &**row.labels.get(Label::Code) == SWITCHED,
        target: [Label::Instance, Label::Pod, Label::PodNamespace, Label::Job].map(get),
        replica: get(Label::Replica),
        samples: row
            .samples
            .iter()
            .copied()
            .filter(|it| it.value.is_finite() && it.value >= 0.0)
            .collect(),
    };
    (service, series)
}

/// Leaves the replica with the most samples, if several have written: two replicas count the same requests.
fn of_one_replica(series: &mut Vec<Series>) {
    let mut samples = BTreeMap::new();
    for it in series.iter().filter(|it| it.unit == Unit::Requests) {
        *samples.entry(it.replica.clone()).or_insert(0) += it.samples.len();
    }
    if samples.len() > 1 {
        let best = samples
            .into_iter()
            .max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
        series.retain(|it| best.as_ref().is_some_and(|(replica, _)| *replica == it.replica));
    }
}

#[cfg(test)]
mod tests;
