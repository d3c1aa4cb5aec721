//! What a real Prometheus would read.

mod page;

use jiff::{SignedDuration, Timestamp};
use naru_domain::traffic::{FlowKey, Party, Protocol, Reporter, ServiceId};
use naru_rehearsal::{
    ManualClock, Rehearsal, Settings, scenario,
    traffic::{CONTENT_TYPE, Count, Line, SimulatedMetrics},
};
use page::{Page, Series};
use std::{collections::BTreeMap, sync::Arc};

const REQUESTS: &str = "istio_requests_total";
const DURATION: &str = "istio_request_duration_milliseconds";
const OPENED: &str = "istio_tcp_connections_opened_total";

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(
        "2026-11-23T02:13:00Z".parse::<Timestamp>().unwrap(),
    ))
}

fn by_hand() -> SimulatedMetrics {
    SimulatedMetrics::by_hand(clock())
}

fn party(namespace: &str, workload: &str, version: &str) -> Party {
    Party {
        cluster: "Kubernetes".into(),
        namespace: namespace.into(),
        workload: workload.into(),
        app: workload.into(),
        version: version.into(),
    }
}

fn line(reporter: Reporter, protocol: Protocol, code: &str, flags: &str) -> Line {
    Line {
        flow: FlowKey {
            source: party("shop", "web", "latest"),
            target: party("stock", "stock", "v2"),
            service: ServiceId {
                namespace: "stock".into(),
                name: "stock".into(),
            },
            reporter,
            protocol,
        },
        mtls: reporter == Reporter::Destination,
        code: code.into(),
        flags: flags.into(),
        route: "".into(),
    }
}

fn one(ms: u64) -> Count {
    Count {
        requests: 1,
        duration_us: ms * 1_000,
        sent: 300,
        received: 4_000,
    }
}

#[test]
fn a_series_says_what_istios_proxies_say() {
    let metrics = by_hand();
    metrics.count(&line(Reporter::Source, Protocol::Http, "200", "-"), one(7));
    metrics.count(&line(Reporter::Destination, Protocol::Http, "200", "-"), one(7));
    let text: String = metrics.exposition().collect();
    let whole = |reporter: &str, policy: &str| {
        format!(
            "istio_requests_total{{reporter=\"{reporter}\",source_workload=\"web\",source_canonical_service=\"web\",\
             source_canonical_revision=\"latest\",source_workload_namespace=\"shop\",\
             source_principal=\"spiffe://cluster.local/ns/shop/sa/default\",source_app=\"web\",source_version=\"unknown\",\
             source_cluster=\"Kubernetes\",destination_workload=\"stock\",destination_canonical_service=\"stock\",\
             destination_canonical_revision=\"v2\",destination_workload_namespace=\"stock\",\
             destination_principal=\"spiffe://cluster.local/ns/stock/sa/default\",destination_app=\"stock\",\
             destination_version=\"v2\",destination_cluster=\"Kubernetes\",\
             destination_service=\"stock.stock.svc.cluster.local\",destination_service_name=\"stock\",\
             destination_service_namespace=\"stock\",request_protocol=\"http\",response_code=\"200\",\
             grpc_response_status=\"\",response_flags=\"-\",connection_security_policy=\"{policy}\"}} 1\n"
        )
    };
    assert!(text.contains(&whole("source", "unknown")), "{text}");
    assert!(text.contains(&whole("destination", "mutual_tls")), "{text}");
    assert_eq!(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    let mut written = Vec::new();
    metrics.exposition().write_to(&mut written).unwrap();
    assert_eq!(written, text.as_bytes());
}

#[test]
fn what_a_proxy_does_not_know_is_unknown() {
    let metrics = by_hand();
    let mut plain = line(Reporter::Destination, Protocol::Http, "200", "-");
    (plain.flow.source, plain.mtls) = (Party::default(), false);
    metrics.count(&plain, one(1));
    let mut lost = line(Reporter::Source, Protocol::Http, "404", "NR");
    (lost.flow.target, lost.flow.service) = (Party::default(), ServiceId::default());
    metrics.count(&lost, one(1));
    let mut away = lost.clone();
    away.flow.service.name = "PassthroughCluster".into();
    metrics.count(&away, one(1));
    let page = Page::of(&metrics);
    let series: Vec<&Series> = page.named(REQUESTS).collect();
    let [plain, lost, away] = series[..] else {
        panic!("{series:?}")
    };
    for label in [
        "workload",
        "workload_namespace",
        "principal",
        "app",
        "version",
        "cluster",
        "canonical_service",
    ] {
        assert_eq!(plain.label(&format!("source_{label}")), "unknown", "{label}");
        assert_eq!(lost.label(&format!("destination_{label}")), "unknown", "{label}");
    }
    assert_eq!(plain.label("source_canonical_revision"), "latest");
    assert_eq!(plain.label("destination_principal"), "unknown");
    assert_eq!(plain.label("connection_security_policy"), "none");
    let service = |it: &Series| {
        ["", "_name", "_namespace"].map(|end| it.label(&format!("destination_service{end}")).to_owned())
    };
    assert_eq!(service(lost), ["unknown"; 3]);
    assert_eq!(
        service(away),
        ["PassthroughCluster", "PassthroughCluster", "unknown"]
    );
    assert_eq!(
        (lost.label("response_code"), lost.label("response_flags")),
        ("404", "NR")
    );
}

#[test]
fn grpc_tells_failures_in_its_status() {
    for (code, flags, expected) in [
        ("200", "-", ("200", "0")),
        ("500", "-", ("200", "2")),
        ("400", "-", ("200", "13")),
        ("401", "-", ("200", "16")),
        ("403", "-", ("200", "7")),
        ("404", "NR", ("200", "12")),
        ("429", "-", ("200", "14")),
        ("503", "UH", ("200", "14")),
        ("0", "DC", ("0", "")),
    ] {
        let metrics = by_hand();
        metrics.count(&line(Reporter::Source, Protocol::Grpc, code, flags), one(1));
        let page = Page::of(&metrics);
        let series = page.named(REQUESTS).next().unwrap();
        let said = (
            series.label("response_code"),
            series.label("grpc_response_status"),
        );
        assert_eq!(said, expected, "{code} {flags}");
        assert_eq!(
            (series.label("response_flags"), series.label("request_protocol")),
            (flags, "grpc")
        );
    }
}

#[test]
fn bytes_are_called_sent_and_received_by_the_proxy() {
    let metrics = by_hand();
    metrics.count(&line(Reporter::Source, Protocol::Tcp, "0", "-"), one(0));
    let page = Page::of(&metrics);
    let value = |name| page.named(name).map(|it| it.value).collect::<Vec<_>>();
    assert_eq!(value("istio_tcp_sent_bytes_total"), [4_000.0]);
    assert_eq!(value("istio_tcp_received_bytes_total"), [300.0]);
    assert_eq!(value(OPENED), [1.0]);
    assert_eq!(value("istio_tcp_connections_closed_total"), [1.0]);
    assert_eq!(page.series.len(), 4);
    let labels = &page.series[0].labels;
    assert!(!labels.contains_key("response_code") && !labels.contains_key("grpc_response_status"));
}

#[test]
fn durations_are_counted_in_buckets_that_hold_the_ones_before() {
    let metrics = by_hand();
    let source = line(Reporter::Source, Protocol::Http, "200", "-");
    for ms in [1, 5, 6, 4_000_000] {
        metrics.count(&source, one(ms));
    }
    metrics.count(
        &source,
        Count {
            requests: 1,
            duration_us: 250,
            ..Count::default()
        },
    );
    let page = Page::of(&metrics);
    let buckets: Vec<(String, f64)> = page
        .named(&format!("{DURATION}_bucket"))
        .map(|it| (it.label("le").to_owned(), it.value))
        .collect();
    let at = |le: &str| buckets.iter().find(|(it, _)| it == le).unwrap().1;
    assert_eq!(buckets.len(), 20);
    let expected = [
        ("0.5", 1.0),
        ("1", 2.0),
        ("5", 3.0),
        ("10", 4.0),
        ("3600000", 4.0),
        ("+Inf", 5.0),
    ];
    for (le, n) in expected {
        assert_eq!(at(le), n, "{le}");
    }
    assert_eq!(buckets[19].0, "+Inf");
    assert_eq!(
        page.named(&format!("{DURATION}_sum")).next().unwrap().value,
        4_000_012.25
    );
    assert_eq!(
        page.named(&format!("{DURATION}_count")).next().unwrap().value,
        5.0
    );
}

#[test]
fn odd_names_are_escaped() {
    let metrics = by_hand();
    let mut odd = line(Reporter::Source, Protocol::Http, "200", "-");
    odd.flow.source.workload = "a\"b\\c\nd,e=\"{}\" é".into();
    metrics.count(&odd, one(1));
    let page = Page::of(&metrics);
    assert_eq!(
        page.named(REQUESTS).next().unwrap().label("source_workload"),
        "a\"b\\c\nd,e=\"{}\" é"
    );
    assert!(
        metrics
            .exposition()
            .collect::<String>()
            .contains(r#"="a\"b\\c\nd,e=\"{}\" é""#)
    );
}

#[test]
fn nothing_counted_is_an_empty_page() {
    assert_eq!(by_hand().exposition().count(), 0);
}

fn small(clock: &Arc<ManualClock>, seed: u64) -> Rehearsal {
    let settings = Settings {
        seed,
        history_s: 60,
        ..Settings::default()
    };
    Rehearsal::of(scenario::sized(5, 8), settings, clock.clone())
}

#[test]
fn a_page_of_a_mesh_is_well_formed_and_long_ones_come_in_pieces() {
    let rehearsal = small(&clock(), 1);
    let pieces: Vec<String> = rehearsal.metrics.exposition().collect();
    assert!(pieces.len() > 3, "{}", pieces.len());
    assert!(pieces.iter().all(|it| it.ends_with('\n') && it.len() < 300_000));
    let page = Page::read(&pieces.concat());
    // As many buckets' series as HTTP series; the last bucket is the count, and so many requests there were.
    let key = |it: &Series| {
        let mut labels = it.labels.clone();
        labels.remove("le");
        labels
    };
    let mut last: BTreeMap<_, (f64, u32)> = BTreeMap::new();
    for it in page.named(&format!("{DURATION}_bucket")) {
        let (below, n) = last.entry(key(it)).or_default();
        assert!(it.value >= *below, "{it:?}");
        (*below, *n) = (it.value, *n + 1);
    }
    assert!(last.values().all(|(_, n)| *n == 20));
    let by_labels = |name: &str| {
        page.named(name)
            .map(|it| (it.labels.clone(), it.value))
            .collect::<BTreeMap<_, _>>()
    };
    let requests = by_labels(REQUESTS);
    assert!(requests.len() > 100, "{}", requests.len());
    assert_eq!(by_labels(&format!("{DURATION}_count")), requests);
    let ends = last
        .into_iter()
        .map(|(labels, (n, _))| (labels, n))
        .collect::<BTreeMap<_, _>>();
    assert_eq!(ends, requests);
    assert!(by_labels(&format!("{DURATION}_sum")).len() == requests.len());
    // Bytes are none of HTTP's.
    assert!(
        page.named(OPENED).count() > 0 && page.named(OPENED).all(|it| it.label("request_protocol") == "tcp")
    );
    assert!(requests.keys().all(|labels| labels["request_protocol"] != "tcp"));
    assert!(requests.keys().any(|labels| labels["request_protocol"] == "grpc"));
    assert!(
        requests
            .keys()
            .any(|labels| labels["source_workload"] == "unknown")
    );
    assert!(
        requests
            .keys()
            .any(|labels| labels["source_workload"] == "istio-ingressgateway")
    );
}

#[test]
fn both_proxies_of_an_edge_count_the_same_and_know_each_other() {
    let page = Page::of(&small(&clock(), 1).metrics);
    for name in [REQUESTS, OPENED] {
        let of = |reporter: &str| {
            let meshed = page.named(name).filter(|it| it.label("reporter") == reporter);
            let meshed = meshed.filter(|it| it.label("source_workload") != "unknown");
            let without = |it: &Series| {
                let mut labels = it.labels.clone();
                labels.retain(|name, _| name != "reporter" && name != "connection_security_policy");
                (labels, it.value)
            };
            meshed.map(without).collect::<BTreeMap<_, _>>()
        };
        let (source, destination) = (of("source"), of("destination"));
        assert!(!source.is_empty());
        assert_eq!(source, destination, "{name}");
        for labels in source.keys() {
            // An account is called as its service; a caller that nobody calls is told by its workload alone.
            let app = &labels["source_app"];
            let account = app.strip_suffix("-v1").unwrap_or(app);
            let principal = format!(
                "spiffe://cluster.local/ns/{}/sa/{account}",
                labels["source_workload_namespace"]
            );
            assert_eq!(labels["source_principal"], principal);
            assert!(
                labels["destination_principal"].starts_with("spiffe://"),
                "{labels:?}"
            );
        }
    }
}

#[test]
fn counters_never_fall_and_equal_seeds_count_equally() {
    let (one, two) = (clock(), clock());
    let (first, second) = (small(&one, 3), small(&two, 3));
    let before = Page::of(&first.metrics);
    one.advance(SignedDuration::from_secs(30));
    two.advance(SignedDuration::from_secs(30));
    let after = Page::of(&first.metrics);
    let now: BTreeMap<_, f64> = after
        .series
        .iter()
        .map(|it| ((&it.name, &it.labels), it.value))
        .collect();
    let mut grown = 0;
    for it in &before.series {
        let later = now[&(&it.name, &it.labels)];
        assert!(later >= it.value, "{it:?} {later}");
        grown += u32::from(later > it.value);
    }
    assert!(grown > 100, "{grown}");
    // Whoever looked in between sees what the other sees.
    let text = |it: &Rehearsal| it.metrics.exposition().collect::<String>();
    assert_eq!(text(&first), text(&second));
    assert_ne!(text(&first), text(&small(&two, 4)));
}
