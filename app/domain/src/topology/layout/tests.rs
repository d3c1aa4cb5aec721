//! Layers, order, and that both stay as they are.

use super::{Layout, place};
use crate::{
    actor::Scope,
    snapshot::Objects,
    topology::{
        Graph, Known, Memory, graph,
        system::{flow, guide, key, known, objects, traffic},
    },
};
use naru_view::topology::{BOX_HEIGHT, BOX_WIDTH, GAP_X, GAP_Y, MARGIN, NodeKind};
use proptest::prelude::{Strategy, prop, prop_assert, prop_assert_eq, prop_assume, proptest};

/// A graph of edges between `namespace/workload`; an empty source is the unknown caller.
fn drawn(edges: &[(&str, &str)]) -> Graph {
    let objects = Objects::default();
    let traffic = traffic(
        edges
            .iter()
            .map(|(source, target)| (key(source, target), flow(1.0, 0.0))),
    );
    graph(&known(&objects, &traffic, &Memory::new()), &Scope::all())
}

fn layers(graph: &Graph) -> Vec<(String, u32)> {
    let layout = place(None, graph);
    let layer = |id: &str| layout.place(id).unwrap().layer;
    graph
        .nodes
        .iter()
        .map(|node| (node.workload.to_string(), layer(&node.id)))
        .collect()
}

fn named(layers: &[(&str, u32)]) -> Vec<(String, u32)> {
    layers
        .iter()
        .map(|(name, layer)| ((*name).to_owned(), *layer))
        .collect()
}

fn line(layout: &Layout, layer: u32) -> Vec<String> {
    let mut line: Vec<(u32, String)> = layout
        .places
        .iter()
        .filter(|(_, place)| place.layer == layer)
        .map(|(id, place)| (place.slot, id.trim_start_matches("workload//").to_owned()))
        .collect();
    line.sort();
    line.into_iter().map(|(_, id)| id).collect()
}

#[test]
fn callers_stand_left_of_what_they_call() {
    let chain = drawn(&[("n/a", "n/b"), ("n/b", "n/c"), ("n/a", "n/c")]);
    assert_eq!(layers(&chain), named(&[("a", 0), ("b", 1), ("c", 2)]));
    let late = drawn(&[("n/a", "n/b"), ("n/b", "n/c"), ("n/z", "n/c"), ("", "n/c")]);
    let expected = named(&[("", 1), ("a", 0), ("b", 1), ("c", 2), ("z", 1)]);
    assert_eq!(
        layers(&late),
        expected,
        "z and the unknown caller stand right before c"
    );
}

#[test]
fn cycles_and_self_calls_are_cut_in_order_of_ids() {
    assert_eq!(layers(&drawn(&[("n/a", "n/a")])), named(&[("a", 0)]));
    assert_eq!(
        layers(&drawn(&[("n/b", "n/a"), ("n/a", "n/b")])),
        named(&[("a", 0), ("b", 1)])
    );
    let ring = drawn(&[("n/in", "n/b"), ("n/b", "n/c"), ("n/c", "n/a"), ("n/a", "n/b")]);
    assert_eq!(layers(&ring), named(&[("a", 3), ("b", 1), ("c", 2), ("in", 0)]));
}

#[test]
fn gateways_stay_at_the_left_though_the_mesh_calls_back() {
    let edge = "istio-system/istio-ingressgateway";
    let mut graph = drawn(&[(edge, "n/web"), ("n/web", "n/auth"), ("n/auth", edge)]);
    let gateway = graph
        .nodes
        .iter_mut()
        .find(|node| &*node.workload == "istio-ingressgateway")
        .unwrap();
    gateway.kind = NodeKind::Gateway;
    assert_eq!(
        layers(&graph),
        named(&[("istio-ingressgateway", 0), ("auth", 2), ("web", 1)])
    );
    let egress = drawn(&[
        ("n/web", "n/auth"),
        ("n/auth", "istio-system/istio-egressgateway"),
    ]);
    assert_eq!(
        layers(&egress),
        named(&[("istio-egressgateway", 2), ("auth", 1), ("web", 0)])
    );
}

#[test]
fn the_guides_system_runs_from_left_to_right_and_the_silent_stand_apart() {
    let (manifests, flows) = guide();
    let objects = objects(manifests);
    let (traffic, memory) = (traffic(flows), Memory::new());
    let known = Known {
        objects: &objects,
        traffic: Some(&traffic),
        at: None,
        memory: &memory,
    };
    let layout = place(None, &graph(&known, &Scope::all()));
    let lines: Vec<Vec<String>> = (0..5).map(|layer| line(&layout, layer)).collect();
    assert_eq!(
        lines,
        [
            vec!["ingress-nginx/ingress-nginx-controller"],
            vec!["istio-system/istio-ingressgateway"],
            vec!["unknown///", "default/sangsang-plus-gateway"],
            vec![
                "product-service/product-service",
                "user-service/user-service-v1",
                "user-service/user-service-v2"
            ],
            vec!["frontend/frontend"],
        ]
    );
}

#[test]
fn namespaces_stand_together_and_fewer_edges_cross() {
    let edges = [("a/1", "y/1"), ("a/1", "x/1"), ("b/2", "y/2"), ("b/2", "w/9")];
    let layout = place(None, &drawn(&edges));
    assert_eq!(line(&layout, 0), ["a/1", "b/2"]);
    assert_eq!(line(&layout, 1), ["x/1", "y/1", "y/2", "w/9"]);
}

#[test]
fn a_new_node_appears_beside_its_namespace_and_the_others_keep_their_order() {
    let edges = [("n/in", "x/1"), ("n/in", "y/1"), ("n/in", "z/1")];
    let before = place(None, &drawn(&edges));
    let mut more = edges.to_vec();
    more.push(("n/in", "y/0"));
    let after = place(Some(&before), &drawn(&more));
    let line = line(&after, 1);
    let at = |id: &str| line.iter().position(|other| other == id).unwrap();
    assert!(
        at("x/1") < at("y/1") && at("y/1") < at("z/1") && at("y/0").abs_diff(at("y/1")) == 1,
        "{line:?}"
    );
}

#[test]
fn rates_alone_move_nothing() {
    let layout = place(None, &drawn(&[("n/a", "n/b"), ("n/a", "n/c")]));
    let objects = Objects::default();
    let faster = traffic([
        (key("n/a", "n/b"), flow(900.0, 90.0)),
        (key("n/a", "n/c"), flow(0.1, 0.0)),
    ]);
    let memory = Memory::new();
    assert_eq!(
        place(
            Some(&layout),
            &graph(&known(&objects, &faster, &memory), &Scope::all())
        ),
        layout
    );
}

#[test]
fn a_long_column_is_broken_into_several() {
    let names: Vec<String> = (0..90).map(|i| format!("n/w{i:02}")).collect();
    let edges: Vec<(&str, &str)> = names.iter().map(|name| ("n/in", name.as_str())).collect();
    let mut graph = drawn(&edges);
    let (width, height) = place(None, &graph).draw(&mut graph.nodes);
    let expected = 2.0 * MARGIN + 4.0 * BOX_WIDTH + 3.0 * GAP_X;
    assert_eq!(
        (width, height),
        (expected, 2.0 * MARGIN + 40.0 * BOX_HEIGHT + 39.0 * GAP_Y)
    );
}

type Pairs = Vec<(u8, u8)>;

fn pairs(nodes: u8) -> impl Strategy<Value = Pairs> {
    prop::collection::vec((0..nodes, 0..nodes), 1..40)
}

fn of(pairs: &Pairs) -> Graph {
    let name = |i: u8| format!("ns{}/w{i:02}", i % 3);
    let names: Vec<(String, String)> = pairs.iter().map(|(a, b)| (name(*a), name(*b))).collect();
    let edges: Vec<(&str, &str)> = names.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    drawn(&edges)
}

proptest! {
    #[test]
    fn every_node_has_a_place_of_its_own(pairs in pairs(24)) {
        let mut graph = of(&pairs);
        let layout = place(None, &graph);
        let (width, height) = layout.draw(&mut graph.nodes);
        let mut centres: Vec<(u32, u32)> = graph.nodes.iter().map(|n| (n.x as u32, n.y as u32)).collect();
        centres.sort_unstable();
        centres.dedup();
        prop_assert_eq!(centres.len(), graph.nodes.len());
        prop_assert!(graph.nodes.iter().all(|n| n.x > 0.0 && n.x < width && n.y > 0.0 && n.y < height));
    }

    #[test]
    fn without_cycles_every_edge_leads_right(pairs in pairs(24)) {
        let downwards: Pairs = pairs.into_iter().filter(|(a, b)| a < b).collect();
        let graph = of(&downwards);
        let layout = place(None, &graph);
        for edge in &graph.edges {
            let layer = |i: u32| layout.place(&graph.nodes[i as usize].id).unwrap().layer;
            prop_assert!(layer(edge.source) < layer(edge.target));
        }
    }

    /// What the documentation of `place` promises, over any change of edges that leaves half of the nodes.
    #[test]
    fn those_that_stood_in_one_layer_keep_their_order(first in pairs(16), second in pairs(16)) {
        let (one, two) = (of(&first), of(&second));
        let stayed = two.nodes.iter().filter(|node| one.nodes.iter().any(|other| other.id == node.id)).count();
        prop_assume!(stayed * 2 >= two.nodes.len());
        let before = place(None, &one);
        let after = place(Some(&before), &two);
        for (a, pa) in &before.places {
            for (b, pb) in &before.places {
                let (Some(qa), Some(qb)) = (after.place(a), after.place(b)) else { continue };
                if pa.layer == pb.layer && pa.slot < pb.slot && qa.layer == qb.layer {
                    prop_assert!(qa.slot < qb.slot, "{a} and {b}: {before:?} {after:?}");
                }
            }
        }
        prop_assert_eq!(after.places.len(), two.nodes.len());
    }

    #[test]
    fn the_same_structure_is_the_same_layout(pairs in pairs(16)) {
        let graph = of(&pairs);
        let layout = place(None, &graph);
        prop_assert_eq!(place(Some(&layout), &graph), layout);
    }
}
