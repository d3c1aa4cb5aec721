//! A console whose sources have gone wrong: which pages still answer, and what they say is wrong.

use crate::support::{
    assets,
    odd_server::{self, Odd},
    process::{Running, kubeconfig},
};
use std::{io::Read, thread};

const PAGES: [&str; 8] = [
    "/",
    "/topology",
    "/canary",
    "/changes",
    "/why",
    "/live/overview",
    "/live/topology",
    "/healthz",
];

/// The keys of what is wrong with each source, once both have been heard of.
fn troubles(console: &Running) -> Vec<(String, Vec<String>)> {
    while console.get("/readyz").0 != 200 {
        thread::yield_now();
    }
    let overview: serde_json::Value = serde_json::from_str(&console.get("/live/overview").1).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let sources = overview["sources"].as_array().unwrap().iter();
    sources
        .map(|source| {
            let mut whys: Vec<String> = source["whys"]
                .as_array()
                .unwrap()
                .iter()
                .map(|why| text(&why["why"]))
                .collect();
            whys.sort();
            whys.dedup();
            (text(&source["source"]), whys)
        })
        .collect()
}

#[test]
fn whatever_the_sources_do_every_page_answers_and_says_what_is_wrong() {
    for (name, kubernetes, of_kubernetes, prometheus, of_prometheus) in [
        (
            "away",
            odd_server::nobody(),
            "unreachable",
            odd_server::nobody(),
            "unreachable",
        ),
        (
            "html",
            odd_server::start(Odd::Html),
            "garbled",
            odd_server::start(Odd::Html),
            "garbled",
        ),
        (
            "fault",
            odd_server::start(Odd::Fault),
            "failed",
            odd_server::start(Odd::Fault),
            "failed",
        ),
        (
            "garbage",
            odd_server::start(Odd::Garbage),
            "garbled",
            odd_server::start(Odd::Garbage),
            "garbled",
        ),
        (
            "rights",
            odd_server::start(Odd::Forbidden),
            "forbidden",
            odd_server::start(Odd::Half),
            "garbled",
        ),
        (
            "late",
            odd_server::nobody(),
            "unreachable",
            odd_server::start(Odd::Late),
            "timed-out",
        ),
    ] {
        let config = kubeconfig(&format!("answers-{name}"), &kubernetes);
        let arguments = [
            "serve",
            "--kubeconfig",
            config.to_str().unwrap(),
            "--prometheus",
            &prometheus,
        ];
        let console = Running::start(&arguments, &assets(&format!("answers-{name}")));
        for path in PAGES {
            assert_eq!(
                console.get(path).0,
                200,
                "{name} {path}, before anything is known"
            );
        }
        let expected = [("kubernetes", of_kubernetes), ("prometheus", of_prometheus)];
        let expected = expected.map(|(source, why)| (source.to_owned(), vec![why.to_owned()]));
        assert_eq!(troubles(&console), expected, "{name}");
        for path in PAGES {
            assert_eq!(console.get(path).0, 200, "{name} {path}, afterwards");
        }
        assert_eq!(console.end(), Some(0), "{name}");
    }
}

#[test]
fn the_end_closes_streams_and_is_no_failure() {
    let console = Running::start(&["rehearse"], &assets("end"));
    let mut stream = console.open("/live", "keep-alive");
    let mut first = [0; 16];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first[..15], b"HTTP/1.1 200 OK");
    assert_eq!(console.end(), Some(0));
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the stream is ended, not cut");
}

#[test]
fn the_rehearsal_says_that_it_is_one_and_becomes_ready() {
    let console = Running::start(&["rehearse", "--seed", "7"], &assets("rehearsal"));
    assert_eq!(
        troubles(&console),
        [
            ("kubernetes".to_owned(), vec![]),
            ("prometheus".to_owned(), vec![])
        ]
    );
    let (status, page) = console.get("/?lang=en");
    assert_eq!(status, 200);
    assert!(page.contains("REHEARSAL"));
    let topology: serde_json::Value = serde_json::from_str(&console.get("/live/topology").1).unwrap();
    assert!(topology["nodes"].as_array().unwrap().len() > 3, "{topology}");
}
