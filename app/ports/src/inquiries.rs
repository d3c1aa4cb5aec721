//! What checks want to know beside objects and traffic.

use naru_domain::{
    Why,
    inquiry::{Inquiry, Reply},
    traffic::Dated,
};

/// Finds out what checks ask. Each question has its own time-out, and is answered within ten seconds; nothing is retried in here, for whoever
/// asks decides when to ask again. A reply is of the question's own kind.
#[async_trait::async_trait]
pub trait Inquiries: Send + Sync {
    /// Asks once, now.
    async fn find_out(&self, inquiry: &Inquiry) -> Result<Dated<Reply>, Why>;
}

/// Nobody who could be asked: nothing is known yet, for ever. For tests that are about something else.
#[cfg(feature = "contract")]
pub struct Nobody;

#[cfg(feature = "contract")]
#[async_trait::async_trait]
impl Inquiries for Nobody {
    async fn find_out(&self, inquiry: &Inquiry) -> Result<Dated<Reply>, Why> {
        Err(Why::NotYet {
            source: inquiry.source(),
        })
    }
}
