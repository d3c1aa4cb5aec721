//! One counter's samples, and what they are about.

use super::garbled;
use crate::sources::prometheus::{
    answer::{self, Row, Sample},
    flows::protocol,
    label::{Label, Names, SWITCHED},
};
use naru_domain::{
    Name, Timestamp, Why,
    judge::guardrail::{CountsQuestion, Outcome, Role},
    traffic::failing::unreached,
};
use std::collections::BTreeMap;

/// Whose counter it is, in Prometheus's terms: instance, pod, namespace, job.
pub(super) type Target = [Name; 4];

/// One counter.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) target: Target,
    /// Which Prometheus wrote it down.
    pub(super) replica: Name,
    /// The caller's pod; its workload where Prometheus does not say of which pod a target is.
    pub(super) caller: Name,
    /// The target's pod, if that is told.
    pub(super) pod: Option<Name>,
    pub(super) to: To,
    pub(super) outcome: Outcome,
    /// The protocol was switched, as by a WebSocket: it took no time.
    pub(super) switched: bool,
    /// A bucket's bound; infinite for all requests, None for what is no bucket.
    pub(super) bound: Option<f64>,
    /// In order of time.
    pub(super) samples: Vec<(Timestamp, u64)>,
}

/// Where requests arrived.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum To {
    /// At a version's workload.
    Version(Role, Name),
    /// At none, and failed for it.
    Nobody,
    /// Elsewhere.
    Other,
}

/// Reads an answer, of one replica.
pub(super) fn read(body: &[u8], question: &CountsQuestion) -> Result<Vec<Series>, Why> {
    let mut all = Vec::new();
    let mut names = Names::default();
    let mut numberless = 0_usize;
    let warnings = answer::read(body, &mut names, &mut |row| {
        let series = series(row, question);
        numberless += row.samples.len() - series.samples.len();
        // What called pods count of callers without a proxy has no counterpart among requests.
        let destination = &**row.labels.get(Label::Reporter) == "destination";
        if !(destination && row.labels.get(Label::SourceWorkload).is_empty()) {
            all.push(series);
        }
    })?;
    // A part is no answer: failures may be in the other one.
    if let Some(why) = warnings.into_iter().next() {
        return Err(why);
    }
    if numberless > 0 {
        return Err(garbled(format!("{numberless} samples are no numbers")));
    }
    of_one_replica(&mut all);
    Ok(all)
}

/// Where buckets end, in milliseconds.
pub(super) fn bounds(body: &[u8]) -> Result<Vec<f64>, Why> {
    let mut all = Vec::new();
    answer::read(body, &mut Names::default(), &mut |row| {
        all.extend(row.labels.get(Label::Bound).parse::<f64>());
    })?;
    Ok(all)
}

fn series(row: &Row, question: &CountsQuestion) -> Series {
    let get = |label| row.labels.get(label).clone();
    let slashed = |namespace: &Name, name: &Name| Name::from(format!("{namespace}/{name}"));
    let (namespace, workload) = (get(Label::TargetNamespace), get(Label::TargetWorkload));
    let flags = get(Label::Flags);
    let outcome = Outcome::of(
        protocol(&row.labels),
        &get(Label::Code),
        &get(Label::GrpcStatus),
        &flags,
    );
    let to = match question.role(&namespace, &workload) {
        Some(role) => To::Version(role, slashed(&namespace, &workload)),
        None if workload.is_empty() && fails(outcome, &flags) => To::Nobody,
        None => To::Other,
    };
    let pod = match get(Label::Pod) {
        pod if pod.is_empty() => None,
        pod => Some(slashed(&get(Label::PodNamespace), &pod)),
    };
    let workload = || slashed(&get(Label::SourceNamespace), &get(Label::SourceWorkload));
    Series {
        target: [Label::Instance, Label::Pod, Label::PodNamespace, Label::Job].map(get),
        replica: get(Label::Replica),
        caller: pod.clone().unwrap_or_else(workload),
        pod,
        to,
        outcome,
        switched: *get(Label::Code) == *SWITCHED,
        bound: get(Label::Bound).parse().ok(),
        samples: row.samples.iter().filter_map(sample).collect(),
    }
}

/// No route is answered 404, which fails no server; but a version that was not reached is one that failed its caller.
fn fails(outcome: Outcome, flags: &str) -> bool {
    matches!(outcome, Outcome::Failed | Outcome::GrpcFailed) || unreached(flags)
}

fn sample(sample: &Sample) -> Option<(Timestamp, u64)> {
    let counts = sample.value.is_finite() && sample.value >= 0.0;
    let at = Timestamp::from_millisecond(sample.at_ms).ok()?;
    // Counters are far from 2^53.
    counts.then(|| (at, sample.value.round() as u64))
}

/// Leaves the replica with the most samples, if several have written: two replicas count the same requests.
fn of_one_replica(series: &mut Vec<Series>) {
    let mut samples = BTreeMap::new();
    for it in series.iter() {
        *samples.entry(it.replica.clone()).or_insert(0) += it.samples.len();
    }
    let best = samples
        .into_iter()
        .max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
    series.retain(|it| best.as_ref().is_some_and(|(replica, _)| *replica == it.replica));
}
