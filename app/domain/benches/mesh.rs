//! What the mesh model's two questions cost: `cargo bench -p naru-domain --bench mesh`.

use divan::{AllocProfiler, Bencher};
use naru_domain::{
    fact::{Fact, Labels},
    mesh::{Mesh, Proxy, authz, route},
    object::Kind,
    snapshot::Objects,
};
use serde_json::{Value, json};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const SERVICES: [usize; 4] = [10, 100, 1_000, 2_000];
const RULES: [usize; 3] = [1, 10, 100];

fn put(objects: &mut Objects, kind: Kind, namespace: &str, name: &str, spec: &Value) {
    let json = json!({"metadata": {"namespace": namespace, "name": name, "creationTimestamp": "2026-11-22T00:00:00Z"}, "spec": spec});
    objects.put(Fact::read(kind, json).expect("it is well formed"));
}

/// Services in namespaces of ten. The first has a VirtualService of as many rules, each for a path of its own, and as many
/// AuthorizationPolicies, each for a caller of its own; every tenth has two subsets and weights.
fn mesh(services: usize, rules: usize, policies: usize) -> Objects {
    let mut objects = Objects::all_known();
    for i in 0..services {
        let (namespace, name) = (format!("team-{:03}", i / 10), format!("service-{i:04}"));
        let ports = json!([{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]);
        let spec = json!({"type": "ClusterIP", "clusterIP": format!("10.1.{}.{}", i / 250, i % 250 + 1),
            "selector": {"app": name}, "ports": ports});
        put(&mut objects, Kind::Service, &namespace, &name, &spec);
        if i % 10 == 0 {
            let subset = |version: &str| json!({"name": version, "labels": {"version": version}});
            let to = |subset: &str, weight: u32| json!({"destination": {"host": name, "subset": subset}, "weight": weight});
            let spec = json!({"host": name, "subsets": [subset("v1"), subset("v2")]});
            put(&mut objects, Kind::DestinationRule, &namespace, &name, &spec);
            let last = json!({"route": [to("v1", 90), to("v2", 10)]});
            let path = |n: usize| json!({"match": [{"uri": {"prefix": format!("/path-{n}/")}}], "route": [to("v1", 100)]});
            let before = if i == 0 { rules - 1 } else { 0 };
            let http: Vec<Value> = (0..before).map(path).chain([last]).collect();
            put(
                &mut objects,
                Kind::VirtualService,
                &namespace,
                &name,
                &json!({"hosts": [name], "http": http}),
            );
        }
    }
    for n in 0..policies {
        let caller = format!("cluster.local/ns/team-{n:03}/sa/caller");
        let spec = json!({"selector": {"matchLabels": {"app": "service-0000"}}, "action": "ALLOW",
            "rules": [{"from": [{"source": {"principals": [caller]}}], "to": [{"operation": {"methods": ["GET"], "paths": ["/*"]}}]}]});
        put(
            &mut objects,
            Kind::AuthorizationPolicy,
            "team-000",
            &format!("policy-{n:03}"),
            &spec,
        );
    }
    objects
}

fn caller() -> Proxy {
    Proxy::sidecar("team-000", Labels::from([("app".into(), "caller".into())]))
}

/// The last rule decides.
fn request() -> route::Request {
    route::Request::get("service-0000.team-000.svc.cluster.local", 80)
}

fn ask_anew(bencher: Bencher<'_, '_>, objects: &Objects) {
    let (mesh, proxy, request) = (Mesh::of(objects), caller(), request());
    let chosen = route::choose(&mesh, &proxy, &request);
    assert!(matches!(chosen.outcome, route::Outcome::Sent(_)), "{chosen:?}");
    bencher.bench_local(|| route::choose(&mesh, &proxy, &request));
}

fn ask_a_table(bencher: Bencher<'_, '_>, objects: &Objects) {
    let (mesh, proxy, request) = (Mesh::of(objects), caller(), request());
    let table = route::Table::of(&mesh, &proxy);
    table.choose(&request);
    bencher.bench_local(|| table.choose(&request));
}

#[divan::bench(args = SERVICES)]
fn choose_anew_by_services(bencher: Bencher<'_, '_>, services: usize) {
    ask_anew(bencher, &mesh(services, 1, 0));
}

#[divan::bench(args = RULES)]
fn choose_anew_by_rules(bencher: Bencher<'_, '_>, rules: usize) {
    ask_anew(bencher, &mesh(100, rules, 0));
}

#[divan::bench(args = SERVICES)]
fn choose_from_a_table_by_services(bencher: Bencher<'_, '_>, services: usize) {
    ask_a_table(bencher, &mesh(services, 1, 0));
}

#[divan::bench(args = RULES)]
fn choose_from_a_table_by_rules(bencher: Bencher<'_, '_>, rules: usize) {
    ask_a_table(bencher, &mesh(100, rules, 0));
}

/// What is read once for all questions of one state of the objects.
#[divan::bench(args = SERVICES)]
fn mesh_of(bencher: Bencher<'_, '_>, services: usize) {
    let objects = mesh(services, 1, 0);
    bencher.bench_local(|| Mesh::of(&objects));
}

/// Only the last of the policies lets the caller in.
#[divan::bench(args = RULES)]
fn decide_by_policies(bencher: Bencher<'_, '_>, policies: usize) {
    decide(bencher, &mesh(10, 1, policies), policies);
}

#[divan::bench(args = SERVICES)]
fn decide_by_services(bencher: Bencher<'_, '_>, services: usize) {
    decide(bencher, &mesh(services, 1, 10), 10);
}

fn decide(bencher: Bencher<'_, '_>, objects: &Objects, policies: usize) {
    let mesh = Mesh::of(objects);
    let called = Proxy::sidecar("team-000", Labels::from([("app".into(), "service-0000".into())]));
    let principal = format!("cluster.local/ns/team-{:03}/sa/caller", policies - 1);
    let request = authz::Request::get("service-0000", 8080).from(&principal);
    assert_eq!(
        authz::decide(&mesh, &called, &request).verdict,
        authz::Verdict::Allow
    );
    bencher.bench_local(|| authz::decide(&mesh, &called, &request));
}
