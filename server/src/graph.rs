//! `naru graph`: both sources asked once, the graph printed. No engine, no memory: the same bytes for the same data.

use crate::{cli::Graph, failure::Failure, files, inventory::inventory, startup};
use anyhow::Context;
use naru_domain::{
    Timestamp, Why,
    actor::Scope,
    object::Kind,
    snapshot::Objects,
    topology::{
        Known, Memory,
        report::{Report, report},
    },
    traffic::{Dated, Traffic},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// What the graph reads: who runs where, what selects whom, what comes in.
const KINDS: [Kind; 6] = [
    Kind::Pod,
    Kind::ReplicaSet,
    Kind::Deployment,
    Kind::Service,
    Kind::Ingress,
    Kind::Gateway,
];

/// Asks, prints, and tells what is missing.
pub(crate) async fn run(options: Graph) -> Result<(), Failure> {
    let sources = startup::sources(&options).await?;
    let (objects, traffic) = futures::join!(
        async { Some(inventory(sources.cluster.as_deref()?, &KINDS).await) },
        async {
            Some(
                sources
                    .metrics
                    .as_deref()?
                    .traffic(options.observing.window)
                    .await,
            )
        },
    );
    let mut gaps = Vec::new();
    let objects = objects
        .transpose()
        .map_err(Failure::Source)?
        .map(|(objects, missing)| {
            gaps.extend(missing);
            objects
        });
    let traffic = traffic.transpose().map_err(Failure::Source)?.map(
        |Dated {
             value,
             at,
             gaps: missing,
         }| {
            gaps.extend(missing);
            (value, at)
        },
    );
    gaps.sort();
    gaps.dedup();
    let report = only(
        draw(&objects.unwrap_or_default(), traffic.as_ref()),
        &options.namespaces,
    );
    let mut text = serde_json::to_string_pretty(&Printed {
        report: &report,
        gaps: &gaps,
    })
    .context("printing")?;
    text.push('\n');
    files::print(&text)?;
    if gaps.is_empty() {
        Ok(())
    } else {
        Err(Failure::Partial(gaps))
    }
}

/// What is printed: the report, and what is missing from it.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    report: &'a Report,
    gaps: &'a [Why],
}

fn draw(objects: &Objects, traffic: Option<&(Traffic, Timestamp)>) -> Report {
    let memory = Memory::default();
    let (traffic, at) = traffic.map(|(traffic, at)| (traffic, *at)).unzip();
    report(
        &Known {
            objects,
            traffic,
            at,
            memory: &memory,
        },
        &Scope::all(),
    )
}

/// Leaves the edges that have an end in one of the namespaces, and the nodes in them or at those edges; everything if none is named. Unlike
/// a viewer's scope this hides nothing: whoever runs the command reads the sources with rights of their own.
fn only(mut report: Report, namespaces: &[String]) -> Report {
    if namespaces.is_empty() {
        return report;
    }
    let wanted = |namespace: &str| namespaces.iter().any(|name| name == namespace);
    let mut kept: BTreeSet<_> = report
        .nodes
        .iter()
        .filter(|node| wanted(&node.namespace))
        .map(|node| node.id.clone())
        .collect();
    report
        .edges
        .retain(|edge| kept.contains(&edge.source) || kept.contains(&edge.target));
    kept.extend(
        report
            .edges
            .iter()
            .flat_map(|edge| [edge.source.clone(), edge.target.clone()]),
    );
    report.nodes.retain(|node| kept.contains(&node.id));
    report
}
