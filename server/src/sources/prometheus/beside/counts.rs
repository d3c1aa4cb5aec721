//! Requests over a time that is past, by caller.

use super::{Asking, promql::Promql, value};
use crate::sources::prometheus::{answer::Row, flows::protocol, label::Label};
use futures::future::try_join3;
use naru_domain::traffic::failing::failed;
use naru_domain::{
    Why,
    inquiry::{Counts, CountsOf, lost},
};

/// Of a workload.
pub(super) async fn of(asking: &Asking<'_>, question: &CountsOf) -> Result<Counts, Why> {
    let (before, grown, born) = try_join3(
        asking.number(Promql::Before(question)),
        asking.rows(Promql::Grown(question)),
        asking.rows(Promql::Born(question)),
    )
    .await?;
    let mut counts = Counts {
        covered: before.is_some_and(|it| it > 0.0),
        ..Counts::default()
    };
    for row in grown.iter().chain(&born) {
        add(&mut counts, row);
    }
    Ok(counts)
}

fn add(counts: &mut Counts, row: &Row) {
    let Some(requests) = value(row).filter(|it| *it > 0.0) else {
        return;
    };
    let label = |label| row.labels.get(label);
    let (code, flags) = (label(Label::Code), label(Label::Flags));
    let caller = (
        label(Label::SourceNamespace).clone(),
        label(Label::SourceWorkload).clone(),
    );
    let count = counts.by_caller.entry(caller).or_default();
    count.requests += requests;
    if failed(protocol(&row.labels), code, label(Label::GrpcStatus), flags) {
        count.failed += requests;
    }
    if lost(code, flags, label(Label::GrpcStatus)) {
        count.lost += requests;
    }
}
