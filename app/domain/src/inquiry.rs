//! What checks want to know of the running system that neither its objects nor its traffic tell: handshakes, requests, what istiod knows of its
//! proxies, what webhooks answer, what Prometheus counted beside.
//!
//! A check asks ([`World::ask`](crate::judge::World::ask)), and whoever has a network finds the reply before the next judgement: nobody keeps a
//! list of what to try out beside the checks that need it.

mod counted;
mod threshold;
mod tried;

pub use counted::{
    ControlPlane, ControlPlaneState, Count, Counts, CountsOf, EdgeFlow, EdgeRequests, Reach, ScrapedProxies,
    Scraping, ScrapingState, lost,
};
pub use threshold::{Threshold, ThresholdState, Worst, WorstSeen};
pub use tried::{
    Address, Certificate, Chain, Exchange, Injected, Injection, ProxyState, ProxyStates, Response, Stage,
    Trial, Validation, Xds,
};

use crate::{SourceName, Timestamp, Why, traffic::Dated};
use std::collections::{BTreeMap, BTreeSet};

/// A question with its reply's type.
pub trait Question: Clone + Into<Inquiry> {
    /// What is replied.
    type Reply;

    /// Takes the reply out.
    fn reply(reply: &Reply) -> Option<&Self::Reply>;
}

macro_rules! inquiries {
    ($($(#[$doc:meta])* $name:ident -> $reply:ty, $source:ident, $every:literal;)*) => {
        /// Something that a check wants to know.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Inquiry {
            $($(#[$doc])* $name($name),)*
        }

        /// What was found out.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Reply {
            $($(#[$doc])* $name($reply),)*
        }

        $(
            impl From<$name> for Inquiry {
                fn from(question: $name) -> Self {
                    Self::$name(question)
                }
            }

            impl Question for $name {
                type Reply = $reply;

                fn reply(reply: &Reply) -> Option<&$reply> {
                    match reply {
                        Reply::$name(reply) => Some(reply),
                        _ => None,
                    }
                }
            }
        )*

        impl Inquiry {
            /// Who is asked.
            pub fn source(&self) -> SourceName {
                match self {
                    $(Self::$name(_) => SourceName::$source,)*
                }
            }

            /// After how many seconds it is asked again.
            pub fn every_s(&self) -> u32 {
                match self {
                    $(Self::$name(_) => $every,)*
                }
            }
        }
    };
}

inquiries! {
    /// What an address presents when TLS begins.
    Address -> Chain, Pods, 60;
    /// What an address answers to a GET.
    Exchange -> Response, Pods, 60;
    /// What an istiod has sent its proxies, and what they have acknowledged.
    ProxyStates -> Vec<ProxyState>, Istiod, 15;
    /// Whether a pod that asks for a proxy would get one.
    Injection -> Trial<Injected>, Kubernetes, 120;
    /// Whether an invalid rule would be refused.
    Validation -> Trial<crate::Name>, Kubernetes, 120;
    /// What istiod counts of itself.
    ControlPlane -> ControlPlaneState, Prometheus, 30;
    /// Whose figures are collected.
    ScrapedProxies -> BTreeSet<(crate::Name, crate::Name)>, Prometheus, 30;
    /// How often and since when figures are collected.
    Scraping -> ScrapingState, Prometheus, 300;
    /// What the old ingress counts, by host and by the Service that it asked.
    EdgeRequests -> Vec<EdgeFlow>, Prometheus, 30;
    /// Requests to a workload over a time that is past.
    CountsOf -> Counts, Prometheus, 300;
    /// The worst of what a team's own item asks for.
    Threshold -> ThresholdState, Prometheus, 60;
}

impl Reply {
    /// It will be the same for ever: it is about a time that is past, and Prometheus reached back so far.
    pub fn settled(&self) -> bool {
        matches!(self, Self::CountsOf(counts) if counts.covered)
    }
}

/// What was found out, or why not.
pub type Replies = BTreeMap<Inquiry, Result<Dated<Reply>, Why>>;

/// So many questions are put to one source at most; who has more gateway pods, hosts and paths, or services, than that is told so.
pub const LIMIT: usize = 1_000;

/// A reply is taken for what is so now for three times as long as until it is asked anew, and a minute.
fn holds_s(inquiry: &Inquiry) -> i64 {
    i64::from(inquiry.every_s()) * 3 + 60
}

/// The replies that a judgement is given, and what it asked for.
#[derive(Debug, Default)]
pub struct Asking {
    replies: std::sync::Arc<Replies>,
    asked: std::cell::RefCell<BTreeMap<SourceName, BTreeSet<Inquiry>>>,
}

impl Asking {
    /// With these replies at hand.
    pub fn with(replies: std::sync::Arc<Replies>) -> Self {
        Self {
            replies,
            asked: Default::default(),
        }
    }

    /// The reply to a question, if there is one. What is asked is remembered.
    ///
    /// # Errors
    /// It is not there yet, or could not be found out.
    pub fn ask<Q: Question>(&self, question: &Q, now: Timestamp) -> Result<Dated<&Q::Reply>, Why> {
        let inquiry: Inquiry = question.clone().into();
        let source = inquiry.source();
        let mut asked = self.asked.borrow_mut();
        let of_source = asked.entry(source).or_default();
        if !of_source.contains(&inquiry) && of_source.len() >= LIMIT {
            return Err(Why::NotJudged {
                what: format!("> {LIMIT}").into(),
            });
        }
        let reply = self.replies.get(&inquiry);
        let holds_s = holds_s(&inquiry);
        of_source.insert(inquiry);
        let not_yet = Why::NotYet { source };
        let dated = reply
            .ok_or_else(|| not_yet.clone())?
            .as_ref()
            .map_err(Why::clone)?;
        if !dated.value.settled() && now.duration_since(dated.at).as_secs() > holds_s {
            let since = dated.at.as_millisecond();
            return Err(Why::Stale { source, since });
        }
        let value = Q::reply(&dated.value).ok_or(not_yet)?;
        Ok(Dated {
            value,
            at: dated.at,
            gaps: dated.gaps.clone(),
        })
    }

    /// Everything that was asked.
    pub fn asked(self) -> BTreeSet<Inquiry> {
        self.asked.into_inner().into_values().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Asking, Chain, ControlPlane, ControlPlaneState, Inquiry, LIMIT, Replies, Reply};
    use crate::{SourceName, Timestamp, Why, traffic::Dated};
    use std::sync::Arc;

    fn address(port: u16) -> Address {
        Address {
            ip: "10.0.0.1".into(),
            port,
            name: "a.example".into(),
        }
    }

    fn now() -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    #[test]
    fn a_reply_grows_old() {
        let reply = Dated {
            value: Reply::Address(Chain::default()),
            at: now(),
            gaps: vec![],
        };
        let asking = Asking::with(Arc::new(Replies::from([(
            Inquiry::Address(address(1)),
            Ok(reply),
        )])));
        let later = |seconds| {
            asking
                .ask(&address(1), Timestamp::from_second(seconds).unwrap())
                .map(|_| ())
        };
        assert_eq!(later(240), Ok(()));
        assert!(matches!(later(241), Err(Why::Stale { .. })));
    }

    #[test]
    fn what_is_asked_is_remembered_whether_there_is_a_reply_or_not() {
        let reply = Dated {
            value: Reply::Address(Chain::default()),
            at: Timestamp::UNIX_EPOCH,
            gaps: vec![],
        };
        let no = Why::NeedsCluster;
        let replies = Replies::from([
            (Inquiry::Address(address(1)), Ok(reply)),
            (Inquiry::Address(address(2)), Err(no.clone())),
        ]);
        let asking = Asking::with(Arc::new(replies));
        assert_eq!(
            asking.ask(&address(1), now()).map(|it| it.value),
            Ok(&Chain::default())
        );
        assert_eq!(asking.ask(&address(2), now()).map(|_| ()), Err(no));
        let none: Result<Dated<&ControlPlaneState>, Why> = asking.ask(&ControlPlane, now());
        let source = SourceName::Prometheus;
        assert_eq!(none.map(|_| ()), Err(Why::NotYet { source }));
        assert_eq!(asking.asked().len(), 3);
    }

    #[test]
    fn questions_have_a_bound() {
        let asking = Asking::default();
        for port in 0..=u16::try_from(LIMIT).unwrap() {
            drop(asking.ask(&address(port), now()));
        }
        let more = asking.ask(&address(u16::MAX), now()).map(|_| ());
        assert!(matches!(more, Err(Why::NotJudged { .. })));
        assert_eq!(asking.asked().len(), LIMIT);
    }
}
