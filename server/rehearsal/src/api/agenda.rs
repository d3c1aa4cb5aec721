//! What will happen to the system by itself: pods that become ready, jobs that start, the accidents of a scenario.
//!
//! Each happens as of its own moment and in order, however late somebody looks, so that what the objects are at a moment depends on the
//! rehearsal's time alone and not on who asked when.

use super::ObjectStore;
use naru_domain::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

type Deed = Box<dyn FnOnce(&ObjectStore) + Send>;
/// How many were ever planned, and those to come by their moments and by the order in which they were planned.
type Deeds = (u64, BTreeMap<(Timestamp, u64), Deed>);

pub(super) struct Agenda {
    deeds: Mutex<Deeds>,
    /// Held while something happens: two that look at once see it happen once.
    turn: Mutex<()>,
    planned: watch::Sender<()>,
}

impl Default for Agenda {
    fn default() -> Self {
        Self {
            deeds: Mutex::default(),
            turn: Mutex::default(),
            planned: watch::Sender::new(()),
        }
    }
}

impl Agenda {
    fn deeds(&self) -> MutexGuard<'_, Deeds> {
        // Deeds are put in and taken out whole, and none happens under this lock.
        self.deeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn plan(&self, due: Timestamp, what: Deed) {
        let mut deeds = self.deeds();
        deeds.0 += 1;
        let number = deeds.0;
        deeds.1.insert((due, number), what);
        drop(deeds);
        self.planned.send_replace(());
    }

    /// Tells when something is planned from now on.
    pub(super) fn planned(&self) -> watch::Receiver<()> {
        self.planned.subscribe()
    }

    /// When the next thing is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.deeds().1.first_key_value().map(|((due, _), _)| *due)
    }

    /// Lets everything happen that is due by `now`, also what is planned meanwhile.
    pub(super) fn until(&self, now: Timestamp, at: impl Fn(Timestamp) -> ObjectStore) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((due, what)) = self.pop(now) {
            what(&at(due));
        }
    }

    fn pop(&self, now: Timestamp) -> Option<(Timestamp, Deed)> {
        let mut deeds = self.deeds();
        let first = deeds.1.first_entry().filter(|first| first.key().0 <= now)?;
        let ((due, _), what) = first.remove_entry();
        Some((due, what))
    }
}

#[cfg(test)]
mod tests {
    use crate::{ManualClock, api::ObjectStore};
    use futures::FutureExt;
    use jiff::{SignedDuration, Timestamp};
    use naru_domain::object::{Key, Kind};
    use serde_json::json;
    use std::sync::Arc;

    fn after(s: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(s)
    }

    fn put(name: &'static str) -> impl FnOnce(&ObjectStore) + Send + 'static {
        move |store| {
            let json = json!({"metadata": {"name": name}});
            store.load(Kind::Namespace, json, "somebody").unwrap();
        }
    }

    fn born(store: &ObjectStore, name: &str) -> Option<String> {
        let object = store.object(&Key::new(Kind::Namespace, "", name))?;
        Some(object.text("/metadata/creationTimestamp").to_owned())
    }

    #[test]
    fn what_was_planned_happens_in_order_and_as_of_its_own_moment() {
        let clock = Arc::new(ManualClock::at(after(0)));
        let store = ObjectStore::new(clock.clone(), 8);
        store.later(after(20), put("second"));
        store.later(after(10), |store| {
            put("first")(store);
            store.later(after(15), put("between"));
        });
        store.later(after(40), put("later"));
        clock.advance_ms(30_000);
        let version = |name: &str| {
            let object = store.object(&Key::new(Kind::Namespace, "", name))?;
            object.resource_version().parse::<u64>().ok()
        };
        assert!(version("first") < version("between") && version("between") < version("second"));
        assert_eq!(born(&store, "between").as_deref(), Some("1970-01-01T00:00:15Z"));
        assert_eq!(version("later"), None);
        // What is planned for the past happens now.
        store.later(after(5), put("late"));
        assert_eq!(born(&store, "late").as_deref(), Some("1970-01-01T00:00:30Z"));
    }

    #[test]
    fn a_store_that_runs_tells_its_watches_without_being_asked() {
        let clock = Arc::new(ManualClock::at(after(0)));
        let store = ObjectStore::new(clock.clone(), 8);
        let journal = store.journal();
        let mut run = Box::pin(store.run());
        assert!((&mut run).now_or_never().is_none());
        store.later(after(10), put("first"));
        assert!((&mut run).now_or_never().is_none());
        clock.advance_ms(10_000);
        assert!((&mut run).now_or_never().is_none());
        assert_eq!(journal.try_iter().count(), 1);
    }
}
