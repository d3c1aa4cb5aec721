//! Prometheus, or what speaks its HTTP API (Thanos, Mimir, VictoriaMetrics).
//!
//! ```text
//! query (typed PromQL) ─► http (one POST, bounded) ─► answer (streamed into interned rows) ─► flows    (rates ─► Traffic)
//!                                                                                         ├─► split    (raw samples ─► Split)
//!                                                                                         ├─► counts   (raw samples ─► Counts)
//!                                                                                         └─► beside   (what checks ask ─► Reply)
//! ```
//!
//! Cost is constant: [`PrometheusMetrics::traffic`] sends five queries for the whole mesh (one more every five minutes), `splits` at most
//! three, `counts` four, whatever the number of namespaces, viewers and questions. Nothing is retried in here: whoever asks decides when to ask again.
//!
//! Deliberately absent: quantiles (they cost what all else together does), and adding two replicas of a highly available Prometheus:
//! where the label `prometheus_replica` tells two apart, one of them is read.

mod answer;
mod beside;
mod counts;
mod flows;
mod http;
mod increase;
mod label;
mod query;
mod sampling;
mod split;

#[cfg(test)]
mod tests;

use futures::future::{join_all, try_join_all};
use http::Http;
use naru_domain::{
    Timestamp, Why,
    inquiry::{Inquiry, Reply},
    judge::guardrail::{Counts, CountsQuestion},
    traffic::{Dated, Split, SplitQuestion, Traffic},
};
use naru_ports::{Clock, Metrics};
use query::{Measure, Query};
use sampling::Sampling;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// How Prometheus is reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Base URL, `http` or `https`, with the path prefix if there is one. Credentials do not belong in it.
    pub url: String,
    /// File with the bearer token; read again for each round, since projected tokens rotate.
    pub bearer_token_file: Option<PathBuf>,
    /// File with PEM certificates of the authorities to trust, instead of the system's.
    pub ca: Option<PathBuf>,
    /// File with a PEM certificate and its key, presented to a server that asks for one (mutual TLS).
    pub client_certificate: Option<PathBuf>,
    /// Tenant, sent as `X-Scope-OrgID`.
    pub org_id: Option<String>,
    /// For one query, its answer's body included. Below ten seconds, which is what the port promises.
    pub timeout: Duration,
    /// Largest answer that is read, in bytes after decompression.
    pub body_limit: usize,
    /// Ask for gzip. Saves nine tenths of the bytes, and costs Prometheus about a quarter more CPU.
    pub gzip: bool,
}

impl Settings {
    /// The usual bounds for a Prometheus at this address.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            bearer_token_file: None,
            ca: None,
            client_certificate: None,
            org_id: None,
            timeout: Duration::from_secs(8),
            body_limit: 256 << 20,
            gzip: true,
        }
    }
}

/// Why no adapter can be made from the settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Not a URL, not http or https, or with credentials, a query or a fragment in it.
    #[error("the address of Prometheus: {0}")]
    Url(&'static str),
    /// The file with the authorities, or with the client's certificate, cannot be read.
    #[error("the file {path} with certificates: {source}")]
    CaFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It holds no certificate, or the client's holds no key.
    #[error("the file {path} holds no PEM certificate, or no key where one is needed")]
    CaContent {
        /// Which file.
        path: PathBuf,
    },
    /// The tenant is no header value.
    #[error("the tenant (X-Scope-OrgID) must be visible ASCII")]
    OrgId,
    /// The HTTP client could not be made.
    #[error("the HTTP client: {0}")]
    Client(reqwest::Error),
}

/// What the mesh's proxies counted, as Prometheus has it.
pub struct PrometheusMetrics {
    http: Http,
    clock: Arc<dyn Clock>,
    sampling: Sampling,
    windows: counts::Windows,
}

impl PrometheusMetrics {
    /// Prepares the client; asks nothing yet. A rustls provider must have been installed before.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, SettingsError> {
        Ok(Self {
            http: Http::new(settings)?,
            clock,
            sampling: Sampling::default(),
            windows: counts::Windows::default(),
        })
    }

    /// Asks all measures at once, of one replica.
    async fn measures(
        &self,
        window_s: u32,
        replica: Option<&str>,
    ) -> Result<Vec<(Measure, bytes::Bytes)>, Why> {
        try_join_all(Measure::ALL.into_iter().map(|measure| async move {
            let query = Query::rates(measure, window_s, replica);
            Ok((measure, self.http.query(&query).await?))
        }))
        .await
    }
}

impl PrometheusMetrics {
    /// What checks ask of Prometheus beside the traffic of now: at most four queries for a question, each as large as what it tells apart.
    pub async fn beside(&self, inquiry: &Inquiry) -> Result<Dated<Reply>, Why> {
        let replica = self.sampling.replica();
        let asked = self.clock.now();
        let value = beside::find_out(&self.http, replica.as_deref(), inquiry, asked).await?;
        Ok(Dated {
            value,
            at: self.clock.now(),
            gaps: Vec::new(),
        })
    }
}

#[async_trait::async_trait]
impl Metrics for PrometheusMetrics {
    async fn traffic(&self, window_s: u32) -> Result<Dated<Traffic>, Why> {
        let now = self.clock.now();
        let known = self.sampling.known(now, window_s);
        let (answers, sampled) = match &known {
            Some(sampled) => (
                self.measures(window_s, sampled.replica.as_deref()).await?,
                Ok(sampled.clone()),
            ),
            None => {
                let (answers, sampled) = futures::join!(
                    self.measures(window_s, None),
                    self.sampling.ask(&self.http, now, window_s)
                );
                match &sampled {
                    // Two replicas were added up: once more, with one.
                    Ok(it) if it.replica.is_some() => {
                        (self.measures(window_s, it.replica.as_deref()).await?, sampled)
                    }
                    _ => (answers?, sampled),
                }
            }
        };
        // A few megabytes are parsed: not on a thread that serves pages.
        let mut dated = on_a_thread_of_its_own(move || flows::traffic(&answers, window_s, now)).await?;
        match sampled {
            Ok(sampled) => dated.gaps.extend(sampled.gap(window_s)),
            Err(why) => dated.gaps.push(why),
        }
        dated.gaps.sort();
        dated.gaps.dedup();
        Ok(dated)
    }

    async fn splits(&self, questions: &[SplitQuestion]) -> Vec<Result<Dated<Split>, Why>> {
        let now = self.clock.now();
        let batches = split::batches(questions, now);
        let ask = async |batch: &split::Batch| {
            let (requests, durations) = (self.http.query(&batch.query), self.http.query(&batch.durations));
            futures::join!(requests, durations)
        };
        let answers = join_all(batches.iter().map(ask)).await;
        let mut found = vec![
            Err(Why::NotYet {
                source: naru_domain::SourceName::Prometheus
            });
            questions.len()
        ];
        for (batch, (requests, durations)) in batches.into_iter().zip(answers) {
            let asked: Vec<(usize, SplitQuestion)> = batch
                .questions
                .iter()
                .map(|&at| (at, questions[at].clone()))
                .collect();
            let results = match requests {
                Ok(requests) => {
                    let work = move || {
                        let durations = durations.as_deref().map_err(Clone::clone);
                        split::answer(&requests, durations, &asked, now)
                    };
                    on_a_thread_of_its_own(work).await
                }
                Err(why) => Err(why),
            };
            match results {
                Ok(results) => results.into_iter().for_each(|(at, result)| found[at] = result),
                Err(why) => batch
                    .questions
                    .iter()
                    .for_each(|&at| found[at] = Err(why.clone())),
            }
        }
        found
    }

    async fn counts(&self, question: &CountsQuestion) -> Result<Counts, Why> {
        counts::counts(&self.http, &self.windows, question, self.clock.now()).await
    }
}

/// Runs what computes for milliseconds where it holds nobody up.
async fn on_a_thread_of_its_own<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Why> + Send + 'static,
) -> Result<T, Why> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // Only a panic or the runtime's end can bring us here.
        Err(_) => Err(garbled("the answer could not be read")),
    }
}

/// The source answered something that is not its protocol.
fn garbled(detail: impl AsRef<str>) -> Why {
    Why::Garbled {
        source: naru_domain::SourceName::Prometheus,
        detail: short(detail.as_ref()),
    }
}

/// The source answered with an error.
fn failed(status: u16, kind: &str, message: &str) -> Why {
    let detail = match (kind, message) {
        ("", it) | (it, "") => short(it),
        (kind, message) => short(&format!("{kind}: {message}")),
    };
    Why::Failed {
        source: naru_domain::SourceName::Prometheus,
        status,
        detail,
    }
}

/// At most 200 characters on one line: details are shown to people and logged.
fn short(text: &str) -> naru_domain::Name {
    let line: String = text
        .chars()
        .map(|it| if it.is_control() { ' ' } else { it })
        .take(200)
        .collect();
    line.trim().into()
}

/// A moment in Prometheus's terms; moments outside of what a timestamp can hold become the epoch.
fn moment(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}
