//! What people signed in one cluster is brought into another, whatever happens on the way, and nothing else is.

use crate::{
    ledger::{kept, kim, ready, signed, state},
    system::{store, until},
};
use naru_domain::{
    Name,
    crossing::{
        Item, Ledger,
        export::Export,
        import::{Step, steps},
        standing::Signature,
    },
    object::{Key, Kind},
};
use naru_engine::{Arrived, Stopped, StoppedBy, import};
use naru_ports::{ClusterError, SystemClock};
use naru_rehearsal::api::{Call, Deeds, Fault, ObjectStore, Who};
use std::time::Duration;

const USER: &str = "admin";

/// Two signatures, exported.
async fn exported() -> Export {
    let store = store();
    let engine = ready(&store).await;
    for item in [Item::Trained, Item::Alerted] {
        signed(&engine, &kim(), item).await.expect("it can be signed");
        until(|| matches!(state(&engine, item), Signature::Valid(_))).await;
    }
    let export = Export::of(&kept(&store), store.now());
    assert_eq!(export.verify(None).map(|end| end.count), Ok(2));
    export
}

async fn bring(store: &ObjectStore, steps: &[Step], dry_run: bool) -> Result<Arrived, Stopped> {
    import(store, &SystemClock, USER, steps, dry_run).await
}

fn whole(store: &ObjectStore, export: &Export) {
    let end = Ledger::of(&kept(store)).verify(export.head.as_ref());
    let end = end.map(|it| (it.count, Some(it.digest)));
    assert_eq!(end, Ok((2, export.head.clone())));
}

#[tokio::test]
async fn signatures_stand_in_another_cluster_and_the_chain_goes_on() {
    let export = exported().await;
    let steps = steps(&export, USER).unwrap();
    let another = store();
    let tried = bring(&another, &steps, true).await.unwrap();
    assert_eq!((tried.written, tried.there), (4, 0));
    assert!(another.keys(Kind::SignOff).is_empty() && another.keys(Kind::Evidence).is_empty());
    // While Naru runs there: it decides on none of them, neither before nor after they are whole.
    let engine = ready(&another).await;
    assert_eq!(bring(&another, &steps, false).await.unwrap(), tried);
    whole(&another, &export);
    until(|| matches!(state(&engine, Item::Trained), Signature::Valid(_))).await;
    let again = bring(&another, &steps, false).await.unwrap();
    assert_eq!((again.written, again.there), (0, 4));
    assert_eq!(signed(&engine, &kim(), Item::Trained).await.ok(), None);
    let next = signed(&engine, &kim(), Item::Resilient).await;
    assert_eq!(next, Ok(Name::from("000003")));
    until(|| matches!(state(&engine, Item::Resilient), Signature::Valid(_))).await;
    let ledger = Ledger::of(&kept(&another));
    let said: Vec<_> = ledger.sign_offs.iter().map(|it| it.imported.clone()).collect();
    assert!(
        said[..2]
            .iter()
            .flatten()
            .all(|it| &*it.by == USER && it.from == export.digest)
    );
    assert!(said[..2].iter().all(Option::is_some) && said[2..].iter().all(Option::is_none));
}

#[tokio::test]
async fn whatever_is_lost_on_the_way_the_next_try_goes_on() {
    let export = exported().await;
    let steps = steps(&export, USER).unwrap();
    // Two evidences and two signatures in two writes each are six writes.
    for skip in 0..6 {
        for kill in [true, false] {
            let another = store();
            let fault = if kill { Fault::HangAfter } else { Fault::HangBefore };
            another.arrange(Call::Write, skip, fault);
            let killed =
                tokio::time::timeout(Duration::from_millis(200), bring(&another, &steps, false)).await;
            assert!(killed.is_err(), "it hung");
            bring(&another, &steps, false).await.unwrap();
            whole(&another, &export);
        }
        let another = store();
        another.arrange(Call::Write, skip, Fault::After);
        bring(&another, &steps, false).await.unwrap();
        whole(&another, &export);
    }
}

#[tokio::test]
async fn what_stands_there_already_is_not_written_over() {
    let export = exported().await;
    let steps = steps(&export, USER).unwrap();
    let another = store();
    let engine = ready(&another).await;
    signed(&engine, &kim(), Item::Trained).await.unwrap();
    let before: Vec<Key> = another.keys(Kind::SignOff);
    let stopped = bring(&another, &steps, false).await.unwrap_err();
    assert_eq!(stopped.why, StoppedBy::Other, "{stopped:?}");
    assert_eq!(another.keys(Kind::SignOff), before);
    let by_admin = |it: &naru_rehearsal::api::Entry| it.by.to_string().contains(USER);
    assert!(!another.audit().iter().any(by_admin));
}

#[tokio::test]
async fn without_the_right_nobody_writes_for_another() {
    let steps = steps(&exported().await, USER).unwrap();
    let another = store();
    let import_right = Deeds {
        verb: Some("import"),
        ..Deeds::default()
    };
    another.forbid(Who::User(USER.into()), import_right);
    let stopped = bring(&another, &steps, false).await.unwrap_err();
    let refused = |why: &StoppedBy| {
        matches!(
            why,
            StoppedBy::Answer(ClusterError::Invalid(_) | ClusterError::Forbidden(_))
        )
    };
    assert!(refused(&stopped.why), "{stopped:?}");
    // Nor by saying that somebody else has brought it in.
    let another = store();
    let stopped = import(&another, &SystemClock, "mallory", &steps, false)
        .await
        .unwrap_err();
    assert!(refused(&stopped.why), "{stopped:?}");
    assert!(another.keys(Kind::Evidence).is_empty() && another.keys(Kind::SignOff).is_empty());
}
