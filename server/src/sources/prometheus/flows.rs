//! From rows to flows.

use super::{
    answer::{self, Row},
    garbled,
    label::{Label, LabelSet, Names},
    moment,
    query::Measure,
};
use bytes::Bytes;
use naru_domain::{
    Name, Timestamp, Why,
    traffic::{Dated, Flow, FlowKey, Party, Protocol, Reporter, ServiceId, Traffic, failing::failed},
};
use std::collections::BTreeMap;

/// One row: a part of a flow. Sorted before they are added up, since Prometheus gives no order and the last bits of a sum depend on it.
struct Part {
    key: FlowKey,
    measure: Measure,
    code: Name,
    flags: Name,
    grpc_status: Name,
    mutual_tls: bool,
    value: f64,
}

/// Reads the answers to all measures. `now` dates them only if they are empty: rows carry Prometheus's own time.
pub(super) fn traffic(
    answers: &[(Measure, Bytes)],
    window_s: u32,
    now: Timestamp,
) -> Result<Dated<Traffic>, Why> {
    let mut names = Names::default();
    let (mut parts, mut gaps) = (Vec::new(), Vec::new());
    let (mut evaluated, mut numberless, mut waypoints) = (None::<i64>, 0_u32, false);
    for (measure, body) in answers {
        gaps.extend(answer::read(body, &mut names, &mut |row| {
            let Some(sample) = row.samples.last() else { return };
            evaluated = Some(evaluated.map_or(sample.at_ms, |it| it.min(sample.at_ms)));
            if !sample.value.is_finite() || sample.value < 0.0 {
                numberless += 1;
            } else if let Some(part) = part(*measure, row, sample.value) {
                parts.push(part);
            } else {
                waypoints |= &**row.labels.get(Label::Reporter) == "waypoint";
            }
        })?);
    }
    if numberless > 0 {
        gaps.push(garbled(format!("{numberless} rates are no numbers")));
    }
    if waypoints {
        // Ambient mode is recognised and not judged.
        gaps.push(Why::NotJudged {
            what: "reporter=waypoint".into(),
        });
    }
    Ok(Dated {
        value: Traffic {
            window_s,
            flows: added_up(parts),
        },
        at: evaluated.map_or(now, moment),
        gaps,
    })
}

/// None if neither the caller's nor the called side's proxy counted.
fn part(measure: Measure, row: &Row, value: f64) -> Option<Part> {
    let labels = &row.labels;
    let get = |label| labels.get(label).clone();
    Some(Part {
        key: key(labels, measure)?,
        measure,
        code: get(Label::Code),
        flags: get(Label::Flags),
        grpc_status: get(Label::GrpcStatus),
        mutual_tls: &**labels.get(Label::Policy) == "mutual_tls",
        value,
    })
}

fn key(labels: &LabelSet, measure: Measure) -> Option<FlowKey> {
    let get = |label| labels.get(label).clone();
    Some(FlowKey {
        source: Party {
            cluster: get(Label::SourceCluster),
            namespace: get(Label::SourceNamespace),
            workload: get(Label::SourceWorkload),
            app: get(Label::SourceService),
            version: labels
                .first([Label::SourceVersion, Label::SourceRevision])
                .clone(),
        },
        target: Party {
            cluster: get(Label::TargetCluster),
            namespace: get(Label::TargetNamespace),
            workload: get(Label::TargetWorkload),
            app: get(Label::TargetService),
            version: labels
                .first([Label::TargetVersion, Label::TargetRevision])
                .clone(),
        },
        service: ServiceId {
            namespace: get(Label::ServiceNamespace),
            name: get(Label::ServiceName),
        },
        reporter: match &**labels.get(Label::Reporter) {
            "source" => Reporter::Source,
            "destination" => Reporter::Destination,
            _ => return None,
        },
        protocol: match measure {
            Measure::Opened | Measure::SentBack | Measure::Received => Protocol::Tcp,
            Measure::Requests | Measure::Duration => protocol(labels),
        },
    })
}

/// Of a series of `istio_requests_total`: whatever is not gRPC is HTTP.
pub(super) fn protocol(labels: &LabelSet) -> Protocol {
    if &**labels.get(Label::Protocol) == "grpc" {
        Protocol::Grpc
    } else {
        Protocol::Http
    }
}

fn added_up(mut parts: Vec<Part>) -> BTreeMap<FlowKey, Flow> {
    parts.sort_by(|a, b| {
        (&a.key, a.measure, &a.code, &a.flags, &a.grpc_status, a.mutual_tls)
            .cmp(&(&b.key, b.measure, &b.code, &b.flags, &b.grpc_status, b.mutual_tls))
            .then(a.value.total_cmp(&b.value))
    });
    let mut flows = BTreeMap::<FlowKey, Flow>::new();
    // Milliseconds per second, until the rate of requests is whole.
    let mut spent = BTreeMap::<FlowKey, f64>::new();
    for part in parts {
        if part.measure == Measure::Duration {
            *spent.entry(part.key).or_default() += part.value;
            continue;
        }
        let protocol = part.key.protocol;
        let flow = flows.entry(part.key).or_default();
        match part.measure {
            Measure::SentBack => flow.received += part.value,
            Measure::Received => flow.sent += part.value,
            Measure::Requests | Measure::Opened | Measure::Duration => {
                flow.rate += part.value;
                if part.value > 0.0 {
                    if failed(protocol, &part.code, &part.grpc_status, &part.flags) {
                        flow.failed += part.value;
                    }
                    if part.mutual_tls {
                        flow.mtls += part.value;
                    }
                    *flow.codes.entry((part.code, part.flags)).or_default() += part.value;
                }
            }
        }
    }
    for (key, spent) in spent {
        if let Some(flow) = flows.get_mut(&key).filter(|it| it.rate > 0.0) {
            flow.average_ms = Some(spent / flow.rate);
        }
    }
    flows
}

#[cfg(test)]
mod tests;
