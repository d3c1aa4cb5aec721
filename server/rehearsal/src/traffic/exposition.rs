//! The counters as a real Prometheus scrapes them: its text format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>).
//!
//! A mesh's proxies expose one page each; here one page has them all. Of Istio's standard metrics
//! (<https://istio.io/latest/docs/reference/config/metrics/>) it has those that Naru asks for and their siblings. Sizes of HTTP requests and
//! responses are left out: nothing here reads them, and their two histograms would make the page three times as long.

mod labels;

pub(super) use labels::{Identities, answer, labels};

use super::samples::{BOUNDS, Count, Histogram};
use naru_domain::traffic::Protocol;
use std::{
    fmt::Write as _,
    io::{self, Write},
    sync::Arc,
};

/// The content type of an [`Exposition`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Bytes after which a piece ends: large enough that pieces cost little, small beside a page of some hundred megabytes.
const PIECE: usize = 256 * 1024;

/// One line's counters.
#[derive(Debug)]
pub(super) struct Row {
    /// `name="value"`, joined by commas.
    pub(super) labels: Arc<str>,
    pub(super) protocol: Protocol,
    pub(super) count: Count,
    pub(super) histogram: Histogram,
}

/// A metric. Each is exposed for HTTP and gRPC, or for TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Metric {
    Requests,
    Duration,
    Sent,
    Received,
    Opened,
    Closed,
}

impl Metric {
    const ALL: [Self; 6] = [
        Self::Requests,
        Self::Duration,
        Self::Sent,
        Self::Received,
        Self::Opened,
        Self::Closed,
    ];

    /// Name, type and help.
    fn head(self) -> [&'static str; 3] {
        match self {
            Self::Requests => [
                "istio_requests_total",
                "counter",
                "Requests that a proxy handled.",
            ],
            Self::Duration => [
                "istio_request_duration_milliseconds",
                "histogram",
                "How long requests took.",
            ],
            Self::Sent => [
                "istio_tcp_sent_bytes_total",
                "counter",
                "Bytes of responses on TCP connections.",
            ],
            Self::Received => [
                "istio_tcp_received_bytes_total",
                "counter",
                "Bytes of requests on TCP connections.",
            ],
            Self::Opened => [
                "istio_tcp_connections_opened_total",
                "counter",
                "TCP connections opened.",
            ],
            Self::Closed => [
                "istio_tcp_connections_closed_total",
                "counter",
                "TCP connections closed.",
            ],
        }
    }

    fn of_tcp(self) -> bool {
        !matches!(self, Self::Requests | Self::Duration)
    }
}

/// All counters of one moment. An iterator of pieces of text, which are to be written one after the other: rendering needs neither the
/// counters any more nor the memory of a whole page.
#[derive(Debug)]
pub struct Exposition {
    rows: Vec<Row>,
    /// Of [`Metric::ALL`].
    metric: usize,
    row: usize,
}

impl Exposition {
    pub(super) fn of(rows: Vec<Row>) -> Self {
        let (metric, row) = (0, 0);
        Self { rows, metric, row }
    }

    /// Writes all pieces.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write_to(self, out: &mut impl Write) -> io::Result<()> {
        for piece in self {
            out.write_all(piece.as_bytes())?;
        }
        Ok(())
    }
}

impl Iterator for Exposition {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut text = String::with_capacity(PIECE + PIECE / 8);
        while let Some(&metric) = Metric::ALL.get(self.metric) {
            let [name, kind, help] = metric.head();
            let wanted = |row: &Row| (row.protocol == Protocol::Tcp) == metric.of_tcp();
            if self.row == 0 {
                if !self.rows.iter().any(wanted) {
                    self.metric += 1;
                    continue;
                }
                let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            }
            while let Some(row) = self.rows.get(self.row) {
                self.row += 1;
                if wanted(row) {
                    render(&mut text, metric, name, row);
                    if text.len() >= PIECE {
                        return Some(text);
                    }
                }
            }
            (self.metric, self.row) = (self.metric + 1, 0);
        }
        (!text.is_empty()).then_some(text)
    }
}

fn render(text: &mut String, metric: Metric, name: &str, row: &Row) {
    let labels = &*row.labels;
    let value = match metric {
        Metric::Duration => return durations(text, name, row),
        // A call over TCP is a connection that ends with it.
        Metric::Requests | Metric::Opened | Metric::Closed => row.count.requests,
        // A proxy sends what its client gets: the response.
        Metric::Sent => row.count.received,
        Metric::Received => row.count.sent,
    };
    sample(text, &[name, "{", labels, "}"], value);
}

fn durations(text: &mut String, name: &str, row: &Row) {
    let labels = &*row.labels;
    let Histogram(buckets) = &row.histogram;
    let mut below = 0;
    let bounds = BOUNDS.iter().map(|(_, bound)| *bound).chain(["+Inf"]);
    for (bound, within) in bounds.zip(buckets) {
        below += within;
        sample(text, &[name, "_bucket{", labels, ",le=\"", bound, "\"}"], below);
    }
    let (whole, rest) = (row.count.duration_us / 1_000, row.count.duration_us % 1_000);
    let _ = writeln!(text, "{name}_sum{{{labels}}} {whole}.{rest:03}");
    sample(text, &[name, "_count{", labels, "}"], row.count.requests);
}

/// Copies, where a template would be read anew for each of some hundred thousand lines.
fn sample(text: &mut String, parts: &[&str], value: u64) {
    for part in parts {
        text.push_str(part);
    }
    let _ = writeln!(text, " {value}");
}
