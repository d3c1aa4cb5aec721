use super::{Part, Step, leaves, parse};
use crate::{
    fact::Fact,
    object::{Kind, Object},
    snapshot::{KindState, Objects},
};
use naru_view::why::Leaves;
use serde_json::{Value, json};

const WEIGHTS: [&str; 2] = ["/spec/http/1/route/0/weight", "/spec/http/1/route/1/weight"];

fn tracked(id: &str) -> Object {
    let metadata =
        json!({"name": "user", "namespace": "shop", "annotations": {"argocd.argoproj.io/tracking-id": id}});
    Object::new(
        Kind::VirtualService,
        json!({"metadata": metadata, "spec": spec()}),
    )
    .unwrap()
}

/// A rule with one destination, and a weighted one.
fn spec() -> Value {
    json!({"hosts": ["a"], "http": [{"route": [{"destination": {"host": "b"}}]}, {"route": [{"weight": 90}, {"weight": 10}]}]})
}

fn with(applications: &[Value]) -> Objects {
    let mut objects = Objects::default();
    objects.kinds.insert(Kind::Application, KindState::Known);
    for it in applications {
        objects.put(Fact::read(Kind::Application, it.clone()).unwrap());
    }
    objects
}

fn application(ignored: &Value, options: &Value) -> Value {
    json!({"metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"ignoreDifferences": ignored, "syncPolicy": {"syncOptions": options}},
        "status": {"resources": [{"kind": "VirtualService"}]}})
}

fn seen(objects: &Objects, id: &str) -> Leaves {
    leaves(objects, &tracked(id), &WEIGHTS.map(ToOwned::to_owned))
}

const ID: &str = "shop:networking.istio.io/VirtualService:shop/user";

#[test]
fn weights_are_kept_where_they_are_ignored_and_the_sync_respects_it() {
    let name = "argocd/shop";
    let kept = || Leaves::Kept {
        application: name.into(),
    };
    let takes = || Leaves::Takes {
        application: name.into(),
    };
    let jq = |expressions: Value| json!([{"group": "networking.istio.io", "kind": "VirtualService", "jqPathExpressions": expressions}]);
    let pointers = |pointers: Value| json!([{"group": "networking.istio.io", "kind": "VirtualService", "jsonPointers": pointers}]);
    let respect = json!(["CreateNamespace=true", "RespectIgnoreDifferences=true"]);
    for (ignored, expected) in [
        (jq(json!([".spec.http[].route[].weight"])), kept()),
        (jq(json!([".spec.http[]?.route[]?.weight"])), kept()),
        (jq(json!([".spec[\"http\"][1].route"])), kept()),
        (pointers(json!(["/spec/http"])), kept()),
        (pointers(json!([WEIGHTS[0], WEIGHTS[1]])), kept()),
        (
            json!([{"group": "*", "kind": "*", "jqPathExpressions": [".spec.http"]}]),
            kept(),
        ),
        // Half of it is not enough: weights belong together.
        (pointers(json!([WEIGHTS[0]])), takes()),
        (jq(json!([".spec.http[0].route[].weight"])), takes()),
        (pointers(json!(["/spec/htt"])), takes()),
        (pointers(json!([""])), takes()),
        (
            jq(json!([
                ".spec.http[] | select(.name == \"main\") | .route[].weight"
            ])),
            takes(),
        ),
        (
            json!([{"group": "apps", "kind": "Deployment", "jqPathExpressions": [".spec.http"]}]),
            takes(),
        ),
        (
            json!([{"group": "networking.istio.io", "kind": "VirtualService", "name": "other", "jsonPointers": ["/spec"]}]),
            takes(),
        ),
        (
            json!([{"group": "networking.istio.io", "kind": "VirtualService", "namespace": "other", "jsonPointers": ["/spec"]}]),
            takes(),
        ),
        (json!([]), takes()),
    ] {
        let objects = with(&[application(&ignored, &respect)]);
        assert_eq!(seen(&objects, ID), expected, "{ignored}");
    }
    let all = pointers(json!(["/spec/http"]));
    for options in [json!([]), json!(["RespectIgnoreDifferences=false"]), Value::Null] {
        let objects = with(&[application(&all, &options)]);
        assert_eq!(
            seen(&objects, ID),
            Leaves::UntilSync {
                application: name.into()
            }
        );
    }
}

#[test]
fn an_expression_that_fails_on_the_object_takes_nothing_out() {
    let kept = |expression: &str| {
        let mut redirects = tracked(ID).json().clone();
        redirects["spec"]["http"][0] = json!({"redirect": {"uri": "/"}});
        let object = Object::new(Kind::VirtualService, redirects).unwrap();
        let ignored = json!([{"group": "networking.istio.io", "kind": "VirtualService", "jqPathExpressions": [expression]}]);
        let objects = with(&[application(&ignored, &json!(["RespectIgnoreDifferences=true"]))]);
        let seen = leaves(&objects, &object, &WEIGHTS.map(ToOwned::to_owned));
        matches!(seen, Leaves::Kept { .. })
    };
    // "Cannot iterate over null": there is no list of destinations.
    assert!(!kept(".spec.http[].route[].weight"));
    assert!(kept(".spec.http[].route[]?.weight"));
    assert!(kept(".spec.http[1].route[].weight"));
    assert!(kept(".spec.http[].route"));
}

#[test]
fn who_else_applies_it_takes_all_back() {
    let all = json!([{"group": "*", "kind": "*", "jsonPointers": ["/spec"]}]);
    let objects = with(&[application(&all, &json!(["RespectIgnoreDifferences=true"]))]);
    let seen = |edit: fn(&mut Value)| {
        let mut json = tracked(ID).json().clone();
        edit(&mut json);
        let object = Object::new(Kind::VirtualService, json).unwrap();
        leaves(&objects, &object, &WEIGHTS.map(ToOwned::to_owned))
    };
    assert!(matches!(seen(|_| ()), Leaves::Kept { .. }));
    let flux =
        |json: &mut Value| json["metadata"]["labels"] = json!({"kustomize.toolkit.fluxcd.io/name": "apps"});
    assert_eq!(seen(flux), Leaves::Nothing);
    // The annotation of another object, copied with it.
    assert_eq!(
        seen(|json| json["metadata"]["name"] = json!("copy")),
        Leaves::Nothing
    );
}

#[test]
fn an_application_that_is_not_here_is_not_known() {
    let unread = |name: &str| Leaves::Unread {
        application: name.into(),
    };
    let here = application(&json!([]), &json!([]));
    assert_eq!(seen(&with(&[]), ID), unread("shop"));
    assert_eq!(seen(&Objects::default(), ID), unread("shop"));
    let mut other = here.clone();
    other["metadata"]["namespace"] = json!("team-a");
    // A namesake of a team's own is another Application.
    assert_eq!(seen(&with(std::slice::from_ref(&other)), ID), unread("shop"));
    assert_eq!(
        seen(&with(&[here, other.clone()]), ID),
        Leaves::Takes {
            application: "argocd/shop".into()
        }
    );
    let there = seen(
        &with(&[other]),
        "team-a_shop:networking.istio.io/VirtualService:shop/user",
    );
    assert_eq!(
        there,
        Leaves::Takes {
            application: "team-a/shop".into()
        }
    );
}

#[test]
fn who_tracks_by_label_is_known_by_its_label() {
    let metadata =
        json!({"name": "user", "namespace": "shop", "labels": {"app.kubernetes.io/instance": "shop"}});
    let object = Object::new(Kind::VirtualService, json!({"metadata": metadata})).unwrap();
    let objects = with(&[application(&json!([]), &json!([]))]);
    let seen = leaves(&objects, &object, &WEIGHTS.map(ToOwned::to_owned));
    assert_eq!(
        seen,
        Leaves::Takes {
            application: "argocd/shop".into()
        }
    );
}

#[test]
fn what_is_no_path_is_not_read_as_one() {
    let step = |part| Step { part, lenient: false };
    let field = |name: &str| step(Part::Field(name.to_owned()));
    assert_eq!(
        parse(" .spec.http[0] "),
        Some(vec![field("spec"), field("http"), step(Part::Index(0))])
    );
    let each = Step {
        part: Part::Each,
        lenient: true,
    };
    assert_eq!(
        parse(".[\"spec\"].http[]?"),
        Some(vec![field("spec"), field("http"), each])
    );
    for odd in [
        "",
        ".",
        "..",
        "spec",
        ".spec | .http",
        ".spec.http[",
        ".spec.http[-1]",
        ".spec.http[1:2]",
        ".spec,.status",
        "select(.spec)",
        ".spec. http",
        ".a[\"b\\\"c\"]",
    ] {
        assert_eq!(parse(odd), None, "{odd}");
    }
}

#[test]
fn of_an_application_only_what_it_wants_is_kept() {
    let objects = with(&[application(&json!([]), &json!([]))]);
    let all: Vec<_> = objects.of_kind(Kind::Application).collect();
    assert!(all[0].get("/status").is_none() && all[0].get("/spec").is_some());
}
