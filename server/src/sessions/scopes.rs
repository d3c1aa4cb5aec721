//! What a person may see: the namespaces whose pods they may list, as the API server says.
//!
//! Prometheus and the journal know no RBAC, so what is shown of them is bounded by what their viewer may see of the cluster itself.

use super::seal::fingerprint;
use futures::StreamExt;
use naru_domain::{
    Name, Why,
    actor::{Actor, Scope},
    object::Kind,
};
use naru_ports::{Access, Clock, Cluster, ClusterError, Seen};
use naru_view::{Millis, why::SourceName};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{sync::Mutex as Turn, task::JoinSet};

/// How long an answer holds: a right that is taken away is gone from the pages after a minute.
const HOLDS: Millis = 60_000;

/// How long nothing is asked again after a question went unanswered.
const PAUSE: Millis = 5_000;

/// People whose scope is kept.
const KEPT: usize = 512;

/// Namespaces that are asked about one by one. Each is a question to the API server, once a minute for each person who may not see all.
const NAMESPACES: usize = 1_000;

/// The pods: the graph's nodes are workloads.
const VERB: &str = "list";
const ASKED: Kind = Kind::Pod;

/// What somebody may see, and why it may be less than what is theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// What may be shown.
    pub scope: Scope,
    /// Why it is not known whether there is more.
    pub why: Option<Why>,
}

impl Sight {
    fn nothing(why: Why) -> Self {
        Self {
            scope: Scope {
                namespaces: Some(Arc::from([])),
            },
            why: Some(why),
        }
    }
}

/// One person's turn: of many requests at once, one asks.
type Seat = Arc<Turn<Option<(Sight, Millis)>>>;

/// The scopes of those who came within the last minute.
pub struct Scopes {
    cluster: Arc<dyn Cluster>,
    clock: Arc<dyn Clock>,
    namespaces: Arc<Mutex<Result<BTreeSet<Name>, Why>>>,
    seats: Mutex<HashMap<String, (Seat, Millis)>>,
    _watch: JoinSet<()>,
}

impl Scopes {
    /// Starts to watch namespaces; needs a runtime.
    pub fn start(cluster: Arc<dyn Cluster>, clock: Arc<dyn Clock>) -> Self {
        let unknown = Why::NotYet {
            source: SourceName::Kubernetes,
        };
        let namespaces = Arc::new(Mutex::new(Err(unknown)));
        let mut watch = JoinSet::new();
        let (mut seen, held) = (cluster.watch(Kind::Namespace), namespaces.clone());
        watch.spawn(async move {
            while let Some(seen) = seen.next().await {
                hear(&mut held.lock().unwrap_or_else(PoisonError::into_inner), seen);
            }
        });
        Self {
            cluster,
            clock,
            namespaces,
            seats: Mutex::default(),
            _watch: watch,
        }
    }

    /// What this person may see, as of the last minute.
    pub async fn of(&self, who: &Actor) -> Sight {
        let seat = self.seat(who);
        let mut held = seat.lock().await;
        let now = self.clock.now().as_millisecond();
        if let Some((sight, until)) = &*held
            && now < *until
        {
            return sight.clone();
        }
        let sight = self
            .ask(who)
            .await
            .unwrap_or_else(|error| Sight::nothing(unanswered(error)));
        let holds = if sight.why.is_some() { PAUSE } else { HOLDS };
        *held = Some((sight.clone(), now + holds));
        sight
    }

    async fn ask(&self, who: &Actor) -> Result<Sight, ClusterError> {
        let ask = |namespace| Access {
            verb: VERB,
            kind: ASKED,
            namespace,
            name: None,
        };
        if self.cluster.may(who, &[ask(None)]).await?.first() == Some(&true) {
            return Ok(Sight {
                scope: Scope::all(),
                why: None,
            });
        }
        let known = self
            .namespaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let names: Vec<Name> = match known {
            Ok(names) => names.into_iter().take(NAMESPACES + 1).collect(),
            Err(why) => return Ok(Sight::nothing(why)),
        };
        let too_many = names.len() > NAMESPACES;
        let asks: Vec<Access> = names
            .iter()
            .take(NAMESPACES)
            .map(|name| ask(Some(name.clone())))
            .collect();
        let answers = self.cluster.may(who, &asks).await?;
        // In order of name, so that equal scopes are equal.
        let seen: Arc<[Name]> = names
            .iter()
            .zip(answers)
            .filter(|(_, may)| *may)
            .map(|(name, _)| name.clone())
            .collect();
        let why = too_many.then(|| Why::Said {
            detail: format!("only the first {NAMESPACES} namespaces are asked about").into(),
        });
        Ok(Sight {
            scope: Scope {
                namespaces: Some(seen),
            },
            why,
        })
    }

    fn seat(&self, who: &Actor) -> Seat {
        let mut texts: Vec<&str> = vec![&who.issuer, &who.sub];
        texts.extend(who.groups.iter().map(|group| &**group));
        let key = fingerprint(&texts);
        let now = self.clock.now().as_millisecond();
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((seat, used)) = seats.get_mut(&key) {
            *used = now;
            return seat.clone();
        }
        if seats.len() >= KEPT {
            seats.retain(|_, (_, used)| now - *used < HOLDS);
        }
        // All came within a minute: whoever came longest ago asks again.
        if seats.len() >= KEPT
            && let Some(oldest) = seats
                .iter()
                .min_by_key(|(_, (_, used))| *used)
                .map(|(key, _)| key.clone())
        {
            seats.remove(&oldest);
        }
        let seat = Seat::default();
        seats.insert(key, (seat.clone(), now));
        seat
    }
}

fn hear(known: &mut Result<BTreeSet<Name>, Why>, seen: Seen) {
    match seen {
        Seen::Reset { facts, .. } => *known = Ok(facts.iter().map(|fact| fact.key().name).collect()),
        Seen::Applied(fact) => {
            if let Ok(names) = known {
                names.insert(fact.key().name);
            }
        }
        Seen::Deleted(key) => {
            if let Ok(names) = known {
                names.remove(&key.name);
            }
        }
        // Names as of before the break: each is asked about anew, so an old list shows nothing that is not somebody's.
        Seen::Lost(why) if known.is_err() => *known = Err(why),
        Seen::Lost(_) | Seen::Unreadable(..) => {}
        Seen::Absent => {
            *known = Err(Why::KindAbsent {
                kind: "Namespace".into(),
            })
        }
    }
}

/// Why a question about rights has no answer, as pages say it.
fn unanswered(error: ClusterError) -> Why {
    let source = SourceName::Kubernetes;
    match error {
        ClusterError::Unreachable(detail) | ClusterError::Unsure(detail) => {
            Why::Unreachable { source, detail }
        }
        ClusterError::Forbidden(_) => Why::Forbidden {
            verb: "create".into(),
            resource: "subjectaccessreviews".into(),
            namespace: None,
        },
        ClusterError::Throttled(_) => Why::Failed {
            source,
            status: 429,
            detail: "".into(),
        },
        other => Why::Failed {
            source,
            status: 422,
            detail: other.to_string().into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{HOLDS, KEPT, Scopes, Sight};
    use jiff::{SignedDuration, Timestamp};
    use naru_domain::{
        Name,
        actor::{Actor, Scope},
        object::Kind,
    };
    use naru_rehearsal::{
        ManualClock,
        api::{Call, Deeds, Fault, ObjectStore},
    };
    use std::sync::Arc;

    fn who(group: &str) -> Actor {
        Actor {
            groups: Arc::from([Name::from(group)]),
            ..Actor::loopback()
        }
    }

    fn sees(namespace: Option<&str>) -> Deeds {
        Deeds {
            verb: Some("list"),
            kind: Some(Kind::Pod),
            namespace: namespace.map(Name::from),
            name: None,
        }
    }

    fn cluster() -> (Arc<ManualClock>, Arc<ObjectStore>) {
        let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        let store = Arc::new(ObjectStore::new(clock.clone(), 64));
        for name in ["b", "a", "c"] {
            let json =
                serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            store.load(Kind::Namespace, json, "kubectl").unwrap();
        }
        store.allow_only("naru:all", vec![sees(None)]);
        store.allow_only("naru:two", vec![sees(Some("c")), sees(Some("a"))]);
        store.allow_only("naru:none", vec![]);
        (clock, store)
    }

    async fn scope(scopes: &Scopes, who: &Actor) -> Option<Vec<String>> {
        let names = scopes.of(who).await.scope.namespaces?;
        Some(names.iter().map(|name| name.to_string()).collect())
    }

    /// Waits until the watch has listed.
    async fn listed(scopes: &Scopes) {
        while scopes.namespaces.lock().unwrap().is_err() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn each_sees_what_rbac_lets_them_list_in_order() {
        let (clock, store) = cluster();
        let scopes = Scopes::start(store, clock);
        listed(&scopes).await;
        assert_eq!(
            scopes.of(&who("naru:all")).await,
            Sight {
                scope: Scope::all(),
                why: None
            }
        );
        assert_eq!(scope(&scopes, &who("naru:two")).await.unwrap(), ["a", "c"]);
        assert_eq!(scope(&scopes, &who("naru:none")).await.unwrap(), [""; 0]);
        let nobody = Actor {
            groups: Arc::from([]),
            ..Actor::loopback()
        };
        assert_eq!(scope(&scopes, &nobody).await.unwrap(), [""; 0]);
    }

    #[tokio::test]
    async fn a_right_that_is_taken_away_is_gone_after_a_minute() {
        let (clock, store) = cluster();
        let scopes = Scopes::start(store.clone(), clock.clone());
        listed(&scopes).await;
        let two = who("naru:two");
        assert_eq!(scope(&scopes, &two).await.unwrap(), ["a", "c"]);
        store.allow_only("naru:two", vec![sees(Some("a"))]);
        assert_eq!(
            scope(&scopes, &two).await.unwrap(),
            ["a", "c"],
            "as of the last minute"
        );
        clock.advance(SignedDuration::from_millis(HOLDS));
        assert_eq!(scope(&scopes, &two).await.unwrap(), ["a"]);
    }

    #[tokio::test]
    async fn whose_rights_are_unknown_sees_nothing_and_is_told_why() {
        let (clock, store) = cluster();
        let scopes = Scopes::start(store.clone(), clock.clone());
        listed(&scopes).await;
        store.arrange(Call::May, 0, Fault::Before);
        let sight = scopes.of(&who("naru:all")).await;
        assert_eq!(sight.scope.namespaces.as_deref(), Some(&[][..]));
        assert!(matches!(sight.why, Some(naru_domain::Why::Unreachable { .. })));
        assert_eq!(
            scopes.of(&who("naru:all")).await,
            sight,
            "it is not asked again at once"
        );
        clock.advance(SignedDuration::from_secs(5));
        assert_eq!(scopes.of(&who("naru:all")).await.scope, Scope::all());
    }

    #[tokio::test]
    async fn no_more_people_are_kept_than_there_is_room_for() {
        let (clock, store) = cluster();
        let scopes = Scopes::start(store, clock);
        for n in 0..KEPT + 50 {
            let sub = format!("p{n}");
            let one = Actor {
                sub: sub.as_str().into(),
                ..who("naru:all")
            };
            assert_eq!(scopes.of(&one).await.scope, Scope::all());
        }
        assert_eq!(scopes.seats.lock().unwrap().len(), KEPT);
    }
}
