//! What checks ask is found out, at its own pace, and what nobody asks any more is not asked again.

use crate::system::{Silent, until};
use naru_domain::{
    SourceName, Why,
    actor::Scope,
    inquiry::{ControlPlaneState, Injected, Inquiry, Reply, ScrapingState, Trial},
    object::{Key, Kind},
    traffic::Dated,
};
use naru_engine::{Engine, Settings, Setup};
use naru_ports::{Clock, Console, Inquiries, SystemClock};
use naru_rehearsal::api::ObjectStore;
use serde_json::json;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

#[derive(Default)]
struct Replying {
    asked: Mutex<Vec<Inquiry>>,
    away: AtomicBool,
    /// One question is never replied to.
    stuck: AtomicBool,
}

#[async_trait::async_trait]
impl Inquiries for Replying {
    async fn find_out(&self, inquiry: &Inquiry) -> Result<Dated<Reply>, Why> {
        self.asked.lock().expect("no panic").push(inquiry.clone());
        if self.away.load(Ordering::Relaxed) {
            return Err(Why::Unreachable {
                source: inquiry.source(),
                detail: "away".into(),
            });
        }
        if self.stuck.load(Ordering::Relaxed) && matches!(inquiry, Inquiry::Scraping(_)) {
            std::future::pending::<()>().await;
        }
        let value = match inquiry {
            Inquiry::ControlPlane(_) => Reply::ControlPlane(ControlPlaneState {
                scraped: 1,
                authority_ends: Some("2099-01-01T00:00:00Z".parse().expect("a moment")),
                ..ControlPlaneState::default()
            }),
            Inquiry::Injection(_) => Reply::Injection(Trial::AsMeant(Injected::default())),
            Inquiry::Validation(_) => Reply::Validation(Trial::AsMeant("as meant".into())),
            Inquiry::ScrapedProxies(_) => Reply::ScrapedProxies(BTreeSet::new()),
            Inquiry::Scraping(_) => Reply::Scraping(ScrapingState::default()),
            other => unreachable!("{other:?}"),
        };
        Ok(Dated {
            value,
            at: SystemClock.now(),
            gaps: Vec::new(),
        })
    }
}

fn istiod(store: &ObjectStore) {
    let json = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "istiod", "namespace": "istio-system"},
        "spec": {"replicas": 0, "selector": {}, "template": {"metadata": {"labels": {"app": "istiod"}}, "spec": {"containers": [{"name": "discovery"}]}}}});
    store.load(Kind::Deployment, json, "test").expect("it is taken");
}

fn start(store: &ObjectStore, inquiries: Arc<dyn Inquiries>) -> Arc<Engine> {
    Engine::start(Setup {
        cluster: Arc::new(store.clone()),
        metrics: Arc::new(Silent),
        inquiries,
        clock: Arc::new(SystemClock),
        settings: Settings::new(7, "test".into()),
    })
}

/// What the check of the control plane saw, and what it does not know.
fn seen(engine: &Engine) -> Option<(usize, Vec<Why>)> {
    let judged = engine.judged(&Scope::all());
    let installed = judged.items.first()?;
    let names = ["ca-ends", "validation-tried", "configuration-refused"];
    let facts = installed.judgement.facts.iter();
    let unknown = installed.judgement.unknown.iter();
    Some((
        facts.filter(|it| names.contains(&it.name)).count(),
        unknown
            .filter(|(check, _)| *check == "control_plane_observed")
            .map(|(_, why)| why.clone())
            .collect(),
    ))
}

#[tokio::test]
async fn the_first_judgement_that_is_shown_knows_what_it_asked() {
    let store = ObjectStore::new(Arc::new(SystemClock), 64);
    istiod(&store);
    let replying = Arc::new(Replying::default());
    let engine = start(&store, replying.clone());
    until(|| seen(&engine).is_some()).await;
    // Which kinds are heard of first is chance; once the Deployment is, nothing is not-yet.
    until(|| seen(&engine).is_some_and(|(facts, _)| facts == 3)).await;
    assert_eq!(seen(&engine), Some((3, vec![])));

    let key = Key::new(Kind::Deployment, "istio-system", "istiod");
    assert!(store.delete(&key));
    until(|| seen(&engine).is_some_and(|(facts, _)| facts == 0)).await;
    let asked = replying.asked.lock().unwrap().len();
    istiod(&store);
    until(|| seen(&engine).is_some_and(|(facts, _)| facts == 3)).await;
    assert!(
        replying.asked.lock().unwrap().len() > asked,
        "what was forgotten is asked anew"
    );
    engine.stop().await;
}

#[tokio::test]
async fn a_question_that_is_never_replied_to_holds_up_no_other() {
    let store = ObjectStore::new(Arc::new(SystemClock), 64);
    istiod(&store);
    let replying = Arc::new(Replying::default());
    replying.stuck.store(true, Ordering::Relaxed);
    let engine = start(&store, replying.clone());
    until(|| seen(&engine).is_some_and(|(facts, _)| facts == 3)).await;
    // New questions are put while it is still under way, also to the same source.
    assert!(store.delete(&Key::new(Kind::Deployment, "istio-system", "istiod")));
    until(|| seen(&engine).is_some_and(|(facts, _)| facts == 0)).await;
    istiod(&store);
    until(|| seen(&engine).is_some_and(|(facts, _)| facts == 3)).await;
    let stuck = |it: &&Inquiry| matches!(it, Inquiry::Scraping(_));
    let stuck = replying.asked.lock().unwrap().iter().filter(stuck).count();
    assert_eq!(stuck, 1, "what is under way is not asked again");
    engine.stop().await;
}

#[tokio::test]
async fn what_cannot_be_found_out_is_not_known() {
    let store = ObjectStore::new(Arc::new(SystemClock), 64);
    istiod(&store);
    let replying = Arc::new(Replying::default());
    replying.away.store(true, Ordering::Relaxed);
    let engine = start(&store, replying);
    let away = |source| Why::Unreachable {
        source,
        detail: "away".into(),
    };
    until(|| {
        seen(&engine)
            .is_some_and(|(_, whys)| whys == [away(SourceName::Prometheus), away(SourceName::Kubernetes)])
    })
    .await;
    engine.stop().await;
}
