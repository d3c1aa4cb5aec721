use super::{Ended, Entry, KEPT, Kind, LIMIT, List, Revoked, Session, Standing, Why};
use jiff::{SignedDuration, Timestamp};
use naru_ports::{Cluster, ClusterError};
use naru_rehearsal::{ManualClock, api::ObjectStore};
use std::sync::Arc;

fn now() -> Timestamp {
    "2027-01-01T00:00:00Z".parse().unwrap()
}

fn session(id: &str, sid: &str, sub: &str) -> Session {
    Session {
        iss: "https://id.example".into(),
        sub: sub.into(),
        sid: sid.into(),
        id: id.into(),
        name: "x".into(),
        groups: vec![],
        issued: now().as_millisecond(),
        expires: now().as_millisecond() + 1,
    }
}

fn cluster() -> (Arc<ManualClock>, Arc<ObjectStore>) {
    let clock = Arc::new(ManualClock::at(now()));
    let store = Arc::new(ObjectStore::new(clock.clone(), 64));
    store.install(Kind::RevokedSessions);
    (clock, store)
}

async fn until(revoked: &Revoked, session: &Session, standing: &Standing) {
    for _ in 0..10_000 {
        if revoked.standing(session) == *standing {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{:?} is not {standing:?}", revoked.standing(session));
}

#[tokio::test]
async fn what_one_replica_ends_is_ended_on_the_other() {
    let (clock, store) = cluster();
    let one = Revoked::start(store.clone(), clock.clone());
    let other = Revoked::start(store.clone(), clock);
    let ended = session("a", "s1", "kim");
    until(&other, &ended, &Standing::Goes).await;
    one.end(&[Ended::Id("a")], now().as_millisecond()).await.unwrap();
    assert_eq!(one.standing(&ended), Standing::Ended);
    until(&other, &ended, &Standing::Ended).await;
    assert_eq!(other.standing(&session("b", "s1", "kim")), Standing::Goes);
    one.end(&[Ended::Sid("https://id.example", "s1")], 0)
        .await
        .unwrap();
    until(&other, &session("b", "s1", "kim"), &Standing::Ended).await;
    assert_eq!(other.standing(&session("b", "s2", "kim")), Standing::Goes);
    let foreign = Session {
        iss: "https://other.example".into(),
        ..session("b", "s1", "kim")
    };
    assert_eq!(other.standing(&foreign), Standing::Goes);
    one.end(
        &[Ended::Person("https://id.example", "kim")],
        now().as_millisecond(),
    )
    .await
    .unwrap();
    until(&other, &session("b", "s2", "kim"), &Standing::Ended).await;
    assert_eq!(other.standing(&session("b", "s2", "lee")), Standing::Goes);
    let back = Session {
        issued: now().as_millisecond() + 10_000,
        ..session("c", "s3", "kim")
    };
    assert_eq!(
        other.standing(&back),
        Standing::Goes,
        "whoever signs in anew is let in"
    );
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_unknown_and_not_empty() {
    let clock = Arc::new(ManualClock::at(now()));
    let store = Arc::new(ObjectStore::new(clock.clone(), 64));
    let revoked = Revoked::start(store.clone(), clock);
    let kim = session("a", "", "kim");
    assert!(matches!(
        revoked.standing(&kim),
        Standing::Unknown(Why::NotYet { .. })
    ));
    let absent = Standing::Unknown(Why::KindAbsent {
        kind: "RevokedSessions".into(),
    });
    until(&revoked, &kim, &absent).await;
    assert!(matches!(
        revoked.end(&[Ended::Id("a")], 0).await,
        Err(ClusterError::NotFound)
    ));
    assert_eq!(
        revoked.standing(&kim),
        Standing::Ended,
        "here it is ended all the same"
    );
    store.install(Kind::RevokedSessions);
    until(&revoked, &session("b", "", "lee"), &Standing::Goes).await;
    let odd = serde_json::json!({"apiVersion": "naru.dev/v1alpha1", "kind": "RevokedSessions", "metadata": {"name": "naru"},
        "spec": {"sessions": "none"}});
    store.load(Kind::RevokedSessions, odd, "kubectl").unwrap();
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    assert!(matches!(
        revoked.standing(&session("b", "", "lee")),
        Standing::Unknown(Why::Garbled { .. })
    ));
}

#[tokio::test]
async fn two_who_write_at_once_lose_nothing() {
    let (clock, store) = cluster();
    let replicas: Vec<Revoked> = (0..4)
        .map(|_| Revoked::start(store.clone(), clock.clone()))
        .collect();
    let names: Vec<String> = (0..4).map(|n| format!("session-{n}")).collect();
    let ends = replicas.iter().zip(&names).map(|(revoked, name)| async move {
        revoked.end(&[Ended::Id(name)], 0).await.unwrap();
    });
    futures::future::join_all(ends).await;
    for name in &names {
        until(&replicas[0], &session(name, "", "kim"), &Standing::Ended).await;
    }
    let key = naru_domain::object::Key::new(Kind::RevokedSessions, "", "naru");
    assert_eq!(store.get(&key).await.unwrap().list("/spec/sessions").len(), 4);
}

#[test]
fn the_list_forgets_what_has_run_out_and_never_what_has_not() {
    let entry = |n: i64| {
        let at = now() + SignedDuration::from_secs(n);
        Entry {
            key: n.to_string(),
            at,
            until: at + SignedDuration::from_millis(KEPT),
        }
    };
    let many: Vec<Entry> = (0..LIMIT as i64).map(entry).collect();
    let full = List::default().with(&many, now());
    assert_eq!((full.sessions.len(), full.before), (LIMIT, None));
    let over = full.clone().with(&[entry(5_000)], now());
    assert_eq!(over.sessions.len(), LIMIT / 2);
    let before = over.before.unwrap();
    assert!(
        full.sessions
            .iter()
            .all(|it| it.at <= before || over.sessions.contains(it))
    );
    let later = full.with(&[entry(100_000)], now() + SignedDuration::from_hours(24));
    assert_eq!(later.sessions.len(), 1);
}
