//! Traffic, as questions; the query language stays in the adapter.

use naru_domain::{
    Why,
    judge::guardrail::{Counts, CountsQuestion},
    traffic::{Dated, Split, SplitQuestion, Traffic},
};

/// What the mesh's proxies counted. Each call has its own time-out, and answers within ten seconds.
#[async_trait::async_trait]
pub trait Metrics: Send + Sync {
    /// All flows of all namespaces over the last `window_s` seconds: a constant handful of queries, however large the mesh.
    async fn traffic(&self, window_s: u32) -> Result<Dated<Traffic>, Why>;

    /// The real splits since given moments; one answer for each question, in order.
    async fn splits(&self, questions: &[SplitQuestion]) -> Vec<Result<Dated<Split>, Why>>;

    /// What both versions of a canary have answered since a moment, by scrape, caller and pod.
    async fn counts(&self, question: &CountsQuestion) -> Result<Counts, Why>;
}
