use crate::{
    Why,
    judge::testing::{codes, judged, judged_running},
};

const SERVICES: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: users, namespace: users}\nspec: {ports: [{name: http, port: 80}]}\n---\n\
    apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\nspec: {ports: [{name: http, port: 80}, {name: more, port: 81}]}\n---\n\
    apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: default}\nspec: {selector: {a: b}, servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ['*']}]}\n";

fn route(hosts: &str, gateways: &str, http: &str) -> String {
    format!(
        "{SERVICES}---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: r, namespace: default}}\nspec: {{hosts: [{hosts}], gateways: [{gateways}], http: {http}}}\n"
    )
}

fn found(http: &str) -> Vec<&'static str> {
    codes(&judged("destination_resolves", &route("web", "mesh", http)))
}

#[test]
fn a_short_name_means_the_rules_own_namespace() {
    assert_eq!(found("[{route: [{destination: {host: users}}]}]"), ["destination-elsewhere"]);
    assert!(found("[{route: [{destination: {host: web}}]}]").is_empty());
    assert!(found("[{route: [{destination: {host: users.users.svc.cluster.local}}]}]").is_empty());
}

#[test]
fn what_names_nothing_is_told_and_only_where_requests_go_there() {
    assert_eq!(found("[{route: [{destination: {host: nobody}}]}]"), ["destination-absent"]);
    let idle = "[{route: [{destination: {host: web}, weight: 100}, {destination: {host: nobody}, weight: 0}]}]";
    assert_eq!(found(idle), ["destination-absent-idle"]);
    assert_eq!(
        found("[{mirror: {host: nobody}, route: [{destination: {host: web}}]}]"),
        ["destination-absent-idle"]
    );
}

#[test]
fn files_may_leave_a_whole_namespace_out_and_a_cluster_may_not() {
    let yaml = route("web", "mesh", "[{route: [{destination: {host: x.far.svc.cluster.local}}]}]");
    let files = judged("destination_resolves", &yaml);
    assert!(files.findings.is_empty());
    assert_eq!(files.unknown, [Why::NeedsCluster]);
    assert_eq!(codes(&judged_running("destination_resolves", &yaml)), ["destination-absent"]);
}

#[test]
fn the_port_must_be_the_services() {
    assert_eq!(
        found("[{route: [{destination: {host: web, port: {number: 8080}}}]}]"),
        ["destination-port-absent"]
    );
    assert!(found("[{route: [{destination: {host: web, port: {number: 81}}}]}]").is_empty());
}

#[test]
fn at_a_gateway_a_service_of_several_ports_needs_one_named() {
    let at = |http: &str| codes(&judged("destination_resolves", &route("a.example", "g", http)));
    assert_eq!(at("[{route: [{destination: {host: web}}]}]"), ["destination-port-unsaid"]);
    assert!(at("[{route: [{destination: {host: web, port: {number: 80}}}]}]").is_empty());
    assert!(found("[{route: [{destination: {host: web}}]}]").is_empty());
}

#[test]
fn a_rules_own_host_is_read_so_too() {
    let hosts = |hosts: &str| {
        let yaml = route(hosts, "mesh", "[{route: [{destination: {host: web}}]}]");
        codes(&judged("destination_resolves", &yaml))
    };
    assert_eq!(hosts("users"), ["route-host-elsewhere"]);
    assert!(hosts("users.users.svc.cluster.local").is_empty());
}

#[test]
fn http_routes_are_judged_by_their_backends() {
    let http_route = |backend: &str| {
        let yaml = format!(
            "{SERVICES}---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: h, namespace: default}}\n\
             spec: {{parentRefs: [{{kind: Service, group: '', name: web}}], rules: [{{backendRefs: [{{name: {backend}, port: 80}}]}}]}}\n"
        );
        codes(&judged("destination_resolves", &yaml))
    };
    assert!(http_route("web").is_empty());
    assert_eq!(http_route("gone"), ["destination-absent"]);
}
