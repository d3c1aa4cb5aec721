//! What the API server cannot see, whoever has all signatures sees: forks, cut tails, changed bytes.

use super::{KIM, LEE, Ledger, POLICED, Who, named, now, sign_off};
use http::StatusCode;
use naru_domain::{
    crossing::{
        SignOff,
        chain::{How, undecided, verify},
        export::Export,
    },
    object::{Kind, Object},
    snapshot::Objects,
};

/// Two of one predecessor: the second has a number of its own, so that the API server stores it. Naru refuses it, and the chain goes on.
#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_two_of_one_predecessor_are_told_apart_and_one_is_refused() {
    // Alone: signatures that others are about to counter-sign are decided here.
    let _alone = POLICED.write().await;
    let ledger = Ledger::new().await;
    ledger.signed(KIM).await;
    let evidence = ledger.evidence().await;
    let before = ledger.sign_offs().await;
    let head = verify(&before, &ledger.all_evidence().await, None).unwrap();
    let chained = &before[..head.count as usize];
    let last = chained.iter().rfind(|it| it.status.refused.is_none()).unwrap();
    let fork = sign_off(LEE, head.count + 1, &named(&evidence), last.spec.previous.clone());
    let (status, answer) = ledger.create(LEE, "signoffs", &fork).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let fork = SignOff::read(&Object::new(Kind::SignOff, answer).unwrap()).unwrap();

    let (signs, evidence) = (ledger.sign_offs().await, ledger.all_evidence().await);
    let broken = verify(&signs, &evidence, None).unwrap_err();
    let with = last.name.clone();
    assert_eq!((broken.at, broken.how), (fork.name.clone(), How::Forked { with }));
    // What stands before it is decided first.
    loop {
        let signs = ledger.sign_offs().await;
        let Some((next, how)) = undecided(&signs, &evidence).unwrap() else {
            break;
        };
        let write = match &how {
            None => next.accept(now()),
            Some(how) => next.refuse(how.key(), now()),
        };
        let refused = how.is_some();
        assert_eq!(refused, next.name == fork.name, "{}", next.name);
        let (status, answer) = ledger.write(Who::Naru, &write).await;
        assert!(status.is_success(), "{answer}");
    }
    let after = verify(&ledger.sign_offs().await, &evidence, Some(&last.link)).unwrap();
    assert_eq!((after.count, after.digest), (head.count + 1, head.digest));
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_a_file_shows_a_cut_tail_and_a_changed_byte() {
    let _alone = POLICED.write().await;
    let ledger = Ledger::new().await;
    let signed = ledger.signed(KIM).await;
    ledger.write(Who::Naru, &signed.accept(now())).await;
    let mut objects = Objects::all_known();
    for kind in [Kind::SignOff, Kind::Evidence, Kind::Waiver, Kind::Exception] {
        let all = ledger.list(kind).await;
        objects
            .whole
            .extend(all.into_iter().map(|it| (it.key().clone(), it)));
    }
    let export = Export::of(&objects, now());
    let read = Export::read(&export.text()).unwrap();
    let head = read.verify(Some(&signed.link)).unwrap();
    assert_eq!(read.head.as_ref(), Some(&head.digest));

    let last = objects
        .whole
        .keys()
        .rfind(|key| key.kind == Kind::SignOff)
        .unwrap()
        .clone();
    let mut cut = objects.clone();
    cut.whole.remove(&last);
    let told = Export::of(&cut, now()).verify(Some(&head.digest)).unwrap_err();
    assert!(matches!(told.how, How::Cut { .. }), "{told}");
    let flipped = export
        .text()
        .replacen("All callers are known.", "All callers are known!", 1);
    assert!(Export::read(&flipped).is_err());
}
