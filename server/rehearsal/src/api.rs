//! The Kubernetes API, held in memory.
//!
//! An [`ObjectStore`] keeps objects as the API server does: one increasing resourceVersion for all, a generation that counts changes of
//! `spec`, managedFields, the status subresource, guards, dry runs, watches without a gap. Kinds that come with a definition
//! are there once their CustomResourceDefinition is. What a test or a scenario does *to* the system, past Naru (edits by others,
//! missing rights, outages, lost answers), are the store's own methods; what Naru does goes through [`Cluster`].

mod admit;
mod agenda;
mod faults;
mod fields;
mod rights;
mod schema;
mod state;
mod watch;

pub use faults::{Call, Fault};
pub use rights::{Deeds, Who};
pub use state::{Changed, Entry};

use agenda::Agenda;
use futures::stream::BoxStream;
use naru_domain::{
    Name, SourceName, Timestamp, Why,
    actor::Actor,
    object::{Key, Kind, Object, Write},
};
use naru_ports::{Access, As, Clock, Cluster, ClusterError, Seen, Submitted};
use rights::Asker;
use serde_json::Value;
use state::{Event, Mode, State};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
};

/// What other parts of the rehearsed system do when an object has changed: a Deployment's pods, for example.
pub type Hook = Arc<dyn Fn(&ObjectStore, &Key) + Send + Sync>;

/// The API server with its storage. Clones are handles to one store.
#[derive(Clone)]
pub struct ObjectStore {
    inner: Arc<Inner>,
    /// The moment that this handle acts at; None for the clock's present.
    moment: Option<Timestamp>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    agenda: Agenda,
    state: Mutex<State>,
    /// Counts what a waiting watch must look at again: definitions, rights, reachability.
    signal: tokio::sync::watch::Sender<u64>,
}

impl std::fmt::Debug for ObjectStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectStore").finish_non_exhaustive()
    }
}

impl ObjectStore {
    /// An empty cluster: the built-in kinds are served, no custom one is. A watch that falls more than `backlog` events behind is told
    /// that its resourceVersion is too old (410), as by an API server whose watch cache has gone on.
    pub fn new(clock: Arc<dyn Clock>, backlog: usize) -> Self {
        let (signal, _) = tokio::sync::watch::channel(0);
        let inner = Inner {
            clock,
            agenda: Agenda::default(),
            state: Mutex::new(State::new(backlog)),
            signal,
        };
        Self {
            inner: Arc::new(inner),
            moment: None,
        }
    }

    /// This handle's present: the clock's, or the moment of what was planned and happens now.
    pub fn now(&self) -> Timestamp {
        self.moment.unwrap_or_else(|| self.inner.clock.now())
    }

    fn at(&self, moment: Timestamp) -> Self {
        Self {
            inner: self.inner.clone(),
            moment: Some(moment),
        }
    }

    /// Plans what others do to the system at `due`. It is done, as of that moment and in order, before anything that is asked or done
    /// later, or by [`Self::run`]; what is due already, at once.
    pub fn later(&self, due: Timestamp, what: impl FnOnce(&Self) + Send + 'static) {
        self.inner.agenda.plan(due.max(self.now()), Box::new(what));
    }

    /// Lets everything happen that was due by now. Whoever acts or looks through this handle has done so already.
    pub fn catch_up(&self) {
        // What happens in its turn has nothing to catch up with.
        if self.moment.is_none() {
            let now = self.inner.clock.now();
            self.inner.agenda.until(now, |due| self.at(due));
        }
    }

    /// Lets what was planned happen in its time, for ever: watches hear of it even if nobody asks.
    pub async fn run(&self) {
        loop {
            let mut planned = self.inner.agenda.planned();
            self.catch_up();
            match self.inner.agenda.next() {
                Some(due) => tokio::select! {
                    () = self.inner.clock.sleep_until(due) => {}
                    _ = planned.changed() => {}
                },
                // The sender lives in the store that we hold.
                None => drop(planned.changed().await),
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is changed in single steps that do not panic half way, so what a panicked holder left is whole.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self) {
        self.inner.signal.send_modify(|count| *count += 1);
    }

    /// Puts an object as it is (status and times too) in the place of what has its name, past all rights and rules. Its uid and
    /// creationTimestamp stay those of what was there.
    pub fn load(
        &self,
        kind: Kind,
        json: Value,
        manager: &str,
    ) -> Result<Object, naru_domain::object::Malformed> {
        let key = Key::of(kind, &json)?;
        self.catch_up();
        let now = self.now();
        let (stored, changed) = self.state().load(now, &key, json, manager);
        if changed {
            self.at(now).changed(&key);
        }
        Object::new(kind, (*stored).clone())
    }

    /// Edits an object as somebody else would, status too. False if there is none.
    pub fn edit(&self, key: &Key, manager: &str, edit: impl FnOnce(&mut Value)) -> bool {
        let Some(object) = self.object(key) else {
            return false;
        };
        let mut json = object.json().clone();
        edit(&mut json);
        self.load(key.kind, json, manager).is_ok()
    }

    /// Removes an object as an administrator would; a namespace with all that is in it.
    pub fn delete(&self, key: &Key) -> bool {
        self.catch_up();
        let now = self.now();
        let gone = self.state().remove(now, key);
        if gone {
            self.at(now).changed(key);
        }
        gone
    }

    /// An object, past Naru's rights.
    pub fn object(&self, key: &Key) -> Option<Object> {
        self.catch_up();
        let json = self.state().json(key)?;
        Object::new(key.kind, (*json).clone()).ok()
    }

    /// The keys of all objects of a kind, in order of namespace and name.
    pub fn keys(&self, kind: Kind) -> Vec<Key> {
        self.catch_up();
        self.state().of_kind(kind).map(|(key, _)| key.clone()).collect()
    }

    /// All objects of a kind in a namespace, or in all of them, in order of namespace and name.
    pub fn list(&self, kind: Kind, namespace: Option<&str>) -> Vec<(Key, Arc<Value>)> {
        self.catch_up();
        self.state().list(kind, namespace)
    }

    /// Installs the definition of a custom kind.
    pub fn install(&self, kind: Kind) {
        let now = self.now();
        let (key, json) = state::definition(kind);
        let _ = self.state().load(now, &key, json, "kubectl");
        self.signal();
    }

    /// Removes the definition of a custom kind, and with it all objects of it.
    pub fn remove(&self, kind: Kind) {
        self.delete(&state::definition(kind).0);
        self.signal();
    }

    /// Forbids deeds.
    pub fn forbid(&self, who: Who, deeds: Deeds) {
        self.state().rights.bans.push((who, deeds));
        self.signal();
    }

    /// Leaves a group no rights but these.
    pub fn allow_only(&self, group: impl Into<Name>, deeds: impl Into<Vec<Deeds>>) {
        self.state().rights.only.insert(group.into(), deeds.into());
        self.signal();
    }

    /// Takes back everything that was forbidden, and all limits of groups.
    pub fn allow_all(&self) {
        self.state().rights = rights::Rights::default();
        self.signal();
    }

    /// Takes back what was forbidden to these alone.
    pub fn pardon(&self, who: &Who) {
        self.state().rights.bans.retain(|(whom, _)| whom != who);
        self.signal();
    }

    /// Cuts Naru off from the API server, or joins it again. Open watches break.
    pub fn reachable(&self, yes: bool) {
        let mut state = self.state();
        state.down = (!yes).then(|| "connection refused".into());
        if let Some(detail) = state.down.clone() {
            state.tell_all(&Event::Broken(Why::Unreachable {
                source: SourceName::Kubernetes,
                detail,
            }));
        }
        drop(state);
        self.signal();
    }

    /// While on, writes are carried out and their answers are lost.
    pub fn lose_answers(&self, on: bool) {
        self.state().mute = on;
    }

    /// Breaks all open watches once, as a restarted API server does. They list anew at once.
    pub fn cut_watches(&self) {
        let detail = "the connection was closed".into();
        self.state().tell_all(&Event::Broken(Why::Unreachable {
            source: SourceName::Kubernetes,
            detail,
        }));
    }

    /// Makes all open watches too old to go on (410).
    pub fn expire_watches(&self) {
        self.state().tell_all(&Event::Broken(state::gone()));
    }

    /// Arranges what happens to a call, after `skip` others of its sort.
    pub fn arrange(&self, call: Call, skip: u32, fault: Fault) {
        self.state().faults.plan(call, skip, fault);
    }

    /// Every write that has landed through [`Cluster`], in order: what an audit log would hold.
    pub fn audit(&self) -> Vec<Entry> {
        self.state().audit.clone()
    }

    /// Calls `hook` after each change, outside of all locks.
    pub fn on_change(&self, hook: Hook) {
        self.state().hooks.push(hook);
    }

    /// All changes from now on, with their times, and before them everything that is there. Unread changes are kept.
    pub fn journal(&self) -> mpsc::Receiver<Changed> {
        self.catch_up();
        let now = self.now();
        self.state().journal(now)
    }

    fn changed(&self, key: &Key) {
        if key.kind == Kind::CustomResourceDefinition {
            self.signal();
        }
        let hooks = self.state().hooks.clone();
        for hook in hooks {
            hook(self, key);
        }
    }

    /// Lets a call meet what was arranged for it. Ok: it arrives; whether its answer is to be lost.
    async fn meet(&self, call: Call) -> Result<Loss, ClusterError> {
        self.catch_up();
        let met = self.state().faults.meet(call);
        let mut loss = Loss::None;
        for fault in met {
            match fault {
                Fault::Before => return Err(ClusterError::Unreachable("connection refused".into())),
                Fault::Throttled(wait) => return Err(ClusterError::Throttled(wait)),
                Fault::HangBefore => std::future::pending().await,
                Fault::HangAfter => loss = Loss::Silence,
                Fault::After => loss = Loss::Answer,
                Fault::Meanwhile(act) => act(self),
            }
        }
        let state = self.state();
        if let Some(detail) = &state.down {
            return Err(ClusterError::Unreachable(detail.clone()));
        }
        if state.mute && call == Call::Write && matches!(loss, Loss::None) {
            loss = Loss::Answer;
        }
        Ok(loss)
    }
}

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Loss {
    None,
    Answer,
    Silence,
}

impl Loss {
    async fn apply<T>(self, answer: Result<T, ClusterError>) -> Result<T, ClusterError> {
        match self {
            Self::None => answer,
            Self::Answer => Err(ClusterError::Unsure(
                "the connection was closed before an answer came".into(),
            )),
            Self::Silence => std::future::pending().await,
        }
    }
}

#[async_trait::async_trait]
impl Cluster for ObjectStore {
    fn watch(&self, kind: Kind) -> BoxStream<'static, Seen> {
        watch::watch(self.clone(), kind)
    }

    async fn get(&self, key: &Key) -> Result<Object, ClusterError> {
        let loss = self.meet(Call::Get).await?;
        let answer = self.state().get(key);
        // A question changes nothing, so there is nothing to be unsure of.
        let answer = loss.apply(answer).await;
        answer.map_err(|error| match error {
            ClusterError::Unsure(detail) => ClusterError::Unreachable(detail),
            other => other,
        })
    }

    async fn submit(
        &self,
        who: As<'_>,
        write: &Write,
        dry_run: bool,
        manager: &str,
    ) -> Result<Submitted, ClusterError> {
        let loss = self
            .meet(if dry_run { Call::DryRun } else { Call::Write })
            .await?;
        let now = self.now();
        let mode = Mode {
            now,
            dry_run,
            manager,
        };
        let answer = self.state().submit(who, write, mode);
        if answer.is_ok() && !dry_run {
            self.at(now).changed(write.key());
        }
        loss.apply(answer).await
    }

    async fn may(&self, who: &Actor, asks: &[Access]) -> Result<Vec<bool>, ClusterError> {
        let loss = self.meet(Call::May).await?;
        let answer = self.state().may(who, asks);
        loss.apply(Ok(answer)).await
    }
}

/// Objects by their keys, each shared with whoever was told of it.
type Stored = BTreeMap<Key, Arc<Value>>;
