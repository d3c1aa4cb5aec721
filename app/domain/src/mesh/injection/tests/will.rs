use super::{injector, namespace, objects, webhooks, workload};
use crate::{
    Why,
    mesh::{
        Mesh,
        injection::{Injectors, PodDrift, Reason, Trap, WillInject, drift, templates, traps, will_inject},
    },
    object::Kind,
    snapshot::{KindState, Objects},
};
use serde_json::{Value, json};

fn asked(objects: &Objects) -> WillInject {
    let mesh = Mesh::of(objects);
    let template = templates(objects).into_iter().next().unwrap();
    let namespace = objects
        .namespaces
        .values()
        .find(|it| it.name == template.owner.namespace);
    will_inject(&mesh, namespace.unwrap(), &template)
}

/// In words: the revision, or the reason's name.
fn told(objects: &Objects) -> String {
    match asked(objects) {
        WillInject::Yes { revision, .. } => revision.to_string(),
        WillInject::No(reason) => match reason {
            Reason::NoInjector => "no injector".into(),
            Reason::Unlabelled { .. } => "unlabelled".into(),
            Reason::NamespaceRefuses(_) => "namespace refuses".into(),
            Reason::PodRefuses(_) => "pod refuses".into(),
            Reason::NoSuchRevision { revision, .. } => format!("no revision {revision}"),
            Reason::HostNetwork(_) => "host network".into(),
            Reason::SystemNamespace { .. } => "system".into(),
            Reason::AnnotationRefuses(_) => "annotation refuses".into(),
            Reason::NeverSelected(_) => "never".into(),
            Reason::PolicyDisabled(_) => "disabled".into(),
            Reason::PolicyIllegal(_) => "illegal".into(),
        },
        WillInject::Unknown(whys) => {
            assert!(!whys.is_empty(), "what is not known has a reason");
            "unknown".into()
        }
    }
}

fn pod(labels: &Value, annotations: &Value, spec: &Value) -> Value {
    json!({"template": {"metadata": {"labels": labels, "annotations": annotations}, "spec": spec}})
}

#[test]
fn labels_of_namespace_and_pod_decide_as_the_charts_webhooks_select() {
    let on = json!({"istio-injection": "enabled"});
    let off = json!({"istio-injection": "disabled"});
    let rev = |name: &str| json!({"istio.io/rev": name});
    let yes = json!({"sidecar.istio.io/inject": "true"});
    let no = json!({"sidecar.istio.io/inject": "false"});
    let odd = json!({"sidecar.istio.io/inject": "yes"});
    let none = json!({});
    // Namespace's labels, pod's labels, pod's annotations, answer; installed are default, 1-30 and the tag stable for 1-30.
    let table = [
        (&none, &none, &none, "unlabelled"),
        (&none, &yes, &none, "default"),
        (&none, &no, &none, "pod refuses"),
        (&none, &odd, &none, "unlabelled"),
        (&none, &none, &yes, "unlabelled"),
        (&none, &rev("stable"), &none, "1-30"),
        (&none, &rev("1-30"), &none, "1-30"),
        (&none, &rev("default"), &none, "default"),
        (&none, &rev("1-29"), &none, "no revision 1-29"),
        (&none, &rev("stable"), &no, "annotation refuses"),
        (&on, &none, &none, "default"),
        (&on, &no, &none, "pod refuses"),
        (&on, &odd, &none, "default"),
        (&on, &none, &no, "annotation refuses"),
        (&on, &none, &odd, "default"),
        (&on, &yes, &no, "default"),
        (&on, &no, &yes, "pod refuses"),
        (&on, &odd, &no, "default"),
        (&on, &rev("stable"), &none, "default"),
        (&off, &none, &none, "namespace refuses"),
        (&off, &yes, &none, "namespace refuses"),
        (&off, &rev("stable"), &none, "namespace refuses"),
        (&rev("stable"), &none, &none, "1-30"),
        (&rev("1-30"), &none, &none, "1-30"),
        (&rev("default"), &none, &none, "default"),
        (&rev("stable"), &no, &none, "pod refuses"),
        (&rev("stable"), &rev("default"), &none, "1-30"),
        (&rev("1-29"), &none, &none, "no revision 1-29"),
        (&rev("1-29"), &yes, &none, "no revision 1-29"),
        (
            &json!({"istio-injection": "enabled", "istio.io/rev": "stable"}),
            &none,
            &none,
            "default",
        ),
        (
            &json!({"istio-injection": "disabled", "istio.io/rev": "stable"}),
            &none,
            &none,
            "namespace refuses",
        ),
        (&json!({"istio-injection": ""}), &none, &none, "namespace refuses"),
    ];
    for (near, labels, annotations, expected) in table {
        let objects = objects([
            webhooks("default", None),
            webhooks("1-30", None),
            webhooks("1-30", Some("stable")),
            namespace("shop", near.clone()),
            workload("Deployment", pod(labels, annotations, &json!({}))),
        ]);
        assert_eq!(told(&objects), expected, "{near} {labels} {annotations}");
    }
}

#[test]
fn a_revisioned_installation_without_a_default_tag_knows_no_enabled_namespaces() {
    let case = |installed: Vec<Value>, near: Value, labels: Value| {
        let deployment = workload("Deployment", pod(&labels, &json!({}), &json!({})));
        told(&objects(
            installed.into_iter().chain([namespace("shop", near), deployment]),
        ))
    };
    let on = || json!({"istio-injection": "enabled"});
    let yes = || json!({"sidecar.istio.io/inject": "true"});
    assert_eq!(case(vec![], on(), json!({})), "no injector");
    assert_eq!(
        case(vec![webhooks("1-30", None)], on(), json!({})),
        "no revision default"
    );
    assert_eq!(
        case(vec![webhooks("1-30", None)], json!({}), yes()),
        "no revision default"
    );
    let tagged = vec![webhooks("1-30", None), webhooks("1-30", Some("default"))];
    assert_eq!(case(tagged.clone(), on(), json!({})), "1-30");
    assert_eq!(case(tagged, json!({}), yes()), "1-30");
}

#[test]
fn a_webhook_without_a_label_is_of_the_revision_that_its_service_is_named_by() {
    for (service, expected) in [("istiod", "default"), ("istiod-canary", "canary")] {
        let mut installed = webhooks("default", None);
        installed["metadata"]["labels"] = json!({});
        for webhook in installed["webhooks"].as_array_mut().unwrap() {
            webhook["clientConfig"]["service"]["name"] = json!(service);
        }
        let deployment = workload("Deployment", pod(&json!({}), &json!({}), &json!({})));
        let near = namespace("shop", json!({"istio-injection": "enabled"}));
        assert_eq!(told(&objects([installed, near, deployment])), expected);
    }
}

#[test]
fn the_injector_decides_after_the_webhook() {
    let case = |name: &str, config: &str, labels: Value, annotations: Value, spec: Value| {
        let mut deployment = workload("Deployment", pod(&labels, &annotations, &spec));
        deployment["metadata"]["namespace"] = json!(name);
        told(&objects([
            webhooks("default", None),
            injector(config, &json!({})),
            namespace(name, json!({"istio-injection": "enabled"})),
            deployment,
        ]))
    };
    let none = || json!({});
    let yes = || json!({"sidecar.istio.io/inject": "true"});
    let batch = || json!({"kind": "batch"});
    let selector = "Selector: [{matchLabels: {kind: batch}}]";
    let never = format!("policy: enabled\nneverInject{selector}");
    let always = format!("policy: disabled\nalwaysInject{selector}");
    let both = format!("{never}\nalwaysInject{selector}");
    let table = [
        ("shop", "", none(), none(), none(), "default"),
        ("shop", "policy: enabled", none(), none(), none(), "default"),
        ("shop", "policy: disabled", none(), none(), none(), "disabled"),
        ("shop", "policy: disabled", yes(), none(), none(), "default"),
        ("shop", "policy: disabled", none(), yes(), none(), "default"),
        ("shop", "policy: off", none(), none(), none(), "illegal"),
        ("shop", &never, batch(), none(), none(), "never"),
        ("shop", &never, none(), none(), none(), "default"),
        ("shop", &never, batch(), yes(), none(), "default"),
        ("shop", &always, batch(), none(), none(), "default"),
        ("shop", &always, none(), none(), none(), "disabled"),
        ("shop", &both, batch(), none(), none(), "never"),
        (
            "shop",
            "policy: enabled\nneverInjectSelector: [{}]",
            none(),
            none(),
            none(),
            "default",
        ),
        ("shop", "a: [", none(), none(), none(), "unknown"),
        ("shop", "a: [", yes(), none(), none(), "default"),
        (
            "shop",
            "",
            none(),
            none(),
            json!({"hostNetwork": true}),
            "host network",
        ),
        (
            "shop",
            "",
            yes(),
            none(),
            json!({"hostNetwork": true}),
            "host network",
        ),
        ("kube-system", "", yes(), none(), none(), "system"),
        ("kube-public", "", none(), none(), none(), "system"),
        ("kube-node-lease", "", none(), none(), none(), "system"),
        ("local-path-storage", "", none(), none(), none(), "system"),
        ("istio-system", "", none(), none(), none(), "default"),
    ];
    for (name, config, labels, annotations, spec, expected) in table {
        let about = format!("{name} {config} {labels} {annotations} {spec}");
        assert_eq!(case(name, config, labels, annotations, spec), expected, "{about}");
    }
}

#[test]
fn what_cannot_be_read_is_unknown() {
    let base = || {
        vec![
            namespace("shop", json!({"istio-injection": "enabled"})),
            workload("Deployment", pod(&json!({}), &json!({}), &json!({}))),
        ]
    };
    let mut blind = objects(base());
    blind
        .kinds
        .insert(Kind::MutatingWebhookConfiguration, KindState::NotYet);
    assert!(matches!(asked(&blind), WillInject::Unknown(whys) if matches!(whys[..], [Why::NotYet { .. }])));
    let with = |hook: Value| {
        let mut all = base();
        all.push(hook);
        objects(all)
    };
    let mut unread = with(webhooks("default", None));
    unread.kinds.insert(Kind::ConfigMap, KindState::NotYet);
    assert_eq!(told(&unread), "unknown");
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut hook = webhooks("default", None);
        change(&mut hook);
        told(&with(hook))
    };
    assert_eq!(
        changed(&|it| it["webhooks"][2]["matchConditions"] = json!([{"expression": "x"}])),
        "unknown"
    );
    assert_eq!(
        changed(&|it| it["webhooks"][2]["matchConditions"] = json!([])),
        "default"
    );
    assert_eq!(
        changed(&|it| it["webhooks"][2]["namespaceSelector"] = json!(7)),
        "unknown"
    );
    assert_eq!(
        changed(&|it| it["webhooks"][2]["rules"][0]["operations"] = json!(["UPDATE"])),
        "no revision default"
    );
    assert_eq!(
        changed(&|it| it["webhooks"][2]["rules"][0]["resources"] = json!(["*"])),
        "default"
    );
    assert_eq!(
        changed(&|it| it["webhooks"][2]["name"] = json!("vault.example.com")),
        "no revision default"
    );
    assert_eq!(changed(&|it| it["metadata"]["labels"] = json!({})), "default");
    let nameless = |it: &mut Value| {
        it["metadata"]["labels"] = json!({});
        it["webhooks"][2]["clientConfig"] = json!({"url": "https://example.com/inject"});
    };
    assert_eq!(changed(&nameless), "unknown");
    // Two injectors of different revisions would both write.
    let mut two = base();
    let mut other = webhooks("default", None);
    other["metadata"] = json!({"name": "z", "labels": {"istio.io/rev": "1-30"}});
    two.extend([webhooks("default", None), other]);
    assert_eq!(told(&objects(two)), "unknown");
}

#[test]
fn the_answer_names_the_webhook_and_the_label() {
    let objects = objects([
        webhooks("default", None),
        namespace("shop", json!({"istio-injection": "enabled"})),
        workload(
            "StatefulSet",
            pod(
                &json!({"sidecar.istio.io/inject": "true"}),
                &json!({}),
                &json!({}),
            ),
        ),
    ]);
    let WillInject::Yes { webhook, by, .. } = asked(&objects) else {
        panic!()
    };
    assert_eq!(
        (&*webhook.key.name, &*webhook.path),
        ("istio-sidecar-injector-default", "/webhooks/2")
    );
    assert_eq!(
        &*by.unwrap().path,
        "/spec/template/metadata/labels/sidecar.istio.io~1inject"
    );
}

#[test]
fn traps_are_told_whatever_is_installed() {
    let yes = json!({"sidecar.istio.io/inject": "true"});
    let no = json!({"sidecar.istio.io/inject": "false"});
    let none = json!({});
    let found = |near: &Value, labels: &Value, annotations: &Value, on_owner: bool| {
        let mut deployment = workload("Deployment", pod(labels, annotations, &json!({})));
        if on_owner {
            deployment["metadata"]["labels"] = yes.clone();
        }
        let objects = objects([namespace("shop", near.clone()), deployment]);
        let template = &templates(&objects)[0];
        let found = traps(objects.namespaces.values().next().unwrap(), template);
        let name = |it: &Trap| match it {
            Trap::AnnotationAsks(by) => format!("asks {}", by.path),
            Trap::AnnotationHidden(_) => "hidden".into(),
            Trap::LabelOnOwner(by) => format!("owner {}", by.path),
            Trap::NeitherTrueNorFalse { value, .. } => format!("odd {value}"),
            Trap::RevisionHidden(_) => "revision".into(),
            Trap::PodRevisionHidden(_) => "pod revision".into(),
        };
        found.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(
        found(&none, &none, &yes, false),
        "asks /spec/template/metadata/annotations/sidecar.istio.io~1inject"
    );
    assert_eq!(
        found(&none, &none, &none, true),
        "owner /metadata/labels/sidecar.istio.io~1inject"
    );
    assert_eq!(found(&none, &yes, &none, true), "");
    assert_eq!(found(&none, &yes, &no, false), "hidden");
    assert_eq!(found(&none, &yes, &yes, false), "");
    assert_eq!(found(&none, &none, &no, false), "");
    assert_eq!(
        found(&none, &json!({"sidecar.istio.io/inject": "yes"}), &none, false),
        "odd yes"
    );
    assert_eq!(
        found(
            &json!({"istio-injection": "enabled", "istio.io/rev": "a"}),
            &none,
            &none,
            false
        ),
        "revision"
    );
    assert_eq!(
        found(
            &json!({"istio.io/rev": "a"}),
            &json!({"istio.io/rev": "b"}),
            &none,
            false
        ),
        "pod revision"
    );
    assert_eq!(
        found(
            &json!({"istio.io/rev": "a"}),
            &json!({"istio.io/rev": "a"}),
            &none,
            false
        ),
        ""
    );
    assert_eq!(found(&none, &json!({"istio.io/rev": "b"}), &none, false), "");
}

fn running(name: &str, revision: Option<&str>) -> Value {
    let (containers, notes) = match revision {
        Some(revision) => (
            json!([{"name": "app"}, {"name": "istio-proxy"}]),
            json!({"istio.io/rev": revision, "sidecar.istio.io/status": "{}"}),
        ),
        None => (json!([{"name": "app"}]), json!({})),
    };
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "annotations": notes,
        "labels": {"pod-template-hash": "5"}, "ownerReferences": [{"kind": "ReplicaSet", "name": "app-5", "controller": true}]},
        "spec": {"containers": containers}, "status": {"phase": "Running"}})
}

#[test]
fn a_namespace_that_was_labelled_does_not_change_pods_that_were_not_restarted() {
    let drifts = |near: Value| {
        let objects = objects([
            webhooks("default", None),
            webhooks("1-30", None),
            namespace("shop", near),
            workload("Deployment", pod(&json!({}), &json!({}), &json!({}))),
            running("a", None),
            running("b", Some("default")),
            running("c", Some("1-30")),
        ]);
        let drift = drift(&Mesh::of(&objects), &("shop".into(), "app".into()));
        assert_eq!(drift.unknown, []);
        let differing = drift.differing().count();
        (
            drift.pods.into_iter().map(|(_, it)| it).collect::<Vec<_>>(),
            differing,
        )
    };
    let missing = |revision: &str| PodDrift::Missing {
        revision: revision.into(),
    };
    let other = |has: &str, gets: &str| PodDrift::OtherRevision {
        has: has.into(),
        gets: gets.into(),
    };
    assert_eq!(
        drifts(json!({"istio-injection": "enabled"})),
        (
            vec![missing("default"), PodDrift::None, other("1-30", "default")],
            2
        )
    );
    assert_eq!(
        drifts(json!({"istio.io/rev": "1-30"})),
        (vec![missing("1-30"), other("default", "1-30"), PodDrift::None], 2)
    );
    assert_eq!(
        drifts(json!({})),
        (
            vec![PodDrift::None, PodDrift::Superfluous, PodDrift::Superfluous],
            2
        )
    );
}

#[test]
fn templates_come_from_all_that_makes_pods_and_each_once() {
    let mut cron = workload(
        "CronJob",
        json!({"jobTemplate": {"spec": pod(&json!({"a": "cron"}), &json!({}), &json!({}))}}),
    );
    cron["metadata"]["name"] = json!("nightly");
    let mut run = workload("Job", pod(&json!({}), &json!({}), &json!({})));
    run["metadata"]["ownerReferences"] = json!([{"kind": "CronJob", "name": "nightly", "controller": true}]);
    let mut ended = workload("Job", pod(&json!({}), &json!({}), &json!({})));
    ended["metadata"]["name"] = json!("ended");
    ended["status"] = json!({"conditions": [{"type": "Complete", "status": "True"}]});
    let mut open = workload("Job", pod(&json!({}), &json!({}), &json!({})));
    open["metadata"]["name"] = json!("open");
    open["status"] = json!({"conditions": [{"type": "Complete", "status": "False"}]});
    let bare = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bare", "namespace": "shop"}});
    let of = |kind| workload(kind, pod(&json!({}), &json!({}), &json!({})));
    let objects = objects([
        of("Deployment"),
        of("StatefulSet"),
        of("DaemonSet"),
        of("ReplicaSet"),
        cron,
        run,
        ended,
        open,
        bare,
        running("x", None),
    ]);
    let all: Vec<String> = templates(&objects)
        .iter()
        .map(|it| format!("{} {}{}", it.owner.kind.name(), it.owner.name, it.at))
        .collect();
    assert_eq!(
        all,
        [
            "Pod bare",
            "Deployment app/spec/template",
            "ReplicaSet app/spec/template",
            "StatefulSet app/spec/template",
            "DaemonSet app/spec/template",
            "Job open/spec/template",
            "CronJob nightly/spec/jobTemplate/spec/template"
        ]
    );
    let cron = templates(&objects).into_iter().last().unwrap();
    assert_eq!(cron.label("a").map(|(value, _)| value), Some("cron"));
    assert!(Injectors::of(&Mesh::of(&objects)).injector("default").is_none());
}
