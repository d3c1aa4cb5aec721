use super::{HEADERS, Part, URL, place, request, url_at_gateway, url_of};
use crate::{
    example,
    fact::Fact,
    mesh::route::Protocol,
    object::{Kind, Object},
};
use proptest::prelude::*;
use serde_json::json;

#[test]
fn a_url_is_taken_apart_as_a_client_would() {
    for (url, host, port, path, protocol) in [
        ("http://a.b", "a.b", 80, "/", Protocol::Http),
        ("http://a.b:80/x", "a.b", 80, "/x", Protocol::Http),
        (
            "http://A.b:8080/x?y=1#z",
            "a.b:8080",
            8080,
            "/x?y=1",
            Protocol::Http,
        ),
        ("https://a.b/x/../y", "a.b", 443, "/y", Protocol::Https),
        (" https://[::1]:8443/ ", "[::1]:8443", 8443, "/", Protocol::Https),
        (
            "http://a/한글 x",
            "a",
            80,
            "/%ED%95%9C%EA%B8%80%20x",
            Protocol::Http,
        ),
    ] {
        let asked = request("get", url, []).unwrap();
        assert_eq!(
            (
                &*asked.host,
                asked.port,
                &*asked.path,
                asked.protocol,
                &*asked.method
            ),
            (host, port, path, protocol, "GET"),
            "{url}"
        );
    }
    assert_eq!(&*request("GET", "https://a.b:1/", []).unwrap().sni, "a.b");
    assert_eq!(&*request("GET", "http://a.b:1/", []).unwrap().sni, "");
}

#[test]
fn another_host_header_is_asked_for_and_repeated_headers_are_joined() {
    let headers = [("X-A", " 1 "), ("host", "other"), ("x-a", "2")];
    let asked = request("GET", "http://a:8080/", headers).unwrap();
    assert_eq!((&*asked.host, asked.port), ("other", 8080));
    assert_eq!(asked.headers.len(), 1);
    assert_eq!(&*asked.headers["x-a"], "1,2");
}

/// Method, URL, headers, and the part that is refused.
type Case<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>, Part);

#[test]
fn what_is_not_a_request_is_refused_by_its_part_and_not_repeated() {
    let long = format!("http://a/{}", "x".repeat(URL - 8));
    let many = vec![("a", "b"); HEADERS + 1];
    let wide = "v".repeat(4_097);
    let name = "n".repeat(129);
    let cases: [Case<'_>; 17] = [
        ("", "http://a/", vec![], Part::Method),
        ("G E T", "http://a/", vec![], Part::Method),
        ("GÉT", "http://a/", vec![], Part::Method),
        (&wide, "http://a/", vec![], Part::Method),
        ("GET", "", vec![], Part::Url),
        ("GET", "users", vec![], Part::Url),
        ("GET", "ftp://users/", vec![], Part::Url),
        ("GET", "data:,x", vec![], Part::Url),
        ("GET", "http://", vec![], Part::Url),
        ("GET", "http://a:99999/", vec![], Part::Url),
        ("GET", "http://a/\u{0}", vec![], Part::Url),
        ("GET", "http://a/x\ny", vec![], Part::Url),
        ("GET", &long, vec![], Part::Url),
        ("GET", "http://a/", many, Part::Headers),
        ("GET", "http://a/", vec![("a b", "c")], Part::Headers),
        ("GET", "http://a/", vec![("a", "b\r\nc: d")], Part::Headers),
        ("GET", "http://a/", vec![("a", &wide)], Part::Headers),
    ];
    for (method, url, headers, part) in cases {
        let odd = request(method, url, headers).unwrap_err();
        assert_eq!(odd.part, part, "{url}: {odd}");
        assert!(odd.detail.len() < 100);
    }
    for headers in [vec![("", "c")], vec![(&*name, "c")], vec![(":authority", "c")]] {
        assert_eq!(
            request("GET", "http://a/", headers).unwrap_err().part,
            Part::Headers
        );
    }
}

#[test]
fn what_is_just_within_bounds_is_taken() {
    let url = format!("http://a/{}", "x".repeat(URL - 9));
    assert_eq!(url.len(), URL);
    let value = "v".repeat(4_096);
    let name = "n".repeat(128);
    let method = "M".repeat(32);
    let headers = vec![(&*name, &*value); HEADERS];
    assert!(request(&method, &url, headers).is_ok());
    assert!(request("GET", "http://a/", [("a", "b\tc")]).is_ok());
}

#[test]
fn a_workload_is_a_namespace_and_a_name() {
    assert_eq!(place(" default/web "), Some(("default".into(), "web".into())));
    let long = format!("default/{}", "x".repeat(254));
    for nonsense in [
        "", "/", "a", "a/", "/b", "a/b/c", "a/b c", "a/\u{0}", "<a>/b", &long,
    ] {
        assert_eq!(place(nonsense), None, "{nonsense:?}");
    }
}

#[test]
fn a_workload_is_called_by_the_service_in_front_of_it_at_a_port_that_reads_http() {
    let mut objects = example::objects();
    let to = |name: &str| ("user-service".into(), name.into());
    let url = Some("http://user-service.user-service/".to_owned());
    assert_eq!(url_of(&objects, &to("user-service-v2")), url);
    assert_eq!(url_of(&objects, &to("user-service")), url, "by its own name");
    assert_eq!(url_of(&objects, &to("nobody")), None);
    for (ports, url) in [
        (json!([{"name": "tcp", "port": 5432}]), None),
        (json!([]), None),
        (
            json!([{"name": "tcp", "port": 5432}, {"name": "http", "port": 8080}, {"name": "http-b", "port": 9}]),
            Some("http://user-service.user-service:8080/"),
        ),
        (
            json!([{"name": "http-a", "port": 8080}, {"name": "http", "port": 80}]),
            Some("http://user-service.user-service/"),
        ),
    ] {
        let service = json!({"metadata": {"name": "user-service", "namespace": "user-service"},
            "spec": {"selector": {"app": "user-service"}, "ports": ports}});
        objects.put(Fact::read(Kind::Service, service).unwrap());
        assert_eq!(url_of(&objects, &to("user-service-v1")).as_deref(), url);
    }
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(method in ".{0,8}", url in ".{0,40}", tail in ".{0,40}", name in ".{0,8}", value in ".{0,8}") {
        let _ = request(&method, &url, [(&*name, &*value)]);
        let _ = request("GET", &format!("http://{tail}"), [(&*name, &*value)]);
        let _ = place(&url);
    }
}

#[test]
fn a_gateway_is_asked_by_a_name_that_it_serves() {
    let to = ("user-service".into(), "user-service-v1".into());
    let everything = |_: &str| true;
    let mut objects = example::objects();
    assert_eq!(
        url_at_gateway(&objects, &to, everything),
        None,
        "of the mesh alone"
    );
    let mut put = |kind, name: &str, spec| {
        let json = json!({"metadata": {"name": name, "namespace": "edge"}, "spec": spec});
        objects.put(Fact::Object(Object::new(kind, json).unwrap()));
    };
    put(
        Kind::Gateway,
        "front",
        json!({"selector": {"istio": "x"}, "servers": [
            {"port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "hosts": ["*"], "tls": {"mode": "SIMPLE"}},
            {"port": {"number": 8080, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]}),
    );
    put(
        Kind::VirtualService,
        "users",
        json!({"hosts": ["*.example.com", "users.example.com"], "gateways": ["front"],
            "http": [{"route": [{"destination": {"host": "user-service.user-service.svc.cluster.local"}}]}]}),
    );
    let url = Some("http://users.example.com:8080/".to_owned());
    assert_eq!(url_at_gateway(&objects, &to, everything), url);
    let nobody = ("user-service".into(), "nobody".into());
    assert_eq!(url_at_gateway(&objects, &nobody, everything), None);
    assert_eq!(
        url_at_gateway(&objects, &to, |namespace| namespace != "edge"),
        None
    );
}
