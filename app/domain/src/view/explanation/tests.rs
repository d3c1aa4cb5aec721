use super::explanation;
use crate::{
    Refused, Why,
    actor::Scope,
    example,
    fact::Fact,
    object::{Kind, Object},
    snapshot::{KindState, Objects, Snapshot},
    topology::Layout,
    traffic::Protocol,
    view::view,
};
use naru_view::{
    Name,
    explanation::{
        Agreed, Ask, Behind, Cause, Decider, End, Explanation, How, Outcome, Sends, Takes, Verdict,
    },
    topology::Meshed,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// The example's system; `sangsang-plus-gateway`, which the traffic names as the caller, has a sidecar, `job` has none.
fn objects() -> Objects {
    let mut objects = example::objects();
    let with = json!([{"name": "app"}, {"name": "istio-proxy"}]);
    for (name, containers) in [("sangsang-plus-gateway", with), ("job", json!([{"name": "app"}]))] {
        let pod = json!({"metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
            "spec": {"serviceAccountName": name, "containers": containers}, "status": {"phase": "Running"}});
        objects.put(Fact::read(Kind::Pod, pod).unwrap());
    }
    let namespace = json!({"metadata": {"name": "user-service"}});
    objects.put(Fact::read(Kind::Namespace, namespace).unwrap());
    objects
}

fn put(objects: &mut Objects, kind: Kind, namespace: &str, name: &str, spec: &Value) {
    let json = json!({"metadata": {"name": name, "namespace": namespace}, "spec": spec});
    objects.put(Fact::Object(Object::new(kind, json).unwrap()));
}

fn ask(from: &str, url: &str) -> Ask {
    Ask {
        from: from.into(),
        method: "get".into(),
        url: url.into(),
        ..Ask::default()
    }
}

fn web() -> Ask {
    ask(
        "default/sangsang-plus-gateway",
        "http://user-service.user-service/",
    )
}

fn told_of(snapshot: &Snapshot, scope: &Scope, ask: &Ask) -> Result<Explanation, Refused> {
    let view = view(snapshot, scope, &Layout::default());
    explanation(snapshot, scope, &view.topology, ask)
}

fn told(objects: Objects, ask: &Ask) -> Explanation {
    told_of(&example::snapshot(objects), &Scope::all(), ask).unwrap()
}

fn only(namespaces: &[&str]) -> Scope {
    Scope {
        namespaces: Some(namespaces.iter().map(|it| Name::from(*it)).collect()),
    }
}

fn ends(told: &Explanation, leg: usize) -> &[End] {
    match &told.legs[leg].behind {
        Behind::Ends { ends } => ends,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_is_followed_from_the_caller_to_what_was_measured() {
    let told = told(objects(), &web());
    assert_eq!(told.version, example::snapshot(objects()).version);
    assert_eq!((told.window_s, told.sources.len()), (60, 2));
    assert_eq!(&*told.ask.method, "GET");
    assert_eq!(
        (&*told.caller.workload, told.caller.meshed, told.caller.gateway),
        ("default/sangsang-plus-gateway", Meshed::Sidecar, false)
    );
    assert_eq!(told.outcome, Outcome::Sent);
    assert!(
        matches!(&told.deciders[0], Decider::Object { kind, namespace, name, path }
        if &**kind == "VirtualService" && &**namespace == "user-service" && &**name == "user-service" && path.starts_with("/spec/http/0"))
    );
    let weights: Vec<(&str, &str, u16, u32)> = told
        .legs
        .iter()
        .map(|it| (&*it.host, &*it.subset, it.port, it.weight))
        .collect();
    let host = "user-service.user-service.svc.cluster.local";
    assert_eq!(weights, [(host, "v1", 80, 90), (host, "v2", 80, 10)]);
    let end = &ends(&told, 0)[0];
    assert_eq!(
        (end.workload.as_deref(), end.ready, end.total),
        (Some("user-service/user-service-v1"), 2, 2)
    );
    let observed = end.observed.as_ref().unwrap();
    assert_eq!((&*observed.protocol, observed.rate), ("http", Some(27.0)));
    assert_eq!(ends(&told, 1)[0].observed.as_ref().unwrap().rate, Some(3.0));
    assert_eq!(
        end.authorization.as_ref().unwrap().how,
        How::NoPolicies,
        "nobody restricts it"
    );
}

#[test]
fn what_was_measured_is_of_this_caller_this_workload_and_this_kind_of_traffic() {
    let job = told(
        objects(),
        &ask("default/job", "http://user-service.user-service/"),
    );
    assert!(ends(&job, 0).iter().all(|it| it.observed.is_none()));
    let mut snapshot = example::snapshot(objects());
    let observed = Arc::make_mut(&mut snapshot.traffic.value);
    let traffic = Arc::make_mut(observed.traffic.as_mut().unwrap());
    let flows = std::mem::take(&mut traffic.flows);
    for (mut key, flow) in flows {
        key.protocol = Protocol::Tcp;
        traffic.flows.insert(key, flow);
    }
    let told = told_of(&snapshot, &Scope::all(), &web()).unwrap();
    assert_eq!(ends(&told, 0)[0].observed, None, "bytes are no requests");
    snapshot.traffic = Default::default();
    let told = told_of(&snapshot, &Scope::all(), &web()).unwrap();
    assert_eq!((told.measured, &ends(&told, 0)[0].observed), (None, &None));
}

#[test]
fn without_a_url_the_service_in_front_of_a_workload_is_asked() {
    let towards = |to: &str| Ask {
        to: to.into(),
        ..ask("default/sangsang-plus-gateway", "")
    };
    let told = told(objects(), &towards("user-service/user-service-v2"));
    assert_eq!(
        (&*told.ask.url, &*told.ask.to),
        ("http://user-service.user-service/", "")
    );
    let snapshot = example::snapshot(objects());
    let bad = |field: &str| Err(Refused::BadInput { field: field.into() });
    for (to, scope) in [
        ("user-service/nobody", Scope::all()),
        ("nonsense", Scope::all()),
        ("user-service/user-service", only(&["default"])),
    ] {
        assert_eq!(told_of(&snapshot, &scope, &towards(to)), bad("to"), "{to}");
    }
    assert_eq!(told_of(&snapshot, &Scope::all(), &towards("")), bad("url"));
}

#[test]
fn both_sides_of_tls_and_the_field_that_says_so_are_told() {
    let mut strict = objects();
    put(
        &mut strict,
        Kind::PeerAuthentication,
        "user-service",
        "default",
        &json!({"mtls": {"mode": "STRICT"}}),
    );
    let told = told(strict, &ask("default/job", "http://user-service.user-service/"));
    assert_eq!(
        (told.outcome.clone(), told.caller.meshed),
        (Outcome::ByDns, Meshed::No)
    );
    assert_eq!(told.caller.principal, None);
    let tls = &ends(&told, 0)[0].tls;
    assert_eq!(tls.sent, Some((Sends::Plaintext, Cause::NoProxy)));
    assert_eq!((tls.takes, &tls.agreed), (Some(Takes::Strict), &Agreed::Refused));
    assert!(
        matches!(&tls.takes_by, Some(Decider::Object { kind, path, .. }) if &**kind == "PeerAuthentication" && &**path == "/spec/mtls/mode"),
        "{:?}",
        tls.takes_by
    );
    assert_eq!(tls.sent_by, None);
}

#[test]
fn each_verdict_of_authorization_is_told_with_what_decided() {
    let to = json!([{"operation": {"methods": ["GET"]}}]);
    for (spec, verdict, how) in [
        (json!({"rules": [{"to": to}]}), Verdict::Allow, How::AllowedByRule),
        (
            json!({"action": "DENY", "rules": [{"to": to}]}),
            Verdict::Deny,
            How::DeniedByRule,
        ),
        (
            json!({"rules": [{"to": [{"operation": {"methods": ["PUT"]}}]}]}),
            Verdict::Deny,
            How::NoRuleMatched,
        ),
        (
            json!({"action": "DENY", "rules": [{"to": [{"operation": {"methods": ["PUT"]}}]}]}),
            Verdict::Allow,
            How::NotDenied,
        ),
    ] {
        let mut objects = objects();
        put(
            &mut objects,
            Kind::AuthorizationPolicy,
            "user-service",
            "p",
            &spec,
        );
        let told = told(objects, &web());
        let authorization = ends(&told, 0)[0].authorization.as_ref().unwrap();
        assert_eq!(
            (&authorization.verdict, authorization.how),
            (&verdict, how),
            "{spec}"
        );
        if how != How::NotDenied {
            assert!(
                matches!(&authorization.decider, Some(Decider::Object { name, .. }) if &**name == "p"),
                "{spec}: {:?}",
                authorization.decider
            );
        }
    }
}

#[test]
fn what_the_proxy_does_itself_and_what_it_adds_is_told() {
    let route = |http: &Value| {
        let mut objects = objects();
        put(
            &mut objects,
            Kind::VirtualService,
            "user-service",
            "user-service",
            &json!({"hosts": ["user-service"], "http": [http]}),
        );
        told(objects, &web())
    };
    let to = json!([{"destination": {"host": "user-service"}}]);
    let redirect = route(&json!({"redirect": {"uri": "/new", "redirectCode": 302}}));
    assert_eq!(
        redirect.outcome,
        Outcome::Redirect {
            code: 302,
            authority: "".into(),
            path: "/new".into()
        }
    );
    assert!(redirect.legs.is_empty());
    let direct = route(&json!({"directResponse": {"status": 418}}));
    assert_eq!(direct.outcome, Outcome::Direct { status: 418 });
    let none = route(&json!({"match": [{"uri": {"exact": "/x"}}], "route": to}));
    assert_eq!(none.outcome, Outcome::NoRoute);
    let acting = route(&json!({"route": to, "timeout": "3s", "retries": {"attempts": 4, "perTryTimeout": "1s"},
        "fault": {"delay": {"percentage": {"value": 10}, "fixedDelay": "2s"}, "abort": {"percentage": {"value": 5}, "httpStatus": 503}},
        "rewrite": {"uri": "/v2"}, "mirror": {"host": "user-service", "subset": "v2"}}))
    .effects;
    assert_eq!(acting.timeout_ms, Some(3_000));
    let retries = acting.retries.unwrap();
    assert_eq!((retries.attempts, retries.per_try_ms), (4, Some(1_000)));
    assert_eq!(
        (acting.delay, acting.abort),
        (Some((10.0, 2_000)), Some((5.0, 503)))
    );
    assert_eq!(acting.path.as_deref(), Some("/v2"));
    assert_eq!(acting.mirrors.len(), 1);
    assert_eq!(
        &*acting.mirrors[0].0,
        "user-service.user-service.svc.cluster.local (v2)"
    );
}

#[test]
fn a_subset_that_nobody_defines_is_no_cluster_and_a_gap_is_not_known() {
    let mut gone = objects();
    gone.clear(Kind::DestinationRule);
    assert_eq!(told(gone, &web()).legs[0].behind, Behind::NoCluster);
    let why = Why::NotJudged { what: "x".into() };
    let mut lost = objects();
    lost.kinds
        .insert(Kind::EndpointSlice, KindState::Lost(why.clone()));
    assert_eq!(
        told(lost, &web()).legs[0].behind,
        Behind::Unknown {
            whys: vec![why.clone()]
        }
    );
    let mut lost = objects();
    lost.kinds.insert(Kind::VirtualService, KindState::Lost(why));
    assert!(matches!(told(lost, &web()).outcome, Outcome::Unknown { .. }));
}

#[test]
fn nobody_is_nobody_unless_pods_are_not_known() {
    let mut snapshot = example::snapshot(objects());
    let nobody = ask("default/nobody", "http://a/");
    assert!(
        matches!(told_of(&snapshot, &Scope::all(), &nobody), Err(Refused::NotFound { name, .. }) if &*name == "nobody")
    );
    let objects = Arc::make_mut(&mut snapshot.objects.value);
    objects.kinds.insert(Kind::Pod, KindState::NotYet);
    assert!(matches!(
        told_of(&snapshot, &Scope::all(), &nobody),
        Err(Refused::Unknown { whys }) if !whys.is_empty()
    ));
}

#[test]
fn each_part_of_a_question_that_cannot_be_used_is_named() {
    let snapshot = example::snapshot(objects());
    let headers = Ask {
        headers: vec![("a b".into(), "c".into())],
        ..web()
    };
    let method = Ask {
        method: "G T".into(),
        ..web()
    };
    for (asked, field) in [
        (ask("nonsense", "http://a/"), "from"),
        (method, "method"),
        (ask("default/job", "a"), "url"),
        (headers, "headers"),
    ] {
        let refused = told_of(&snapshot, &Scope::all(), &asked);
        assert_eq!(refused, Err(Refused::BadInput { field: field.into() }));
    }
}

#[test]
fn a_namespace_out_of_sight_is_not_learned_of() {
    let snapshot = example::snapshot(objects());
    let near = only(&["default"]);
    let far = |url: &str| told_of(&snapshot, &near, &ask("default/sangsang-plus-gateway", url)).unwrap();
    // Whether there is such a Service makes no difference.
    let (there, not) = (
        far("http://user-service.user-service/"),
        far("http://nothing.user-service/"),
    );
    for told in [&there, &not] {
        assert_eq!(told.outcome, Outcome::Elsewhere);
        assert!(told.legs.is_empty() && told.deciders.is_empty());
        assert!(!format!("{:?}", (&told.legs, &told.deciders, &told.effects)).contains("user-service"));
    }
    assert_ne!(far("http://example.com/").outcome, Outcome::Elsewhere);
    let theirs = told_of(
        &snapshot,
        &near,
        &ask("user-service/user-service-v1", "http://a/"),
    );
    let nobodys = told_of(&snapshot, &near, &ask("user-service/nobody", "http://a/"));
    assert!(matches!(
        (theirs, nobodys),
        (Err(Refused::NotFound { .. }), Err(Refused::NotFound { .. }))
    ));
    let seen = told_of(&snapshot, &only(&["default", "user-service"]), &web()).unwrap();
    assert_eq!(seen.legs.len(), 2);
}

#[test]
fn a_rule_in_sight_shows_itself_and_not_what_it_leads_to() {
    let mut objects = objects();
    let rule = json!({"hosts": ["user-service.user-service.svc.cluster.local"],
        "http": [{"route": [{"destination": {"host": "user-service.user-service.svc.cluster.local"}}]}]});
    objects.clear(Kind::VirtualService);
    put(&mut objects, Kind::VirtualService, "default", "ours", &rule);
    let told = told_of(&example::snapshot(objects), &only(&["default"]), &web()).unwrap();
    assert_eq!(told.outcome, Outcome::Sent);
    assert!(matches!(&told.deciders[0], Decider::Object { name, .. } if &**name == "ours"));
    assert_eq!(told.legs.len(), 1);
    assert_eq!(
        (&*told.legs[0].host, &told.legs[0].behind),
        ("", &Behind::Elsewhere)
    );
}

#[test]
fn reasons_name_no_object_out_of_sight() {
    let mut objects = objects();
    put(
        &mut objects,
        Kind::EnvoyFilter,
        "istio-system",
        "secret-name",
        &json!({"configPatches": [{"applyTo": "HTTP_ROUTE", "patch": {"operation": "REMOVE"}}]}),
    );
    let snapshot = example::snapshot(objects);
    let all = told_of(&snapshot, &Scope::all(), &web()).unwrap();
    let some = told_of(&snapshot, &only(&["default", "user-service"]), &web()).unwrap();
    assert!(format!("{all:?}").contains("secret-name"), "{all:?}");
    assert!(!format!("{some:?}").contains("secret-name"));
    assert!(format!("{some:?}").contains("EnvoyFilter"));
}

#[test]
fn what_is_let_through_to_an_address_ends_at_its_pod_for_whoever_sees_it() {
    let mut objects = objects();
    let pod = json!({"metadata": {"name": "far", "namespace": "user-service", "labels": {"app": "far"}},
        "spec": {"containers": [{"name": "app"}, {"name": "istio-proxy"}]}, "status": {"phase": "Running", "podIP": "10.9.9.9"}});
    objects.put(Fact::read(Kind::Pod, pod).unwrap());
    let ask = ask("default/sangsang-plus-gateway", "http://10.9.9.9:7070/");
    let snapshot = example::snapshot(objects);
    let seen = told_of(&snapshot, &Scope::all(), &ask).unwrap();
    assert_eq!(seen.outcome, Outcome::Passthrough);
    assert_eq!(
        (&*seen.legs[0].host, seen.legs[0].port, seen.legs.len()),
        ("10.9.9.9", 7070, 1)
    );
    let end = &ends(&seen, 0)[0];
    assert_eq!(end.workload.as_deref(), Some("user-service/far"));
    assert_eq!(end.tls.sent, Some((Sends::Plaintext, Cause::Passthrough)));
    assert!(!end.deaf);
    let hidden = told_of(&snapshot, &only(&["default"]), &ask).unwrap();
    assert_eq!((hidden.outcome, hidden.legs), (Outcome::Passthrough, vec![]));
}
