//! An API that stands still at one call.

use futures::stream::BoxStream;
use naru_domain::{
    actor::Actor,
    object::{Key, Kind, Object, Write},
};
use naru_ports::{Access, As, Cluster, ClusterError, Seen, Submitted};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};
use tokio::sync::Notify;

/// When to stand still: before or after the call of this number, counted from 0 since the API was armed.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    call: u32,
    after: bool,
}

impl Moment {
    /// The call does not reach the API server.
    pub fn before(call: u32) -> Self {
        Self { call, after: false }
    }

    /// The call is carried out, its answer does not arrive.
    pub fn after(call: u32) -> Self {
        Self { call, after: true }
    }
}

/// Passes calls on until its moment has come, then stands still until it is released. Who drops the waiting caller has killed it.
pub struct Killing {
    inner: Arc<dyn Cluster>,
    moment: Moment,
    armed: AtomicBool,
    calls: AtomicU32,
    reached: Notify,
    released: Notify,
}

impl Killing {
    /// Not armed yet: watches and reads before the change do not count.
    pub fn new(inner: Arc<dyn Cluster>, moment: Moment) -> Self {
        Self {
            inner,
            moment,
            armed: AtomicBool::new(false),
            calls: AtomicU32::new(0),
            reached: Notify::new(),
            released: Notify::new(),
        }
    }

    /// Counts from now on.
    pub fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    /// Returns once a caller stands still.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets the caller that stands still go on.
    pub fn release(&self) {
        self.released.notify_one();
    }

    async fn stand_still(&self, number: u32, after: bool) {
        if number == self.moment.call && after == self.moment.after {
            self.reached.notify_one();
            self.released.notified().await;
        }
    }

    fn number(&self) -> u32 {
        if self.armed.load(Ordering::SeqCst) {
            self.calls.fetch_add(1, Ordering::SeqCst)
        } else {
            u32::MAX
        }
    }
}

#[async_trait::async_trait]
impl Cluster for Killing {
    fn watch(&self, kind: Kind) -> BoxStream<'static, Seen> {
        self.inner.watch(kind)
    }

    async fn get(&self, key: &Key) -> Result<Object, ClusterError> {
        let number = self.number();
        self.stand_still(number, false).await;
        let answer = self.inner.get(key).await;
        self.stand_still(number, true).await;
        answer
    }

    async fn submit(
        &self,
        who: As<'_>,
        write: &Write,
        dry_run: bool,
        manager: &str,
    ) -> Result<Submitted, ClusterError> {
        let number = self.number();
        self.stand_still(number, false).await;
        let answer = self.inner.submit(who, write, dry_run, manager).await;
        self.stand_still(number, true).await;
        answer
    }

    async fn may(&self, who: &Actor, asks: &[Access]) -> Result<Vec<bool>, ClusterError> {
        self.inner.may(who, asks).await
    }
}
