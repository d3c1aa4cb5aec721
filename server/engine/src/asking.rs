//! Finds out what checks ask, each question at its own pace, and keeps the replies for the next judgement. What nobody asks any more is forgotten.

use crate::Setup;
use arc_swap::ArcSwap;
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use jiff::SignedDuration;
use naru_domain::{
    SourceName, Timestamp, Why,
    inquiry::{Inquiry, Replies, Reply},
    traffic::Dated,
};
use naru_ports::{Clock, Inquiries};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};
use tokio::{sync::watch, task::JoinSet};

/// So many questions are under way at once to each source: they are small, and many go to the same few pods.
const AT_ONCE: usize = 8;

/// New replies are looked at this often at most: a judgement costs more than a reply.
const AT_MOST: SignedDuration = SignedDuration::from_secs(2);

/// The first of many replies are not held back longer than this.
const FIRST_OUT: SignedDuration = SignedDuration::from_millis(500);

/// Whatever is due later is looked at again by then.
const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What was asked, and the reply.
type Replied = (Inquiry, Result<Dated<Reply>, Why>);

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
        tasks.spawn(Asker::of(this.clone(), Arc::clone(&setup.inquiries)).run());
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
    /// Those that are to be asked.
    questions: BTreeSet<Inquiry>,
    /// When each was asked last.
    asked: BTreeMap<Inquiry, Timestamp>,
    /// Those that are due, by who is asked: who is slow holds up nobody else's.
    waiting: BTreeMap<SourceName, VecDeque<Inquiry>>,
    under_way: FuturesUnordered<BoxFuture<'static, Replied>>,
    /// Of whom so much is asked at this moment.
    running: BTreeMap<SourceName, BTreeSet<Inquiry>>,
    /// What has come in since it was last told.
    fresh: Vec<Replied>,
    /// When that was, and when what has come in is told.
    told: Timestamp,
    tell: Option<Timestamp>,
    /// When the next is due that neither waits nor is under way.
    next: Timestamp,
}

impl Asker {
    fn of(asking: Asking, port: Arc<dyn Inquiries>) -> Self {
        Self {
            asking,
            port,
            questions: BTreeSet::new(),
            asked: BTreeMap::new(),
            waiting: BTreeMap::new(),
            under_way: FuturesUnordered::new(),
            running: BTreeMap::new(),
            fresh: Vec::new(),
            told: Timestamp::UNIX_EPOCH,
            tell: None,
            next: Timestamp::MAX,
        }
    }

    async fn run(mut self) {
        let mut wanted = self.asking.wanted.subscribe();
        let clock = Arc::clone(&self.asking.clock);
        self.questions.clone_from(&wanted.borrow_and_update());
        self.look();
        loop {
            self.start();
            let now = clock.now();
            let next = self.next.clamp(now + AT_MOST, now + AN_HOUR);
            let next = self.tell.map_or(next, |it| it.min(next));
            tokio::select! {
                changed = wanted.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.questions.clone_from(&wanted.borrow_and_update());
                    self.look();
                    // What nobody asks any more is forgotten.
                    self.publish();
                }
                Some(replied) = self.under_way.next(), if !self.under_way.is_empty() => self.take(replied),
                () = clock.sleep_until(next) => if self.next <= clock.now() { self.look() },
            }
            let due = self.tell.is_some_and(|it| it <= clock.now());
            let idle = self.under_way.is_empty() && self.waiting.values().all(VecDeque::is_empty);
            if due || (idle && !self.fresh.is_empty()) {
                self.publish();
            }
        }
    }

    /// Puts what is due into its queue.
    fn look(&mut self) {
        let now = self.asking.clock.now();
        self.asked.retain(|it, _| self.questions.contains(it));
        self.waiting.clear();
        self.next = Timestamp::MAX;
        for inquiry in &self.questions {
            let source = inquiry.source();
            if self.running.get(&source).is_some_and(|it| it.contains(inquiry)) {
                continue;
            }
            let due = self.due(inquiry);
            if due <= now {
                self.waiting.entry(source).or_default().push_back(inquiry.clone());
            } else {
                self.next = self.next.min(due);
            }
        }
        // Who was never asked comes first, and then who has waited longest: those that are slow do not keep the others from their turn.
        for queue in self.waiting.values_mut() {
            queue
                .make_contiguous()
                .sort_by_key(|it| self.asked.get(it).copied());
        }
    }

    /// Asks of each source as much as may be asked of it at once.
    fn start(&mut self) {
        for (source, queue) in &mut self.waiting {
            let running = self.running.entry(*source).or_default();
            while running.len() < AT_ONCE
                && let Some(inquiry) = queue.pop_front()
            {
                running.insert(inquiry.clone());
                let port = Arc::clone(&self.port);
                self.under_way.push(Box::pin(async move {
                    let reply = port.find_out(&inquiry).await;
                    (inquiry, reply)
                }));
            }
        }
    }

    fn take(&mut self, replied: Replied) {
        let now = self.asking.clock.now();
        let inquiry = &replied.0;
        if let Some(running) = self.running.get_mut(&inquiry.source()) {
            running.remove(inquiry);
        }
        // When it ended: who is slow is not asked again at once.
        self.asked.insert(inquiry.clone(), now);
        self.next = self.next.min(now + every(inquiry));
        self.fresh.push(replied);
        self.tell
            .get_or_insert((now + FIRST_OUT).max(self.told + AT_MOST));
    }

    fn publish(&mut self) {
        self.told = self.asking.clock.now();
        self.tell = None;
        self.asking
            .publish(std::mem::take(&mut self.fresh), &self.questions);
    }

    fn due(&self, inquiry: &Inquiry) -> Timestamp {
        let replies = self.asking.replies.load();
        if let Some(Ok(reply)) = replies.get(inquiry)
            && reply.value.settled()
        {
            return Timestamp::MAX;
        }
        let asked = self.asked.get(inquiry);
        asked.map_or(Timestamp::UNIX_EPOCH, |asked| *asked + every(inquiry))
    }
}

fn every(inquiry: &Inquiry) -> SignedDuration {
    SignedDuration::from_secs(i64::from(inquiry.every_s()))
}

impl Asking {
    fn publish(&self, fresh: Vec<Replied>, questions: &BTreeSet<Inquiry>) {
        let mut replies = Replies::clone(&self.replies.load());
        let before = replies.len();
        replies.retain(|it, _| questions.contains(it));
        if fresh.is_empty() && replies.len() == before {
            return;
        }
        replies.extend(fresh.into_iter().filter(|(it, _)| questions.contains(it)));
        self.replies.store(Arc::new(replies));
        self.revision.send_modify(|it| *it += 1);
    }
}

#[cfg(test)]
mod tests {
    use super::{Asker, Asking};
    use jiff::SignedDuration;
    use naru_domain::{
        SourceName, Why,
        inquiry::{Address, Inquiry, Reply},
        traffic::Dated,
    };
    use naru_ports::{Clock, Inquiries, SystemClock};
    use std::{collections::BTreeSet, sync::Arc};
    use tokio::sync::watch;

    struct Never;

    #[async_trait::async_trait]
    impl Inquiries for Never {
        async fn find_out(&self, _: &Inquiry) -> Result<Dated<Reply>, Why> {
            std::future::pending().await
        }
    }

    fn address(port: u16) -> Inquiry {
        let (ip, name) = ("10.0.0.1".into(), "a.example".into());
        Inquiry::Address(Address { ip, port, name })
    }

    #[test]
    fn who_was_never_asked_comes_before_those_that_are_due_again() {
        let asking = Asking {
            clock: Arc::new(SystemClock),
            wanted: Arc::new(watch::Sender::new(BTreeSet::new())),
            replies: Arc::default(),
            revision: Arc::new(watch::Sender::new(0)),
        };
        let mut asker = Asker::of(asking, Arc::new(Never));
        let ago = |seconds| SystemClock.now() - SignedDuration::from_secs(seconds);
        asker.questions = [1, 2, 3, 4].map(address).into();
        asker.asked = [
            (address(1), ago(100)),
            (address(2), ago(200)),
            (address(4), ago(5)),
        ]
        .into();
        asker.look();
        assert_eq!(asker.waiting[&SourceName::Pods], [3, 2, 1].map(address));
        // What is not due yet is looked at when it is.
        assert!(asker.next > SystemClock.now());
        // What is under way is not put a second time.
        asker.start();
        asker.look();
        assert!(!asker.waiting.contains_key(&SourceName::Pods));
    }
}
