//! Finds out what checks ask, each question at its own pace, and keeps the replies for the next judgement. What nobody asks any more is forgotten.

use crate::Setup;
use arc_swap::ArcSwap;
use futures::{StreamExt, stream};
use jiff::SignedDuration;
use naru_domain::{
    Timestamp, Why,
    inquiry::{Inquiry, Replies, Reply},
    traffic::Dated,
};
use naru_ports::{Clock, Inquiries};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::{sync::watch, task::JoinSet};

/// So many questions are under way at once: they are small, and many go to the same few pods.
const AT_ONCE: usize = 16;

/// New replies are looked at this often at most: a judgement costs more than a reply.
const AT_MOST: SignedDuration = SignedDuration::from_secs(2);

/// The first of many replies are not held back longer than this.
const FIRST_OUT: SignedDuration = SignedDuration::from_millis(500);

/// So long a judgement waits for what it has just come to ask.
const PATIENCE: SignedDuration = SignedDuration::from_secs(2);

/// Where questions are put and replies are found.
#[derive(Clone)]
pub(crate) struct Asking {
    clock: Arc<dyn Clock>,
    wanted: Arc<watch::Sender<BTreeSet<Inquiry>>>,
    replies: Arc<ArcSwap<Replies>>,
    revision: Arc<watch::Sender<u64>>,
}

impl Asking {
    /// Starts the task that asks.
    pub(crate) fn spawn(setup: &Setup, tasks: &mut JoinSet<()>) -> Self {
        let this = Self {
            clock: Arc::clone(&setup.clock),
            wanted: Arc::new(watch::Sender::new(BTreeSet::new())),
            replies: Arc::default(),
            revision: Arc::new(watch::Sender::new(0)),
        };
        let asker = Asker {
            asking: this.clone(),
            port: Arc::clone(&setup.inquiries),
            asked: BTreeMap::new(),
        };
        tasks.spawn(asker.run());
        this
    }

    /// The replies that there are, and how often they have changed.
    pub(crate) fn replies(&self) -> (u64, Arc<Replies>) {
        // The number first: replies that come in between are then found to be new.
        let revision = *self.revision.borrow();
        (revision, self.replies.load_full())
    }

    /// Returns once the replies are others than those of a revision.
    pub(crate) async fn changed(&self, revision: u64) {
        let mut changes = self.revision.subscribe();
        // The sender lives in this struct, so it cannot be gone.
        let _same = changes.wait_for(|it| *it != revision).await;
    }

    /// Puts these questions, and no others. Waits a little for those that were never put before; whether they are replied to now.
    pub(crate) async fn want(&self, questions: BTreeSet<Inquiry>) -> bool {
        let missing = |replies: &Replies| questions.iter().any(|it| !replies.contains_key(it));
        let fresh = missing(&self.replies.load()) && *self.wanted.borrow() != questions;
        self.wanted.send_if_modified(|wanted| {
            let differs = *wanted != questions;
            if differs {
                wanted.clone_from(&questions);
            }
            differs
        });
        if !fresh {
            return false;
        }
        let mut changes = self.revision.subscribe();
        let until = self.clock.now() + PATIENCE;
        loop {
            if !missing(&self.replies.load()) {
                return true;
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return false },
                () = self.clock.sleep_until(until) => return false,
            }
        }
    }
}

struct Asker {
    asking: Asking,
    port: Arc<dyn Inquiries>,
    /// When each was asked last.
    asked: BTreeMap<Inquiry, Timestamp>,
}

impl Asker {
    async fn run(mut self) {
        let mut wanted = self.asking.wanted.subscribe();
        loop {
            let questions = wanted.borrow_and_update().clone();
            self.asked.retain(|it, _| questions.contains(it));
            let now = self.asking.clock.now();
            let due: Vec<Inquiry> = questions
                .iter()
                .filter(|it| self.due(it) <= now)
                .cloned()
                .collect();
            if !due.is_empty() {
                self.ask(due, &questions).await;
            }
            let next = questions.iter().map(|it| self.due(it)).min();
            let now = self.asking.clock.now();
            let hour = now + SignedDuration::from_hours(1);
            let next = next.map_or(hour, |it| it.clamp(now + AT_MOST, hour));
            tokio::select! {
                changed = wanted.changed() => if changed.is_err() { return },
                () = self.asking.clock.sleep_until(next) => {}
            }
        }
    }

    fn due(&self, inquiry: &Inquiry) -> Timestamp {
        let replies = self.asking.replies.load();
        if let Some(Ok(reply)) = replies.get(inquiry)
            && reply.value.settled()
        {
            return Timestamp::MAX;
        }
        let every = SignedDuration::from_secs(i64::from(inquiry.every_s()));
        self.asked
            .get(inquiry)
            .map_or(Timestamp::UNIX_EPOCH, |asked| *asked + every)
    }

    /// Publishes what has come in every few seconds, so that who answers quickly waits for nobody.
    async fn ask(&mut self, due: Vec<Inquiry>, questions: &BTreeSet<Inquiry>) {
        let port = &self.port;
        let ask = |inquiry: Inquiry| async move {
            let reply = port.find_out(&inquiry).await;
            (inquiry, reply)
        };
        let mut found = stream::iter(due).map(ask).buffer_unordered(AT_ONCE);
        let mut fresh: Vec<(Inquiry, Result<Dated<Reply>, Why>)> = Vec::new();
        let mut next = self.asking.clock.now() + FIRST_OUT;
        loop {
            tokio::select! {
                reply = found.next() => match reply {
                    Some(reply) => {
                        // When it ended: who is slow is not asked again at once.
                        self.asked.insert(reply.0.clone(), self.asking.clock.now());
                        fresh.push(reply);
                    }
                    None => break,
                },
                () = self.asking.clock.sleep_until(next) => {
                    next = self.asking.clock.now() + AT_MOST;
                    self.asking.publish(std::mem::take(&mut fresh), questions);
                }
            }
        }
        self.asking.publish(fresh, questions);
    }
}

impl Asking {
    fn publish(&self, fresh: Vec<(Inquiry, Result<Dated<Reply>, Why>)>, questions: &BTreeSet<Inquiry>) {
        let mut replies = Replies::clone(&self.replies.load());
        let before = replies.len();
        replies.retain(|it, _| questions.contains(it));
        if fresh.is_empty() && replies.len() == before {
            return;
        }
        replies.extend(fresh);
        self.replies.store(Arc::new(replies));
        self.revision.send_modify(|it| *it += 1);
    }
}
