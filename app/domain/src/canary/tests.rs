//! Weighted rules of other lists than `spec.http`.

use super::{begin, canaries, questions};
use crate::{
    Refused, Why,
    actor::{Actor, Scope},
    example,
    fact::Fact,
    object::{Key, Kind, Object},
    snapshot::{Objects, Observed as Traffic},
    topology::Layout,
    traffic::{Dated, Split, SplitRow},
};
use naru_view::{
    canary::{Canary, Observed, RuleList},
    order::{Begin, Step},
};
use serde_json::{Value, json};
use std::sync::Arc;

fn recorded(json: &mut Value) {
    json["metadata"]["managedFields"] = json!([{"manager": "kubectl", "time": "2026-11-23T02:00:00Z"},
        {"manager": "istio.io/gateway-controller", "subresource": "status", "time": "2026-11-23T02:12:59Z"}]);
}

fn only(objects: Objects, split: Option<Split>) -> Canary {
    let mut snapshot = example::snapshot(objects);
    let mut traffic: Traffic = (*snapshot.traffic.value).clone();
    let route = canaries(&snapshot)[0].route.clone();
    let dated = |value| Dated {
        value,
        at: example::now(),
        gaps: Vec::new(),
    };
    traffic.splits = split
        .into_iter()
        .map(|it| (route.clone(), Ok(dated(it))))
        .collect();
    snapshot.traffic.value = Arc::new(traffic);
    let mut all = canaries(&snapshot);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn split() -> Split {
    let row = |version: &str, requests| SplitRow {
        timed: requests,
        spent_ms: None,
        namespace: "user-service".into(),
        workload: format!("user-service-{version}").into(),
        version: version.into(),
        route: "".into(),
        requests,
        failed: 0,
    };
    Split {
        from: example::now(),
        to: example::now(),
        rows: vec![row("v1", 900), row("v2", 100)],
        unrouted: [].into(),
        before: None,
    }
}

#[test]
fn a_rule_of_an_http_route_is_told_with_its_weights_as_set_and_their_shares() {
    let canary = only(example::objects_with_http_route(), None);
    assert_eq!(canary.route.list, RuleList::HttpRoute);
    assert_eq!((canary.total(), canary.points()), (10, vec![90, 10]));
    let told: Vec<_> = canary
        .destinations
        .iter()
        .map(|it| (&*it.host, it.port, it.weight, it.ready, &*it.workloads[0]))
        .collect();
    assert_eq!(
        told,
        [
            (
                "user-service-v1",
                Some(80),
                9,
                Some(2),
                "user-service/user-service-v1"
            ),
            (
                "user-service-v2",
                Some(80),
                1,
                Some(1),
                "user-service/user-service-v2"
            ),
        ]
    );
    assert_eq!(&*canary.hosts[0], "user-service.user-service.svc.cluster.local");
    assert_eq!(&*canary.gateways[0], "mesh");
    // 9 and 1 are 10, which is as good as 100 here.
    assert_eq!(canary.findings, []);
}

#[test]
fn both_services_are_counted_since_somebody_wrote_the_spec_unless_another_rule_leads_there() {
    let objects = example::with_http_route_edited(recorded);
    let [(route, question)] = &questions(&objects, example::now())[..] else {
        panic!()
    };
    assert_eq!(route.list, RuleList::HttpRoute);
    let names: Vec<&str> = question.services.iter().map(|it| &*it.name).collect();
    assert_eq!(names, ["user-service-v1", "user-service-v2"]);
    assert_eq!(question.since.to_string(), "2026-11-23T02:00:02Z");
    let Observed::Known { n: 1_000, shares, .. } = only(objects, Some(split())).observed else {
        panic!()
    };
    assert!((shares[1].percent - 10.0).abs() < 1e-9);

    let by_header = |json: &mut Value| {
        recorded(json);
        let v2 = json!({"matches": [{"headers": [{"name": "canary", "value": "true"}]}],
            "backendRefs": [{"name": "user-service-v2", "port": 80}]});
        json["spec"]["rules"].as_array_mut().unwrap().push(v2);
    };
    let subset = "user-service-v2".into();
    let observed = only(example::with_http_route_edited(by_header), Some(split())).observed;
    let Observed::Unknown {
        whys,
        apart: Some(apart),
    } = observed
    else {
        panic!("{observed:?}")
    };
    assert_eq!(whys, [Why::HeaderRouted { subset }]);
    // Its rules have names by their places; it is the proxies that do not tell them.
    assert!(apart.names.is_empty() && apart.named && apart.untold == 1_000);
}

#[test]
fn what_gets_requests_and_cannot_answer_is_found() {
    let found = |edit: fn(&mut Value)| only(example::with_http_route_edited(edit), None).findings;
    assert_eq!(
        found(|json| {
            for backend in json["spec"]["rules"][0]["backendRefs"].as_array_mut().unwrap() {
                backend["weight"] = json!(0);
            }
        }),
        [Refused::NoWeight]
    );
    let absent =
        |json: &mut Value| json["spec"]["rules"][0]["backendRefs"][1]["name"] = json!("user-service-v3");
    let host = "user-service-v3".into();
    assert_eq!(found(absent), [Refused::HostUnknown { host }]);

    let mut objects = example::with_http_route_edited(|json| {
        json["spec"]["parentRefs"] = json!([{"name": "public", "namespace": "edge"}]);
        json["spec"]["rules"][0]["backendRefs"][1] = json!({"name": "pay", "namespace": "bank", "port": 80});
    });
    let pay = json!({"metadata": {"name": "pay", "namespace": "bank"}, "spec": {"selector": {"app": "pay"}}});
    objects.put(Fact::read(Kind::Service, pay).unwrap());
    assert_eq!(
        only(objects, None).findings,
        [Refused::NotGranted {
            host: "pay".into(),
            namespace: "bank".into()
        }]
    );
}

#[test]
fn weights_of_a_virtual_service_that_add_up_to_something_else_are_found() {
    let mut objects = example::objects();
    let edited = example::edited(&objects, |json| {
        json["spec"]["http"][0]["route"][0]["weight"] = 9.into();
        json["spec"]["http"][0]["route"][1]["weight"] = 1.into();
    });
    objects.put(Fact::Object(edited));
    assert_eq!(only(objects, None).findings, [Refused::Sum { sum: 10 }]);
}

#[test]
fn connections_are_told_apart_from_requests() {
    let mut objects = example::objects();
    let edited = example::edited(&objects, |json| {
        let spec = json["spec"].as_object_mut().unwrap();
        let route = spec.remove("http").unwrap()[0]["route"].clone();
        spec.insert("tcp".into(), json!([{"route": [route[0]]}, {"route": route}]));
        recorded(json);
    });
    objects.put(Fact::Object(edited));
    assert_eq!(questions(&objects, example::now()), []);
    let canary = only(objects, None);
    assert_eq!((canary.route.list, canary.route.rule), (RuleList::Tcp, 1));
    assert_eq!(canary.points(), [90, 10]);
    assert_eq!(canary.rate, None);
    let whys = vec![Why::Connections];
    assert_eq!(canary.observed, Observed::Unknown { whys, apart: None });
}

#[test]
fn no_steps_are_taken_with_them_nor_are_those_of_a_namesake_theirs() {
    let objects = example::objects_with_http_route();
    let route = only(objects.clone(), None).route;
    let step = Step {
        weight: 50,
        dwell_s: 60,
        requests: 1,
    };
    let wish = Begin {
        route: route.clone(),
        steps: vec![step],
        errors: 0.01,
    };
    let live = &objects.whole[&super::target(&route)];
    let list = "HTTPRoute".into();
    assert_eq!(
        begin::ordered(&objects, live, &wish, &Actor::loopback(), example::now()),
        Err(begin::Unfit::Refused(Refused::NoSteps { list }))
    );

    let mut objects = objects;
    let of_virtual_service = json!({"metadata": {"name": "c", "namespace": "user-service"}, "spec": {
        "route": {"name": "user-service", "rule": 0}, "stable": {"host": "user-service", "subset": "v1"},
        "canary": {"host": "user-service", "subset": "v2"}, "steps": [{"weight": 5, "dwell": "10m", "requests": 100}],
        "approvedBy": {"issuer": "i", "subject": "s", "name": "Kim"}}});
    objects.put(Fact::Object(
        Object::new(Kind::Canary, of_virtual_service).unwrap(),
    ));
    assert_eq!(super::running(&objects, &route), None);
    assert_eq!(only(objects, None).orders, []);
    assert_eq!(
        super::target(&route),
        Key::new(Kind::HttpRoute, "user-service", "user-service")
    );
}

#[test]
fn who_may_not_see_a_namespace_is_not_told_what_runs_behind_a_backend_there() {
    let mut objects = example::with_http_route_edited(|json| {
        json["metadata"]["namespace"] = json!("shop");
        for backend in json["spec"]["rules"][0]["backendRefs"].as_array_mut().unwrap() {
            backend["namespace"] = json!("user-service");
        }
    });
    objects.remove(&Key::new(Kind::HttpRoute, "user-service", "user-service"));
    let snapshot = example::snapshot(objects);
    let told = |names: Option<&str>| {
        let namespaces = names.map(|it| [it.into()].into());
        let view = crate::view::view(&snapshot, &Scope { namespaces }, &Layout::default());
        let it = view.canaries.routes[0].destinations[0].clone();
        (it.weight, it.ready, it.workloads.len())
    };
    assert_eq!(told(None), (9, Some(2), 1));
    assert_eq!(told(Some("shop")), (9, None, 0));
}
