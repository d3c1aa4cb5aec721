//! What checks ask of Prometheus beside the traffic of now.

mod counts;
mod promql;
mod threshold;

use super::{
    answer::{self, Row},
    http::Http,
    label::{Label, Names, SWITCHED},
};
use futures::future::try_join3;
use naru_domain::{
    Name, Timestamp, Why,
    inquiry::{ControlPlaneState, EdgeFlow, Inquiry, Reach, Reply, ScrapingState},
};
use promql::{Promql, Rate};
use std::collections::BTreeMap;

/// Asks what the question needs.
pub(super) async fn find_out(
    http: &Http,
    replica: Option<&str>,
    inquiry: &Inquiry,
    now: Timestamp,
) -> Result<Reply, Why> {
    let asking = Asking { http, replica };
    Ok(match inquiry {
        Inquiry::ControlPlane(_) => Reply::ControlPlane(asking.control_plane().await?),
        Inquiry::ScrapedProxies(_) => {
            let rows = asking.rows(Promql::Proxies).await?;
            let pods = rows.iter().map(|row| {
                let label = |label| row.labels.get(label).clone();
                (label(Label::PodNamespace), label(Label::Pod))
            });
            Reply::ScrapedProxies(pods.filter(|(_, pod)| !pod.is_empty()).collect())
        }
        Inquiry::Scraping(_) => Reply::Scraping(asking.scraping().await?),
        Inquiry::EdgeRequests(it) => Reply::EdgeRequests(asking.edge(it.window_s).await?),
        Inquiry::CountsOf(it) => Reply::CountsOf(counts::of(&asking, it).await?),
        Inquiry::Threshold(it) => Reply::Threshold(threshold::of(&asking, it, now).await?),
        // Whoever puts questions to their sources knows which are whose.
        other => {
            return Err(Why::NotYet {
                source: other.source(),
            });
        }
    })
}

/// One Prometheus, of which one replica is read.
struct Asking<'a> {
    http: &'a Http,
    replica: Option<&'a str>,
}

impl Asking<'_> {
    async fn rows(&self, promql: Promql<'_>) -> Result<Vec<Row>, Why> {
        let body = self.http.query(&promql.of_replica(self.replica)).await?;
        let mut rows = Vec::new();
        let mut keep = |row: &Row| {
            rows.push(Row {
                labels: row.labels.clone(),
                samples: row.samples.clone(),
            });
        };
        // A warning means that the answer is partial: then nothing is known for certain.
        match answer::read(&body, &mut Names::default(), &mut keep)?
            .into_iter()
            .next()
        {
            Some(why) => Err(why),
            None => Ok(rows),
        }
    }

    /// The one number of an answer; None where there is none.
    async fn number(&self, promql: Promql<'_>) -> Result<Option<f64>, Why> {
        Ok(self.rows(promql).await?.first().and_then(value))
    }

    async fn control_plane(&self) -> Result<ControlPlaneState, Why> {
        let number = |promql| self.number(promql);
        let (root, chain, scraped) = try_join3(
            number(Promql::RootEnds),
            number(Promql::ChainEnds),
            number(Promql::Istiods),
        )
        .await?;
        let (connected, grown, born) = try_join3(
            number(Promql::Connected),
            number(Promql::RefusedGrown),
            number(Promql::RefusedBorn),
        )
        .await?;
        let ends = [root, chain].into_iter().flatten().filter_map(second);
        Ok(ControlPlaneState {
            scraped: whole(scraped),
            authority_ends: ends.min(),
            refused: grown.unwrap_or(0.0) + born.unwrap_or(0.0),
            connected: whole(connected),
        })
    }

    async fn scraping(&self) -> Result<ScrapingState, Why> {
        let samples = self.number(Promql::Samples).await?.filter(|it| *it >= 1.0);
        let mut reach = None;
        for back in Reach::ALL {
            // Figures may have a gap an hour ago, and reach back a month.
            if self.number(Promql::Kept(back)).await?.is_some() {
                reach = Some(back);
            }
        }
        Ok(ScrapingState {
            interval_s: samples.map(|it| whole(Some((f64::from(promql::TEN_MINUTES) / it).round()))),
            reach,
        })
    }

    async fn edge(&self, window_s: u32) -> Result<Vec<EdgeFlow>, Why> {
        let rate = |of| Promql::Edge { of, window_s };
        let (requests, seconds, timed) = try_join3(
            self.rows(rate(Rate::Requests)),
            self.rows(rate(Rate::Seconds)),
            self.rows(rate(Rate::Timed)),
        )
        .await?;
        // Where Prometheus has a name of its own for one, it has renamed it in every row that has it.
        let renamed = requests
            .iter()
            .any(|it| !it.labels.get(Label::ExportedService).is_empty());
        let place = |row: &Row| place(row, renamed);
        let mut flows: BTreeMap<Place, Sums> = BTreeMap::new();
        for row in &requests {
            let Some(value) = value(row) else { continue };
            let flow = flows.entry(place(row)).or_default();
            flow.rate += value;
            if row.labels.get(Label::Status).starts_with('5') {
                flow.failed += value;
            }
        }
        for (rows, sum) in [
            (&seconds, Sums::seconds as fn(&mut Sums) -> &mut f64),
            (&timed, Sums::timed),
        ] {
            // What has switched protocols is timed for as long as it is open.
            let timed = rows
                .iter()
                .filter(|it| **it.labels.get(Label::Status) != *SWITCHED);
            for row in timed {
                if let (Some(value), Some(flow)) = (value(row), flows.get_mut(&place(row))) {
                    *sum(flow) += value;
                }
            }
        }
        let flow = |((host, service), sums): (Place, Sums)| EdgeFlow {
            host,
            service,
            rate: sums.rate,
            failed: sums.failed,
            mean_ms: (sums.timed > 0.0).then(|| sums.seconds / sums.timed * 1_000.0),
        };
        Ok(flows.into_iter().map(flow).collect())
    }
}

/// A host, and the namespace and name of the Service that was asked.
type Place = (Name, (Name, Name));

fn place(row: &Row, renamed: bool) -> Place {
    let labels = &row.labels;
    let namespace = labels.first([Label::ExportedNamespace, Label::PodNamespace]);
    // Then `service` is that of nginx's own metrics.
    let service = labels.get(if renamed {
        Label::ExportedService
    } else {
        Label::Service
    });
    let namespace = if service.is_empty() { service } else { namespace };
    (
        labels.get(Label::Host).clone(),
        (namespace.clone(), service.clone()),
    )
}

#[derive(Default)]
struct Sums {
    rate: f64,
    failed: f64,
    seconds: f64,
    timed: f64,
}

impl Sums {
    fn seconds(&mut self) -> &mut f64 {
        &mut self.seconds
    }

    fn timed(&mut self) -> &mut f64 {
        &mut self.timed
    }
}

/// A row's number, if it is one.
fn value(row: &Row) -> Option<f64> {
    let value = row.samples.last()?.value;
    value.is_finite().then_some(value)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of processes; larger ones saturate"
)]
fn whole(number: Option<f64>) -> u32 {
    number.unwrap_or(0.0) as u32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a moment in seconds; larger ones saturate, and are none"
)]
fn second(number: f64) -> Option<Timestamp> {
    Timestamp::from_second(number as i64).ok()
}
