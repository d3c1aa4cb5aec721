//! The properties of watches.

use super::{
    Subject,
    eye::{Eye, State},
    virtual_service,
};
use crate::Seen;
use naru_domain::{
    Why,
    fact::Fact,
    object::{Key, Kind},
};
use std::collections::BTreeMap;

const KIND: Kind = Kind::VirtualService;

/// What is there comes as one Reset; each later change comes once, in order.
pub async fn a_watch_lists_and_then_follows(subject: &dyn Subject) {
    let namespace = subject.namespace();
    let put = async |name: &str, weight| subject.put(KIND, virtual_service(&namespace, name, weight)).await;
    let (a, b) = (put("a", 0).await, put("b", 0).await.key().clone());
    let mut eye = Eye::on(subject.cluster(), KIND, namespace.clone());
    assert!(
        matches!(eye.next().await, Seen::Reset { .. }),
        "a watch begins with everything"
    );
    let names: Vec<&str> = eye.known.keys().map(|key| &*key.name).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(eye.known[a.key()], Fact::Object(a.clone()));

    let (c, a) = (put("c", 0).await, put("a", 10).await);
    subject.remove(&b).await;
    assert_eq!(eye.next().await, Seen::Applied(Fact::Object(c)));
    assert_eq!(eye.next().await, Seen::Applied(Fact::Object(a)));
    assert_eq!(eye.next().await, Seen::Deleted(b));
}

/// Objects that change while the list is being read are neither missed nor left behind.
pub async fn nothing_is_missed_between_listing_and_watching(subject: &dyn Subject) {
    let namespace = subject.namespace();
    let writing = async {
        let mut stored = BTreeMap::new();
        for turn in 0..60 {
            let name = format!("vs-{}", turn % 7);
            let key = Key::new(KIND, namespace.clone(), name.as_str());
            if turn % 5 == 4 && stored.remove(&key).is_some() {
                subject.remove(&key).await;
            } else {
                let object = subject.put(KIND, virtual_service(&namespace, &name, turn)).await;
                stored.insert(key, Fact::Object(object));
            }
        }
        let last = subject.put(KIND, virtual_service(&namespace, "last", 0)).await;
        stored.insert(last.key().clone(), Fact::Object(last));
        stored
    };
    let reading = async {
        let mut eye = Eye::on(subject.cluster(), KIND, namespace.clone());
        let last = Key::new(KIND, namespace.clone(), "last");
        while !eye.known.contains_key(&last) {
            eye.next().await;
        }
        eye.known
    };
    let (stored, known) = futures::future::join(writing, reading).await;
    assert_eq!(known, stored);
}

/// When the API server has been away, the watch says so, and then tells everything anew, with what happened meanwhile.
pub async fn a_broken_watch_comes_back_with_everything(subject: &dyn Subject) {
    let namespace = subject.namespace();
    let put = async |name: &str, weight| subject.put(KIND, virtual_service(&namespace, name, weight)).await;
    let (_, gone) = (put("stays", 0).await, put("goes", 0).await);
    let mut eye = Eye::on(subject.cluster(), KIND, namespace.clone());
    eye.sees(&gone).await;

    subject.reachable(false).await;
    let told = eye.until(|told| matches!(told, Seen::Lost(_))).await;
    assert!(
        matches!(told, Seen::Lost(Why::Unreachable { .. } | Why::TimedOut { .. })),
        "{told:?}"
    );
    let (stays, new) = (put("stays", 20).await, put("new", 0).await);
    subject.remove(gone.key()).await;
    subject.reachable(true).await;

    eye.until(|told| matches!(told, Seen::Reset { .. })).await;
    eye.sees(&stays).await;
    eye.sees(&new).await;
    eye.misses(gone.key()).await;
}

/// A watch whose resourceVersion is too old lists anew by itself.
pub async fn an_expired_watch_lists_anew(subject: &dyn Subject) {
    let namespace = subject.namespace();
    let put = async |name: &str, weight| subject.put(KIND, virtual_service(&namespace, name, weight)).await;
    let before = put("a", 0).await;
    let mut eye = Eye::on(subject.cluster(), KIND, namespace.clone());
    eye.sees(&before).await;
    subject.expire().await;
    let meanwhile = put("b", 0).await;
    eye.until(|told| matches!(told, Seen::Reset { .. })).await;
    eye.sees(&meanwhile).await;
    let after = put("a", 30).await;
    eye.sees(&after).await;
}

/// A kind that the API server does not have is absent, which is no failure; it may come, go, and come again.
pub async fn a_kind_is_absent_until_its_definition_arrives(subject: &dyn Subject) {
    let kind = Kind::PeerAuthentication;
    let namespace = subject.namespace();
    let json = serde_json::json!({"apiVersion": kind.api_version(), "kind": kind.name(),
        "metadata": {"name": "default", "namespace": &*namespace}, "spec": {"mtls": {"mode": "STRICT"}}});
    let mut eye = Eye::on(subject.cluster(), kind, namespace);
    assert_eq!(eye.next().await, Seen::Absent);
    for _ in 0..2 {
        subject.install(kind).await;
        eye.until(|told| matches!(told, Seen::Reset { .. })).await;
        let object = subject.put(kind, json.clone()).await;
        eye.sees(&object).await;
        subject.uninstall(kind).await;
        eye.until(|told| *told == Seen::Absent).await;
        assert!(eye.known.is_empty());
    }
}

/// A missing right is named, and the watch goes on once it is given.
pub async fn a_forbidden_watch_says_so_and_comes_back(subject: &dyn Subject) {
    subject.allowed(false).await;
    let mut eye = Eye::on(subject.cluster(), KIND, subject.namespace());
    let told = eye.next().await;
    let Seen::Lost(Why::Forbidden {
        verb,
        resource,
        namespace,
    }) = &told
    else {
        panic!("{told:?}")
    };
    assert_eq!((&**verb, &**resource, namespace), ("list", KIND.plural(), &None));
    assert_eq!(eye.state, State::Lost);
    let object = subject
        .put(KIND, virtual_service(&subject.namespace(), "a", 0))
        .await;
    subject.allowed(true).await;
    eye.until(|told| matches!(told, Seen::Reset { .. })).await;
    eye.sees(&object).await;
}

/// Deleted and created again under the same name, it is told as gone, and then as new.
pub async fn a_recreated_object_is_another_one(subject: &dyn Subject) {
    let json = virtual_service(&subject.namespace(), "a", 0);
    let first = subject.put(KIND, json.clone()).await;
    let mut eye = Eye::on(subject.cluster(), KIND, subject.namespace());
    eye.sees(&first).await;
    subject.remove(first.key()).await;
    let second = subject.put(KIND, json).await;
    assert_ne!(first.uid(), second.uid());
    assert_eq!(eye.next().await, Seen::Deleted(first.key().clone()));
    assert_eq!(eye.next().await, Seen::Applied(Fact::Object(second)));
}
