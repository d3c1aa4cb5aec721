use super::{ProxyRow, Survey, Sync, unknown};
use crate::{
    Why,
    actor::Scope,
    crossing::Item,
    inquiry::{ProxyState, ProxyStates, Replies, Reply, ScrapedProxies, Stage, Xds},
    judge::{Judgement, Verdict, World, testing::now},
    manifests,
    mesh::{Prepared, injection::installed},
    snapshot::Objects,
    traffic::Dated,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

fn pod(namespace: &str, name: &str, ip: &str, image: Option<&str>) -> Value {
    let proxy = image.map(|image| json!({"name": "istio-proxy", "image": image}));
    let containers: Vec<Value> = [Some(json!({"name": "app", "image": "a"})), proxy]
        .into_iter()
        .flatten()
        .collect();
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": {"app": name},
            "annotations": {"sidecar.istio.io/status": "{}"}},
        "spec": {"containers": containers}, "status": {"phase": "Running", "podIP": ip}})
}

fn objects() -> Objects {
    let mut webhook = installed("istio-sidecar-injector");
    webhook["apiVersion"] = json!("admissionregistration.k8s.io/v1");
    webhook["kind"] = json!("MutatingWebhookConfiguration");
    let namespace = |name: &str, labels: Value| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
    let istiod = json!({"app": "istiod"});
    let documents = [
        webhook,
        namespace("shop", json!({"istio-injection": "enabled"})),
        namespace("other", json!({"istio.io/rev": "1-31"})),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "istiod", "namespace": "istio-system"},
            "spec": {"selector": istiod, "ports": [{"port": 443}]}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "istiod", "namespace": "istio-system"},
            "spec": {"template": {"metadata": {"labels": istiod},
                "spec": {"containers": [{"name": "discovery", "image": "istio/pilot:1.31.0"}]}}}}),
        pod("istio-system", "istiod", "10.0.0.1", None),
        pod("shop", "calm", "10.0.1.1", Some("istio/proxyv2:1.30.2")),
        pod("shop", "lost", "10.0.1.2", Some("istio/proxyv2:1.31.0")),
        pod("other", "odd", "10.0.1.3", Some("istio/proxyv2:1.31.0")),
        pod("shop", "bare", "10.0.1.4", None),
    ];
    manifests::objects(documents).unwrap()
}

fn state(namespace: &str, name: &str, version: &str, stage: Stage) -> ProxyState {
    ProxyState {
        pod: (namespace.into(), name.into()),
        version: version.into(),
        stages: vec![
            (Xds::Clusters, Stage::Acknowledged(None)),
            (Xds::Listeners, stage),
        ],
    }
}

/// What is seen when istiod says this, and these are scraped.
fn survey(states: Option<Vec<ProxyState>>, scraped: &[(&str, &str)]) -> Survey {
    let objects = objects();
    let dated = |value| {
        Ok(Dated {
            value,
            at: now(),
            gaps: vec![],
        })
    };
    let question = ProxyStates {
        istiod: ("istio-system".into(), "istiod".into()),
        ip: "10.0.0.1".into(),
    };
    let scraped: BTreeSet<_> = scraped
        .iter()
        .map(|(namespace, name)| ((*namespace).into(), (*name).into()))
        .collect();
    let mut replies = Replies::from([(ScrapedProxies.into(), dated(Reply::ScrapedProxies(scraped)))]);
    replies.extend(states.map(|it| (question.into(), dated(Reply::ProxyStates(it)))));
    let world = World::of(&objects, Prepared::of(&objects), None, now()).knowing(Arc::new(replies));
    Survey::of(&world)
}

fn names(rows: &[ProxyRow]) -> Vec<&str> {
    rows.iter().map(|it| &*it.pod.1).collect()
}

#[test]
fn proxies_in_trouble_come_first_and_what_has_none_is_not_there() {
    let states = vec![
        state("shop", "calm", "1.30.2", Stage::Acknowledged(None)),
        state("other", "odd", "", Stage::Refused("bad filter".into())),
    ];
    let seen = survey(Some(states), &[("shop", "calm")]);
    assert_eq!(names(&seen.proxies), ["odd", "lost", "calm"]);
    let [odd, lost, calm] = &seen.proxies[..] else {
        panic!("three")
    };
    assert_eq!(odd.sync, Sync::Refused(Xds::Listeners, "bad filter".into()));
    // istiod did not say its version; the image does.
    assert_eq!(&*odd.version, "1.31.0");
    assert_eq!(odd.istiod, Some(("istio-system".into(), "istiod".into())));
    assert_eq!((&lost.sync, &lost.istiod), (&Sync::Unconnected, &None));
    assert_eq!((&calm.sync, &*calm.version), (&Sync::Acknowledged, "1.30.2"));
    assert_eq!((&calm.scraped, &lost.scraped), (&Ok(true), &Ok(false)));
}

#[test]
fn what_is_on_its_way_or_told_in_another_form_is_not_known() {
    let sent = |seconds| Stage::Waiting(Some(now() - jiff::SignedDuration::from_secs(seconds)));
    let of = |state: ProxyState| {
        let seen = survey(Some(vec![state]), &[]);
        let row = seen.proxies.iter().find(|it| &*it.pod.1 == "calm").unwrap();
        row.sync.clone()
    };
    assert!(matches!(of(state("shop", "calm", "", sent(5))), Sync::Unknown(_)));
    assert!(matches!(
        of(state("shop", "calm", "", sent(61))),
        Sync::Waiting(..)
    ));
    let mut other = state("shop", "calm", "", Stage::Acknowledged(None));
    other.stages.clear();
    assert!(matches!(of(other), Sync::Unknown(_)));
}

#[test]
fn a_tag_has_no_proxies_of_its_own_and_hides_no_revision_of_its_name() {
    let mut objects = objects();
    let mut tag = installed("istio-revision-tag-default");
    tag["apiVersion"] = json!("admissionregistration.k8s.io/v1");
    tag["kind"] = json!("MutatingWebhookConfiguration");
    tag["metadata"]["labels"] = json!({"istio.io/rev": "1-31", "istio.io/tag": "default"});
    objects.whole.extend(manifests::objects([tag]).unwrap().whole);
    let world = World::of(&objects, Prepared::of(&objects), None, now());
    let told: Vec<_> = Survey::of(&world)
        .revisions
        .iter()
        .map(|it| (it.name.to_string(), it.tag_of.to_string(), it.proxies.is_some()))
        .collect();
    let row = |tag_of: &str, counted| ("default".to_owned(), tag_of.to_owned(), counted);
    assert_eq!(told, [row("", true), row("1-31", false)]);
}

#[test]
fn an_istiod_that_does_not_say_leaves_unknown_and_calls_nobody_unconnected() {
    let seen = survey(None, &[]);
    assert!(seen.proxies.iter().all(|it| matches!(it.sync, Sync::Unknown(_))));
    // Nothing at all that is scraped is more likely another label than nothing.
    assert!(seen.proxies.iter().all(|it| it.scraped.is_err()));
}

#[test]
fn a_control_plane_has_its_version_its_namespaces_and_its_proxies() {
    let seen = survey(None, &[]);
    let [default] = &seen.revisions[..] else {
        panic!("{:?}", seen.revisions)
    };
    assert_eq!((&*default.name, &*default.tag_of), ("default", ""));
    assert_eq!(default.istiods, Some((1, 0)));
    assert_eq!(
        default.versions.iter().map(|it| &**it).collect::<Vec<_>>(),
        ["1.31.0"]
    );
    assert_eq!(
        default.namespaces.iter().map(|it| &**it).collect::<Vec<_>>(),
        ["shop"]
    );
    let proxies: Vec<_> = default
        .proxies
        .iter()
        .flatten()
        .map(|(version, n)| (&**version, *n))
        .collect();
    assert_eq!(proxies, [("1.30.2", 1), ("1.31.0", 2)]);
}

#[test]
fn what_lies_elsewhere_is_counted_and_not_told() {
    let mut whole = survey(None, &[]);
    let named = |what: &str| (Why::NotObserved { what: what.into() }, vec![Item::Installed]);
    whole.unknown = vec![named("shop/a → other/b"), named("proxies")];
    let ours = Scope {
        namespaces: Some(Arc::from(["other".into()])),
    };
    let part = whole.seen_by(&ours);
    assert_eq!(names(&part.proxies), ["odd"]);
    assert!(!format!("{part:?}").contains("shop"), "{part:?}");
    assert_eq!((part.proxies.len(), part.preflight.len()), (1, 1));
    assert_eq!(part.unknown, [named("proxies")]);
    assert_eq!(
        part.hidden as usize,
        whole.proxies.len() + whole.preflight.len() - 1
    );
    assert_eq!(whole.seen_by(&Scope::all()).hidden, 0);
}

#[test]
fn a_reason_is_told_once_with_all_that_it_leaves_unknown() {
    let judged = |item, whys: &[Why]| Judgement {
        item,
        verdict: Verdict::Unknown,
        findings: vec![],
        facts: vec![],
        unknown: whys.iter().map(|why| ("a", why.clone())).collect(),
    };
    let (one, two) = (Why::NeedsCluster, Why::NoMigration);
    let all = [
        judged(Item::Installed, std::slice::from_ref(&one)),
        judged(Item::Routed, &[two.clone(), two.clone()]),
        judged(Item::Certified, std::slice::from_ref(&two)),
        judged(Item::Ready, std::slice::from_ref(&one)),
    ];
    let expected = vec![
        (two, vec![Item::Routed, Item::Certified]),
        (one, vec![Item::Installed]),
    ];
    assert_eq!(unknown(&all), expected);
}
