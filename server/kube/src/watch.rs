//! Watches: all objects of a kind, then what changes.

mod event;
mod list;

use crate::{
    answer::{garbled, refused, unwatched},
    path,
    wire::{Answer, Lines, Trouble, Wire, retry_after},
};
use event::Event;
use futures::{StreamExt as _, stream::BoxStream};
use http::{Request, StatusCode};
use list::Listed;
use naru_domain::{Name, Why, object::Kind};
use naru_ports::Seen;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Watches a kind for ever.
pub(crate) fn watch(wire: Wire, kind: Kind) -> BoxStream<'static, Seen> {
    let watcher = Watcher {
        page: wire.pace.page,
        wire,
        kind,
        told: Told::Nothing,
        phase: Phase::List,
        unwatchable: None,
        failures: 0,
        queue: VecDeque::new(),
    };
    futures::stream::unfold(watcher, |mut watcher| async move {
        Some((watcher.next().await, watcher))
    })
    .boxed()
}

/// What the consumer was told last about the kind as a whole: it is told once.
#[derive(PartialEq)]
enum Told {
    Nothing,
    Known,
    Absent,
    Lost(Why),
}

enum Phase {
    /// Everything is to be read.
    List,
    /// Everything up to this resourceVersion was told.
    Open(Name),
    /// Changes after this resourceVersion come in.
    Follow(Name, Lines, Instant),
}

struct Watcher {
    wire: Wire,
    kind: Kind,
    told: Told,
    phase: Phase,
    /// The kind can be listed, and watching it was refused.
    unwatchable: Option<Why>,
    failures: u32,
    page: usize,
    queue: VecDeque<Seen>,
}

impl Watcher {
    async fn next(&mut self) -> Seen {
        loop {
            if let Some(seen) = self.queue.pop_front() {
                return seen;
            }
            self.step().await;
        }
    }

    async fn step(&mut self) {
        match std::mem::replace(&mut self.phase, Phase::List) {
            Phase::List => self.list().await,
            Phase::Open(version) => self.open(version).await,
            Phase::Follow(version, mut lines, since) => match lines.next().await {
                Ok(Some(line)) => self.event(version, lines, since, &line),
                Err(Trouble::TimedOut(_)) => self.pulse(version, lines, since).await,
                // The API server ends each watch after a while, and a broken one is taken up where it was: if that cannot be, opening it
                // tells. One that ends at once, again and again, must not become a storm.
                Ok(None) | Err(Trouble::Cut(_) | Trouble::Unsent(_)) => {
                    if since.elapsed() < Duration::from_secs(1) {
                        sleep(self.first_pause()).await;
                    }
                    self.phase = Phase::Open(version);
                }
                Err(trouble) => self.lost(unwatched(trouble), Duration::ZERO).await,
            },
        }
    }

    async fn list(&mut self) {
        match list::all(&self.wire, self.kind, &mut self.page).await {
            Ok(Listed::All { facts, gaps, version }) => {
                self.queue.push_back(Seen::Reset { facts, gaps });
                self.phase = Phase::Open(version);
                if let Some(why) = &self.unwatchable {
                    // That nothing after it will be heard of is said in the same breath: "known" and "lost" must not take turns.
                    self.told = Told::Lost(why.clone());
                    self.queue.push_back(Seen::Lost(why.clone()));
                } else {
                    self.failures = 0;
                    self.told = Told::Known;
                }
            }
            Ok(Listed::Absent) => {
                self.failures = 0;
                if self.told == Told::Absent {
                    sleep(self.wire.pace.absent).await;
                } else {
                    self.told = Told::Absent;
                    self.queue.push_back(Seen::Absent);
                }
            }
            Err(list::Failed { why, wait }) => self.lost(why, wait).await,
        }
    }

    async fn open(&mut self, version: Name) {
        let url = format!(
            "{}watch=true&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}",
            path::watched(self.kind),
            self.wire.pace.watch.as_secs().max(1),
            path::encode(&version)
        );
        let request = match Request::get(url).body(Vec::new()) {
            Ok(request) => request,
            Err(error) => return self.lost(garbled(&error.to_string()), Duration::ZERO).await,
        };
        match self.wire.follow(request).await {
            // Now it may be watched. Only a list tells that all is well again, and the phase is "list".
            Ok(Ok(_)) if self.unwatchable.take().is_some() => {}
            Ok(Ok(lines)) => self.phase = Phase::Follow(version, lines, Instant::now()),
            // Too old to go on from, or the kind is gone: listing anew finds out.
            Ok(Err(Answer {
                status: StatusCode::GONE | StatusCode::NOT_FOUND,
                ..
            })) => {}
            Ok(Err(answer)) => {
                let wait = if answer.status == StatusCode::TOO_MANY_REQUESTS {
                    retry_after(&answer.headers)
                } else {
                    Duration::ZERO
                };
                let why = refused(self.kind, "watch", &answer);
                if answer.status == StatusCode::FORBIDDEN {
                    self.unwatchable = Some(why.clone());
                }
                self.lost(why, wait).await;
            }
            Err(trouble) => self.lost(unwatched(trouble), Duration::ZERO).await,
        }
    }

    /// Nothing has come for a while, which is usual. A frozen API server is as silent: whether it answers tells them apart.
    async fn pulse(&mut self, version: Name, lines: Lines, since: Instant) {
        let overdue = since.elapsed() > self.wire.pace.watch + self.wire.pace.read;
        match self.wire.alive().await {
            Err(trouble) => self.lost(unwatched(trouble), Duration::ZERO).await,
            Ok(()) if overdue => self.phase = Phase::Open(version),
            Ok(()) => self.phase = Phase::Follow(version, lines, since),
        }
    }

    fn event(&mut self, version: Name, lines: Lines, since: Instant, line: &[u8]) {
        let version = match event::read(self.kind, line) {
            Event::Change(seen, newer) => {
                self.queue.push_back(seen);
                newer.unwrap_or(version)
            }
            Event::Bookmark(newer) => newer.unwrap_or(version),
            // The phase stays "list".
            Event::Expired => return,
            Event::Broken(why) => return self.tell_lost(why),
        };
        self.phase = Phase::Follow(version, lines, since);
    }

    /// Tells that the watch is broken, and waits before it is tried again from the beginning.
    async fn lost(&mut self, why: Why, wait: Duration) {
        self.tell_lost(why);
        if self.queue.is_empty() {
            let doubled = self.first_pause() * 2_u32.saturating_pow(self.failures.saturating_sub(1).min(16));
            sleep(doubled.max(wait).min(self.wire.pace.backoff)).await;
        }
    }

    fn tell_lost(&mut self, why: Why) {
        self.failures = self.failures.saturating_add(1);
        let told = Told::Lost(why.clone());
        if self.told != told {
            tracing::warn!(kind = self.kind.name(), ?why, "the watch is broken");
            self.told = told;
            self.queue.push_back(Seen::Lost(why));
        }
    }

    /// Kinds wait a little differently, so that they do not all knock at once.
    fn first_pause(&self) -> Duration {
        self.wire.pace.backoff / 30 + self.wire.pace.backoff * u32::from(self.kind as u8) / 1000
    }
}
