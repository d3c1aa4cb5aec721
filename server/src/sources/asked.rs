//! Puts each question of the checks to the source that can reply.

use super::{
    pods::{self, Pods},
    prometheus::PrometheusMetrics,
    trials,
};
use naru_domain::{
    SourceName, Why,
    inquiry::{Inquiry, Reply},
    traffic::Dated,
};
use naru_ports::{Clock, Cluster, Inquiries};
use std::sync::Arc;

/// The sources together.
pub struct Asked {
    /// Where dry runs go.
    pub cluster: Arc<dyn Cluster>,
    /// None if none was named.
    pub prometheus: Option<Arc<PrometheusMetrics>>,
    /// Pods, and istiod among them.
    pub pods: Pods,
    /// When it was so.
    pub clock: Arc<dyn Clock>,
}

#[async_trait::async_trait]
impl Inquiries for Asked {
    async fn find_out(&self, inquiry: &Inquiry) -> Result<Dated<Reply>, Why> {
        let value = match inquiry {
            Inquiry::Address(at) => Reply::Address(self.pods.handshake(at).await?),
            Inquiry::Exchange(it) => Reply::Exchange(self.pods.exchange(it).await?),
            Inquiry::ProxyStates(it) => Reply::ProxyStates(pods::istiod::proxies(&self.pods, it).await?),
            Inquiry::Injection(it) => Reply::Injection(trials::injection(&*self.cluster, it).await?),
            Inquiry::Validation(_) => Reply::Validation(trials::validation(&*self.cluster).await?),
            Inquiry::ControlPlane(_)
            | Inquiry::ScrapedProxies(_)
            | Inquiry::Scraping(_)
            | Inquiry::EdgeRequests(_)
            | Inquiry::CountsOf(_)
            | Inquiry::Threshold(_) => {
                let prometheus = self.prometheus.as_ref().ok_or(Why::NotYet {
                    source: SourceName::Prometheus,
                })?;
                return prometheus.beside(inquiry).await;
            }
        };
        Ok(Dated {
            value,
            at: self.clock.now(),
            gaps: Vec::new(),
        })
    }
}
