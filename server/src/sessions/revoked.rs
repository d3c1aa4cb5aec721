//! Sessions that were ended before their time: one object in the cluster, written under Naru's own ServiceAccount and watched by every
//! replica, so that a cookie that was signed out is nobody's everywhere at once.

use super::{
    seal::fingerprint,
    session::{LIFE, OUTAGE, SKEW, Session},
};
use futures::StreamExt;
use jiff::Timestamp;
use json_patch::{AddOperation, Patch, PatchOperation, jsonptr::PointerBuf};
use naru_domain::{
    Why,
    fact::Fact,
    object::{Key, Kind, Object, Write},
};
use naru_ports::{As, Clock, Cluster, ClusterError, Seen};
use naru_view::{Millis, why::SourceName};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::task::JoinSet;

/// The one object's name.
pub const NAME: &str = "naru";

/// Under this name Naru writes it.
const MANAGER: &str = "naru-sessions";

/// Entries of the object; the definition holds it to as many. With about 120 bytes each it stays far below what etcd takes.
const LIMIT: usize = 2_048;

/// Writers that meet begin anew this often.
const ATTEMPTS: usize = 6;

/// No session lasts longer, so no entry need.
const KEPT: Millis = LIFE + OUTAGE + SKEW;

/// A person who is signed out everywhere and comes back at once is let in again after this: the clocks of the provider and of replicas may be
/// apart by as much.
const NEAR: Millis = 5_000;

/// What is ended.
#[derive(Clone, Copy, Debug)]
pub enum Ended<'a> {
    /// One session, by our own name for it.
    Id(&'a str),
    /// All sessions of one session at the provider.
    Sid(&'a str, &'a str),
    /// All sessions of a person: issuer, subject.
    Person(&'a str, &'a str),
}

impl Ended<'_> {
    /// A fingerprint: the object names nobody.
    fn key(self) -> String {
        match self {
            Self::Id(id) => fingerprint(&["id", id]),
            Self::Sid(issuer, sid) => fingerprint(&["sid", issuer, sid]),
            Self::Person(issuer, sub) => fingerprint(&["sub", issuer, sub]),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    key: String,
    /// When it was ended.
    at: Timestamp,
    /// When nobody can come with it any more.
    until: Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct List {
    /// Sessions that were made before this are ended, all of them: what is left of entries that had no place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Timestamp>,
    #[serde(default)]
    sessions: Vec<Entry>,
}

impl List {
    fn read(object: &Object) -> Option<Self> {
        serde_json::from_value(object.get("/spec")?.clone()).ok()
    }

    /// With these entries, without those that have run out. If there is no room, the oldest go, and with them all sessions of their age.
    fn with(mut self, new: &[Entry], now: Timestamp) -> Self {
        self.sessions
            .retain(|old| old.until > now && new.iter().all(|it| it.key != old.key));
        self.sessions.extend(new.iter().cloned());
        self.sessions.sort_by(|a, b| (a.at, &a.key).cmp(&(b.at, &b.key)));
        if self.sessions.len() > LIMIT {
            let gone = self.sessions.drain(..self.sessions.len() - LIMIT / 2);
            let latest = gone.map(|entry| entry.at).max();
            self.before = self.before.max(latest);
        }
        self
    }
}

/// What is known of the ended sessions.
#[derive(Debug)]
struct Told {
    /// Why the object is not known, if it is not.
    unknown: Option<Why>,
    before: Millis,
    entries: HashMap<String, Millis>,
    /// Ended here, whether or not the object could be written: when, and until when it counts.
    own: HashMap<String, (Millis, Millis)>,
}

/// Whether a session was ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It goes on.
    Goes,
    /// It was ended.
    Ended,
    /// Nobody knows: the object cannot be read.
    Unknown(Why),
}

/// The ended sessions.
pub struct Revoked {
    cluster: Arc<dyn Cluster>,
    clock: Arc<dyn Clock>,
    told: Arc<Mutex<Told>>,
    _watch: JoinSet<()>,
}

impl Revoked {
    /// Starts to watch; needs a runtime.
    pub fn start(cluster: Arc<dyn Cluster>, clock: Arc<dyn Clock>) -> Self {
        let told = Arc::new(Mutex::new(Told {
            unknown: Some(Why::NotYet {
                source: SourceName::Kubernetes,
            }),
            before: 0,
            entries: HashMap::new(),
            own: HashMap::new(),
        }));
        let mut watch = JoinSet::new();
        let (mut seen, held) = (cluster.watch(Kind::RevokedSessions), told.clone());
        watch.spawn(async move {
            while let Some(seen) = seen.next().await {
                hear(&mut lock(&held), &seen);
            }
        });
        Self {
            cluster,
            clock,
            told,
            _watch: watch,
        }
    }

    /// Whether this session was ended. From memory.
    pub fn standing(&self, session: &Session) -> Standing {
        let told = lock(&self.told);
        let ended_at = |ended: Ended<'_>| {
            let key = ended.key();
            let own = told.own.get(&key).map(|(at, _)| *at);
            told.entries.get(&key).copied().max(own)
        };
        let by_sid = !session.sid.is_empty() && ended_at(Ended::Sid(&session.iss, &session.sid)).is_some();
        let by_person =
            ended_at(Ended::Person(&session.iss, &session.sub)).is_some_and(|at| session.issued <= at + NEAR);
        if by_sid || by_person || ended_at(Ended::Id(&session.id)).is_some() || session.issued <= told.before
        {
            return Standing::Ended;
        }
        told.unknown.clone().map_or(Standing::Goes, Standing::Unknown)
    }

    /// Ends sessions from `at` backwards: here at once, on other replicas when the object is written. An error says that it was not, or
    /// that nobody knows; here they are ended all the same.
    pub async fn end(&self, ended: &[Ended<'_>], at: Millis) -> Result<(), ClusterError> {
        let now = self.clock.now();
        let until = at.max(now.as_millisecond()) + KEPT;
        let keys: Vec<String> = ended.iter().map(|it| it.key()).collect();
        {
            let mut told = lock(&self.told);
            told.own.retain(|_, (_, until)| *until > now.as_millisecond());
            for key in &keys {
                told.own.insert(key.clone(), (at, until));
            }
        }
        let moment = |millis| Timestamp::from_millisecond(millis).unwrap_or(now);
        let new: Vec<Entry> = keys
            .into_iter()
            .map(|key| Entry {
                key,
                at: moment(at),
                until: moment(until),
            })
            .collect();
        let mut last = ClusterError::Conflict;
        for _ in 0..ATTEMPTS {
            match self.write(&new, now).await {
                Ok(()) => return Ok(()),
                // Adding twice is adding once, so what may have landed is tried again.
                Err(error @ (ClusterError::Conflict | ClusterError::Exists | ClusterError::Unsure(_))) => {
                    last = error
                }
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    async fn write(&self, new: &[Entry], now: Timestamp) -> Result<(), ClusterError> {
        let key = Key::new(Kind::RevokedSessions, "", NAME);
        let spec = |list: List| {
            serde_json::to_value(list.with(new, now))
                .map_err(|error| ClusterError::Invalid(error.to_string().into()))
        };
        let write = match self.cluster.get(&key).await {
            Ok(object) => {
                let value = spec(List::read(&object).unwrap_or_default())?;
                let path = PointerBuf::from_tokens(["spec"]);
                let ops = Patch(vec![PatchOperation::Add(AddOperation { path, value })]);
                Write::Patch {
                    key,
                    rv: object.resource_version(),
                    ops,
                }
            }
            Err(ClusterError::NotFound) => {
                let json = json!({"apiVersion": Kind::RevokedSessions.api_version(), "kind": Kind::RevokedSessions.name(),
                    "metadata": {"name": NAME}, "spec": spec(List::default())?});
                let object = Object::new(Kind::RevokedSessions, json);
                Write::Create(object.map_err(|error| ClusterError::Invalid(error.to_string().into()))?)
            }
            Err(error) => return Err(error),
        };
        self.cluster
            .submit(As::Controller("sessions"), &write, false, MANAGER)
            .await
            .map(drop)
    }
}

fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    // Each change is one assignment, so what a panicked holder left is whole.
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hear(told: &mut Told, seen: &Seen) {
    match seen {
        Seen::Reset { facts, .. } => {
            let ours = facts.iter().find(|fact| &*fact.key().name == NAME);
            // Without the object nothing was ended yet.
            know(told, ours.map_or_else(|| Ok(List::default()), list));
        }
        Seen::Applied(fact) if &*fact.key().name == NAME => know(told, list(fact)),
        // Whoever deletes the list does not bring the ended sessions back.
        Seen::Deleted(key) if &*key.name == NAME => {}
        Seen::Unreadable(key, why) if &*key.name == NAME => told.unknown = Some(why.clone()),
        Seen::Absent => {
            told.unknown = Some(Why::KindAbsent {
                kind: Kind::RevokedSessions.name().into(),
            })
        }
        Seen::Lost(why) => told.unknown = Some(why.clone()),
        _ => {}
    }
}

fn list(fact: &Fact) -> Result<List, Why> {
    let Fact::Object(object) = fact else {
        return Ok(List::default());
    };
    List::read(object).ok_or_else(|| Why::Garbled {
        source: SourceName::Kubernetes,
        detail: "RevokedSessions/naru is not as Naru writes it".into(),
    })
}

fn know(told: &mut Told, list: Result<List, Why>) {
    match list {
        Ok(list) => {
            told.unknown = None;
            told.before = list.before.map_or(0, Timestamp::as_millisecond).max(told.before);
            told.entries = list
                .sessions
                .into_iter()
                .map(|it| (it.key, it.at.as_millisecond()))
                .collect();
        }
        Err(why) => told.unknown = Some(why),
    }
}

#[cfg(test)]
mod tests;
