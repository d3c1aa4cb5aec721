//! `naru evidence list`: what was handed in, the latest first.

use super::counted;
use crate::{
    cli::{ListEvidence, Telling},
    failure::Failure,
    files,
    inventory::inventory,
    startup,
};
use naru_app::Lang;
use naru_domain::{Why, crossing::Report, object::Kind, snapshot::Objects};
use serde_json::{Value, json};

/// Prints them; what cannot be read is told.
pub(super) async fn run(options: &ListEvidence, lang: Lang) -> Result<(), Failure> {
    let cluster = startup::cluster(&options.kubernetes).await?;
    let (objects, mut gaps) = inventory(&*cluster, &[Kind::Report])
        .await
        .map_err(Failure::Source)?;
    let (reports, unread) = read(&objects, lang);
    gaps.extend(unread);
    files::print(&match options.output {
        Telling::Text => text(lang, &reports),
        Telling::Json => json_of(&reports),
    })?;
    if gaps.is_empty() {
        Ok(())
    } else {
        Err(Failure::Partial(gaps))
    }
}

fn read(objects: &Objects, lang: Lang) -> (Vec<Report>, Vec<Why>) {
    let (mut reports, mut unread) = (Vec::new(), Vec::new());
    for object in objects.of_kind(Kind::Report) {
        match Report::read(object) {
            Ok(report) => reports.push(report),
            Err(odd) => unread.push(Why::Said {
                detail: lang.evidence_unreadable(&odd.detail, &odd.name).into(),
            }),
        }
    }
    reports.sort_by(|a, b| b.later(a));
    (reports, unread)
}

fn received(report: &Report) -> String {
    report.received.map(|it| it.to_string()).unwrap_or_default()
}

fn text(lang: Lang, reports: &[Report]) -> String {
    if reports.is_empty() {
        return format!("{}\n", lang.evidence_none());
    }
    let line = |it: &Report| {
        let (tried, counted) = (
            lang.evidence_tried(&it.spec.commit, &it.spec.target),
            counted(lang, &it.spec),
        );
        format!(
            "{} {} {}\n  {tried} {counted}\n",
            received(it),
            it.key.name,
            it.spec.by.user
        )
    };
    reports.iter().map(line).collect()
}

fn json_of(reports: &[Report]) -> String {
    let each = |it: &Report| json!({"name": it.key.name, "received": it.received, "spec": it.spec});
    let all: Vec<Value> = reports.iter().map(each).collect();
    format!("{:#}\n", json!({ "reports": all }))
}
