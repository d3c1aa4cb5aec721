//! The graph as a whole: merging, kinds, scopes, memory, determinism.

use super::{
    Known, Memory, graph, place, remember,
    report::report,
    system::{flow, guide, key, known, now, objects, pod, seen_by_target, through, traffic},
    topology,
};
use crate::{
    Why,
    actor::Scope,
    snapshot::Objects,
    topology::Graph,
    traffic::{Flow, FlowKey, Protocol},
};
use jiff::SignedDuration;
use naru_view::{
    topology::{
        BOX_HEIGHT, BOX_WIDTH, Edge, EdgeHealth, GAP_X, MARGIN, Meshed, Node, NodeKind, Origin, Topology,
    },
    version::Version,
};
use proptest::prelude::{Just, Strategy, prop_assert_eq, proptest};
use serde_json::json;

fn node<'a>(graph: &'a Graph, id: &str) -> &'a Node {
    graph
        .nodes
        .iter()
        .find(|node| &*node.id == id)
        .unwrap_or_else(|| panic!("no {id} in {:#?}", graph.nodes))
}

fn edges(graph: &Graph) -> Vec<String> {
    let name = |i: u32| graph.nodes[i as usize].id.to_string();
    graph
        .edges
        .iter()
        .map(|edge| format!("{} -> {}", name(edge.source), name(edge.target)))
        .collect()
}

fn edge<'a>(graph: &'a Graph, source: &str, target: &str) -> &'a Edge {
    let at = |id: &str| graph.nodes.iter().position(|node| &*node.id == id).unwrap() as u32;
    let (source, target) = (at(source), at(target));
    graph
        .edges
        .iter()
        .find(|edge| (edge.source, edge.target) == (source, target))
        .unwrap()
}

fn of(manifests: &Objects, flows: Vec<(FlowKey, Flow)>, scope: &Scope) -> Graph {
    graph(&known(manifests, &traffic(flows), &Memory::new()), scope)
}

fn all(flows: Vec<(FlowKey, Flow)>) -> Graph {
    of(&Objects::default(), flows, &Scope::all())
}

fn only(namespaces: &[&str]) -> Scope {
    Scope {
        namespaces: Some(namespaces.iter().map(|&name| name.into()).collect()),
    }
}

const NGINX: &str = "workload//ingress-nginx/ingress-nginx-controller";
const EDGE: &str = "workload//istio-system/istio-ingressgateway";
const SPRING: &str = "workload//default/sangsang-plus-gateway";
const PRODUCT: &str = "workload//product-service/product-service";

#[test]
fn the_guides_system() {
    let (manifests, flows) = guide();
    let graph = of(&objects(manifests), flows, &Scope::all());
    assert_eq!(
        edges(&graph),
        [
            "unknown/// -> workload//product-service/product-service",
            "workload//default/sangsang-plus-gateway -> workload//product-service/product-service",
            "workload//default/sangsang-plus-gateway -> workload//user-service/user-service-v1",
            "workload//default/sangsang-plus-gateway -> workload//user-service/user-service-v2",
            "workload//ingress-nginx/ingress-nginx-controller -> workload//istio-system/istio-ingressgateway",
            "workload//istio-system/istio-ingressgateway -> workload//default/sangsang-plus-gateway",
        ]
    );
    let kinds: Vec<(&str, NodeKind, Meshed)> = graph
        .nodes
        .iter()
        .map(|node| (&*node.id, node.kind, node.meshed))
        .collect();
    assert_eq!(
        kinds,
        [
            ("unknown///", NodeKind::Unknown, Meshed::Unknown),
            (SPRING, NodeKind::Workload, Meshed::Sidecar),
            ("workload//frontend/frontend", NodeKind::Workload, Meshed::No),
            (NGINX, NodeKind::Ingress, Meshed::No),
            (EDGE, NodeKind::Gateway, Meshed::Sidecar),
            (PRODUCT, NodeKind::Workload, Meshed::Sidecar),
            (
                "workload//user-service/user-service-v1",
                NodeKind::Workload,
                Meshed::Sidecar
            ),
            (
                "workload//user-service/user-service-v2",
                NodeKind::Workload,
                Meshed::Sidecar
            ),
        ]
    );
    let v2 = node(&graph, "workload//user-service/user-service-v2");
    assert_eq!(
        (&*v2.app, &*v2.version, &*v2.cluster, v2.pods),
        ("user-service", "v2", "home", Some((1, 1)))
    );
    assert_eq!(v2.services, ["user-service".into()]);
    let candidates: Vec<&str> = node(&graph, "unknown///")
        .candidates
        .iter()
        .map(|name| &**name)
        .collect();
    assert_eq!(
        candidates,
        ["default/batch", "frontend/frontend"],
        "Nginx leads to the gateway, not to product-service"
    );
    let ingress = edge(&graph, NGINX, EDGE);
    assert_eq!(
        (ingress.origin, ingress.rate, ingress.health),
        (Origin::IngressObject, None, EdgeHealth::Idle)
    );
    assert_eq!(edge(&graph, "unknown///", PRODUCT).mtls_share, Some(0.0));
    let to_v2 = edge(&graph, SPRING, "workload//user-service/user-service-v2");
    assert_eq!(
        (to_v2.error_share, to_v2.mtls_share, to_v2.health),
        (Some(0.1), Some(1.0), EdgeHealth::Failing)
    );
    assert!(
        to_v2.by_source && to_v2.by_destination && to_v2.whys.is_empty(),
        "{to_v2:?}"
    );
}

#[test]
fn reporters_stand_side_by_side_and_services_add_up() {
    let graph = all(vec![
        (
            through("n/one", key("n/a", "n/b")),
            Flow {
                average_ms: Some(20.0),
                ..flow(3.0, 0.0)
            },
        ),
        (
            through("m/two", key("n/a", "n/b")),
            Flow {
                average_ms: Some(60.0),
                ..flow(1.0, 0.0)
            },
        ),
        (
            through("n/one", seen_by_target("n/a", "n/b")),
            Flow {
                mtls: 2.5,
                ..flow(5.0, 1.0)
            },
        ),
    ]);
    let edge = edge(&graph, "workload//n/a", "workload//n/b");
    assert_eq!(
        (edge.rate, edge.error_share, edge.attempt_error_share),
        (Some(4.0), Some(0.0), Some(0.2))
    );
    assert_eq!(
        (edge.average_ms, edge.mtls_share, edge.health),
        (Some(30.0), Some(0.5), EdgeHealth::Good)
    );
    assert_eq!(
        node(&graph, "workload//n/b").services,
        ["one".into(), "two.m".into()]
    );
}

#[test]
fn where_the_caller_is_silent_the_called_side_speaks() {
    let flows = vec![
        (key("n/a", "n/b"), flow(0.0, 0.0)),
        (
            seen_by_target("n/a", "n/b"),
            Flow {
                mtls: 2.0,
                ..flow(2.0, 0.01)
            },
        ),
    ];
    let sidecars = objects(["a", "b"].map(|name| pod("n", name, 0, "sidecar", json!({}))));
    let graph = of(&sidecars, flows, &Scope::all());
    let edge = edge(&graph, "workload//n/a", "workload//n/b");
    assert_eq!(
        (edge.rate, edge.error_share, edge.health),
        (Some(2.0), Some(0.005), EdgeHealth::Degraded)
    );
    assert_eq!((edge.by_source, edge.by_destination), (false, true));
    assert_eq!(
        edge.whys,
        [Why::OneReporter {
            missing: "source".into()
        }]
    );
}

#[test]
fn what_stands_in_a_workloads_place() {
    let graph = all(vec![
        (through("n/gone", key("n/a", "")), flow(1.0, 1.0)),
        (through("/PassthroughCluster", key("n/a", "")), flow(1.0, 0.0)),
        (through("/BlackHoleCluster", key("n/a", "")), flow(1.0, 1.0)),
        (key("n/a", ""), flow(1.0, 1.0)),
        (seen_by_target("", "n/a"), flow(1.0, 0.0)),
        (key("n/a", "istio-system/istio-egressgateway"), flow(1.0, 0.0)),
    ]);
    let kinds: Vec<(&str, NodeKind, &str)> = graph
        .nodes
        .iter()
        .map(|node| (&*node.id, node.kind, &*node.workload))
        .collect();
    assert_eq!(
        kinds,
        [
            (
                "outside///BlackHoleCluster",
                NodeKind::Outside,
                "BlackHoleCluster"
            ),
            (
                "outside///PassthroughCluster",
                NodeKind::Outside,
                "PassthroughCluster"
            ),
            ("service///", NodeKind::Service, ""),
            ("service//n/gone", NodeKind::Service, "gone"),
            ("unknown///", NodeKind::Unknown, ""),
            (
                "workload//istio-system/istio-egressgateway",
                NodeKind::Gateway,
                "istio-egressgateway"
            ),
            ("workload//n/a", NodeKind::Workload, "a"),
        ]
    );
}

#[test]
fn health_has_its_limits() {
    for (failed, expected) in [
        (0.0, EdgeHealth::Good),
        (0.0009, EdgeHealth::Good),
        (0.001, EdgeHealth::Degraded),
        (0.0499, EdgeHealth::Degraded),
        (0.05, EdgeHealth::Failing),
    ] {
        let graph = all(vec![(key("n/a", "n/b"), flow(1.0, failed))]);
        assert_eq!(graph.edges[0].health, expected, "{failed}");
    }
}

#[test]
fn ambient_is_not_judged_and_a_foreign_proxy_in_between_is_told() {
    let objects = objects([
        pod("n", "a", 0, "sidecar", json!({})),
        pod("n", "b", 0, "ambient", json!({})),
    ]);
    let flows = vec![
        (
            key("n/a", "n/b"),
            Flow {
                mtls: 1.0,
                ..flow(1.0, 0.0)
            },
        ),
        (seen_by_target("n/a", "n/b"), flow(1.0, 0.0)),
    ];
    let graph = of(&objects, flows, &Scope::all());
    assert_eq!(
        graph.edges[0].whys,
        [
            Why::NotJudged {
                what: "ambient".into()
            },
            Why::SecurityDisagrees
        ]
    );
}

#[test]
fn tcp_is_bytes_and_an_open_connection_is_not_idle() {
    let tcp = FlowKey {
        protocol: Protocol::Tcp,
        ..key("n/a", "n/db")
    };
    let bytes = Flow {
        sent: 100.0,
        received: 23.45,
        ..Flow::default()
    };
    let graph = all(vec![(tcp, bytes), (key("n/a", "n/db"), flow(1.0, 0.0))]);
    let rows: Vec<_> = graph
        .edges
        .iter()
        .map(|edge| (&*edge.protocol, edge.rate, edge.bytes_rate, edge.health))
        .collect();
    assert_eq!(
        rows,
        [
            ("http", Some(1.0), None, EdgeHealth::Good),
            ("tcp", Some(0.0), Some(123.0), EdgeHealth::Good)
        ]
    );
}

#[test]
fn an_edge_that_went_quiet_ages_out() {
    let objects = Objects::default();
    let memory = remember(
        &Memory::new(),
        &traffic([(key("n/a", "n/b"), flow(1.0, 0.0))]),
        now(),
        super::KEEP,
    );
    let quiet = traffic([
        (key("n/a", "n/b"), flow(0.0, 0.0)),
        (key("n/c", "n/d"), flow(0.0, 0.0)),
    ]);
    let drawn = graph(&known(&objects, &quiet, &memory), &Scope::all());
    assert_eq!(
        edges(&drawn),
        ["workload//n/a -> workload//n/b"],
        "nobody has seen c call d"
    );
    let edge = &drawn.edges[0];
    assert_eq!(
        (edge.rate, edge.health, edge.error_share),
        (Some(0.0), EdgeHealth::Idle, None)
    );
    assert_eq!(edge.last_seen, Some(now().as_millisecond()));
    assert_eq!(edge.whys, [Why::NoTraffic { window_s: 60 }]);
    let later = now() + super::KEEP + SignedDuration::from_secs(1);
    let memory = remember(&memory, &quiet, later, super::KEEP);
    assert!(
        graph(&known(&objects, &quiet, &memory), &Scope::all())
            .nodes
            .is_empty()
    );
}

#[test]
fn a_scope_sees_its_own_edges_whole_and_the_other_end_nameless() {
    let (manifests, flows) = guide();
    let objects = objects(manifests);
    let graph = of(&objects, flows.clone(), &only(&["user-service"]));
    assert_eq!(
        edges(&graph),
        [
            "elsewhere///callers -> workload//user-service/user-service-v1",
            "elsewhere///callers -> workload//user-service/user-service-v2",
        ]
    );
    let foreign = node(&graph, "elsewhere///callers");
    assert_eq!(foreign.kind, NodeKind::Elsewhere);
    let said = [
        &foreign.namespace,
        &foreign.workload,
        &foreign.app,
        &foreign.version,
        &foreign.cluster,
    ];
    assert!(said.iter().all(|text| text.is_empty()) && foreign.services.is_empty() && foreign.pods.is_none());
    assert_eq!(foreign.meshed, Meshed::Unknown);

    let graph = of(&objects, flows.clone(), &only(&["product-service"]));
    assert!(
        node(&graph, "unknown///").candidates.is_empty(),
        "batch and frontend are not this viewer's"
    );
    let graph = of(&objects, flows, &only(&["default"]));
    assert_eq!(
        edges(&graph),
        [
            "elsewhere///callers -> workload//default/sangsang-plus-gateway",
            "workload//default/sangsang-plus-gateway -> elsewhere///called",
        ]
    );
    let out = edge(&graph, SPRING, "elsewhere///called");
    assert_eq!(
        (out.rate, out.error_share),
        (Some(20.0), Some(0.0075)),
        "hidden ends are added into one"
    );
}

#[test]
fn nothing_of_a_hidden_namespace_crosses() {
    let (manifests, flows) = guide();
    let objects = objects(manifests);
    let (traffic, memory) = (traffic(flows), Memory::new());
    let known = known(&objects, &traffic, &memory);
    let layout = place(None, &graph(&known, &Scope::all()));
    for visible in [
        "user-service",
        "product-service",
        "frontend",
        "istio-system",
        "nowhere",
    ] {
        let scope = only(&[visible]);
        let drawn = topology(&known, &layout, &scope, Vec::new(), Version { epoch: 1, seq: 1 });
        let mut text = serde_json::to_string(&drawn).unwrap();
        text.push_str(&serde_json::to_string(&report(&known, &scope)).unwrap());
        for hidden in [
            "user-service",
            "product-service",
            "frontend",
            "istio-system",
            "sangsang",
            "nginx",
            "batch",
        ] {
            assert!(
                hidden == visible || !text.contains(hidden),
                "{visible} sees {hidden}: {text}"
            );
        }
    }
}

#[test]
fn the_layout_does_not_tell_how_much_is_hidden() {
    let (manifests, flows) = guide();
    let objects = objects(manifests);
    let (traffic, memory) = (traffic(flows), Memory::new());
    let known = known(&objects, &traffic, &memory);
    let layout = place(None, &graph(&known, &Scope::all()));
    let drawn = topology(
        &known,
        &layout,
        &only(&["product-service"]),
        Vec::new(),
        Version { epoch: 1, seq: 1 },
    );
    let places: Vec<(&str, f32, f32)> = drawn
        .nodes
        .iter()
        .map(|node| (&*node.id, node.x, node.y))
        .collect();
    let x = |column: f32| MARGIN + BOX_WIDTH / 2.0 + column * (BOX_WIDTH + GAP_X);
    let y = MARGIN + BOX_HEIGHT / 2.0;
    let expected = [
        ("elsewhere///callers", x(0.0), y),
        ("unknown///", x(1.0), y),
        (PRODUCT, x(2.0), y),
    ];
    assert_eq!(places, expected);
    let width = 2.0 * MARGIN + 3.0 * BOX_WIDTH + 2.0 * GAP_X;
    assert_eq!((drawn.width, drawn.height), (width, 2.0 * MARGIN + BOX_HEIGHT));
}

#[test]
fn a_node_keeps_its_id_when_prometheus_goes_away() {
    let (manifests, flows) = guide();
    let objects = objects(manifests);
    let with = of(&objects, flows, &Scope::all());
    let memory = Memory::new();
    let without = graph(
        &Known {
            objects: &objects,
            traffic: None,
            at: None,
            memory: &memory,
        },
        &Scope::all(),
    );
    assert!(!without.nodes.is_empty());
    for node in &without.nodes {
        assert!(with.nodes.iter().any(|other| other.id == node.id), "{}", node.id);
    }
}

#[test]
fn another_cluster_is_another_workload() {
    let mut foreign = key("n/a", "n/b");
    foreign.target.cluster = "east".into();
    let objects = objects([
        pod("n", "a", 0, "sidecar", json!({})),
        pod("n", "b", 0, "none", json!({})),
    ]);
    let graph = of(
        &objects,
        vec![(foreign, flow(1.0, 0.0)), (key("n/a", "n/b"), flow(1.0, 0.0))],
        &Scope::all(),
    );
    let b = node(&graph, "workload/east/n/b");
    assert_eq!((&*b.cluster, b.meshed, b.pods), ("east", Meshed::Unknown, None));
    assert_eq!(node(&graph, "workload//n/b").meshed, Meshed::No);
}

#[test]
fn pods_that_cannot_be_read_are_unknown_not_none() {
    let mut objects = objects([]);
    let flows = vec![(key("n/a", "n/b"), flow(1.0, 0.0))];
    assert_eq!(
        of(&objects, flows.clone(), &Scope::all()).nodes[0].pods,
        Some((0, 0))
    );
    objects.kinds.clear();
    assert_eq!(of(&objects, flows, &Scope::all()).nodes[0].pods, None);
}

#[test]
fn of_too_many_quiet_workloads_those_that_take_part_are_drawn() {
    let many = (0..501).flat_map(|i| {
        let (namespace, proxy) = if i == 500 { ("z", "sidecar") } else { ("a", "none") };
        let name = format!("w{i:03}");
        [
            pod(namespace, &name, 0, proxy, json!({"app": name})),
            json!({"kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": {"selector": {"app": name}}}),
        ]
    });
    let graph = of(&objects(many), Vec::new(), &Scope::all());
    assert_eq!((graph.nodes.len(), graph.quiet_left_out), (500, 1));
    assert_eq!(&*node(&graph, "workload//z/w500").workload, "w500");
}

#[test]
fn the_report_has_one_row_for_each_reporter() {
    let (manifests, flows) = guide();
    let objects = objects(manifests);
    let (traffic, memory) = (traffic(flows), Memory::new());
    let report = report(&known(&objects, &traffic, &memory), &Scope::all());
    let rows: Vec<_> = report
        .edges
        .iter()
        .filter(|row| &*row.target == PRODUCT || &*row.source == NGINX)
        .map(|row| (&*row.source, row.reporter, row.rate, row.mtls_share))
        .collect();
    assert_eq!(
        rows,
        [
            ("unknown///", "destination", Some(0.5), Some(0.0)),
            (SPRING, "destination", Some(10.0), Some(1.0)),
            (SPRING, "source", Some(10.0), None),
            (NGINX, "ingress", None, None),
        ]
    );
    let text = serde_json::to_string(&report).unwrap();
    assert!(
        text.starts_with(
            r#"{"window_s":60,"at":1800000000000,"nodes":[{"id":"unknown///","kind":"unknown","cluster":"""#
        ),
        "{text}"
    );
}

#[test]
fn nothing_gives_nothing() {
    let memory = Memory::new();
    let objects = Objects::default();
    let known = Known {
        objects: &objects,
        traffic: None,
        at: None,
        memory: &memory,
    };
    let layout = place(None, &graph(&known, &Scope::all()));
    let drawn: Topology = topology(
        &known,
        &layout,
        &Scope::all(),
        Vec::new(),
        Version { epoch: 1, seq: 1 },
    );
    assert_eq!(
        (drawn.nodes.len(), drawn.edges.len(), drawn.width, drawn.height),
        (0, 0, 2.0 * MARGIN, 2.0 * MARGIN)
    );
}

proptest! {
    #[test]
    fn two_readers_of_the_same_data_see_the_same_bytes(
        (manifests, flows) in Just(guide()).prop_flat_map(|(manifests, flows)| {
            (Just(manifests).prop_shuffle(), Just(flows).prop_shuffle())
        })
    ) {
        let bytes = |manifests, flows| {
            let objects = objects(manifests);
            let (traffic, memory) = (traffic(flows), Memory::new());
            let known = known(&objects, &traffic, &memory);
            let layout = place(None, &graph(&known, &Scope::all()));
            let drawn = topology(&known, &layout, &Scope::all(), Vec::new(), Version { epoch: 1, seq: 1 });
            serde_json::to_string(&(drawn, report(&known, &Scope::all()))).unwrap()
        };
        let (first, second) = guide();
        prop_assert_eq!(bytes(manifests, flows), bytes(first, second));
    }
}
