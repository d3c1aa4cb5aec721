//! The command line: what is wrong → which key, which exit code.

use crate::support::{
    assets,
    odd_server::{self, Odd},
    process::{Running, ended, kubeconfig, naru},
};
use std::{fs, path::PathBuf};

fn file(name: &str, content: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn wrong_settings_end_with_2_before_anything_is_asked() {
    let site = assets("command");
    let site = site.to_str().unwrap();
    let here = ["serve", "--listen", "127.0.0.1:0", "--site", site];
    let prometheus = ["--prometheus", "http://127.0.0.1:9"];
    let no_yaml = file("no-yaml", "{{{");
    let no_context = file(
        "no-context",
        "apiVersion: v1\nkind: Config\ncurrent-context: gone\n",
    );
    let no_pem = file("no-pem", "hello");
    let odd = file("odd-object", "apiVersion: v1\nkind: Service\nmetadata: 3\n");
    for (arguments, key) in [
        (
            vec!["serve", "--listen", "0.0.0.0:0", "--site", site],
            "not-loopback",
        ),
        (
            vec!["serve", "--listen", "[::]:0", "--site", site],
            "not-loopback",
        ),
        (
            vec!["rehearse", "--listen", "192.0.2.1:3000", "--site", site],
            "not-loopback",
        ),
        (
            vec!["serve", "--listen", "127.0.0.1:0", "--site", "/no/such/folder"],
            "no-site",
        ),
        (
            vec![
                "rehearse",
                "--listen",
                "127.0.0.1:0",
                "--site",
                site,
                "--scenario",
                "nonsense",
            ],
            "no-scenario",
        ),
        (
            vec![
                "rehearse",
                "--listen",
                "127.0.0.1:0",
                "--site",
                site,
                "--file",
                &odd,
            ],
            "file",
        ),
        (here.to_vec(), "no-prometheus"),
        ([&here[..], &prometheus].concat(), "no-cluster"),
        (
            [&here[..], &prometheus, &["--kubeconfig", "/no/such/file"]].concat(),
            "no-cluster",
        ),
        (
            [&here[..], &prometheus, &["--kubeconfig", &no_yaml]].concat(),
            "file",
        ),
        (
            [&here[..], &prometheus, &["--kubeconfig", &no_context]].concat(),
            "file",
        ),
        (
            [&here[..], &["--prometheus", "ftp://127.0.0.1"]].concat(),
            "prometheus-url",
        ),
        (
            [&here[..], &["--prometheus", "nonsense"]].concat(),
            "prometheus-url",
        ),
        (
            [&here[..], &["--prometheus", "http://a:hunter2@127.0.0.1"]].concat(),
            "prometheus-url",
        ),
        (
            [&here[..], &prometheus, &["--prometheus-ca", "/no/such/file"]].concat(),
            "file",
        ),
        (
            [&here[..], &prometheus, &["--prometheus-ca", &no_pem]].concat(),
            "no-certificate",
        ),
        (
            [&here[..], &prometheus, &["--prometheus-org-id", "a\nb"]].concat(),
            "prometheus-org-id",
        ),
        (vec!["graph"], "no-source"),
        (vec!["graph", "--kubeconfig", &no_yaml], "file"),
        (
            vec!["graph", "--prometheus", "file:///etc/passwd"],
            "prometheus-url",
        ),
    ] {
        let (code, keys, output) = ended(&mut naru(&arguments));
        assert_eq!((code, keys), (2, vec![key.to_owned()]), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(
            !String::from_utf8(output.stderr).unwrap().contains("hunter2"),
            "{arguments:?}"
        );
    }
}

#[test]
fn arguments_that_make_no_sense_end_with_2() {
    for arguments in [
        &[][..],
        &["nonsense"],
        &["serve", "--nonsense"],
        &["serve", "--listen", "nonsense"],
        &["serve", "--window", "1s"],
        &["graph", "--window", "1d"],
        &["graph", "--output", "yaml"],
        &["rehearse", "--seed", "-1"],
        &["rehearse", "--speed", "-1"],
        &["rehearse", "--speed=2"],
    ] {
        assert_eq!(ended(&mut naru(arguments)).0, 2, "{arguments:?}");
    }
    for arguments in [&["--help"][..], &["--version"], &["graph", "--help"]] {
        assert_eq!(ended(&mut naru(arguments)).0, 0, "{arguments:?}");
    }
}

#[test]
fn an_address_that_is_taken_is_said() {
    let site = assets("taken");
    let first = Running::start(&["rehearse"], &site);
    let arguments = [
        "rehearse",
        "--listen",
        first.address(),
        "--site",
        site.to_str().unwrap(),
    ];
    let (code, keys, _) = ended(&mut naru(&arguments));
    assert_eq!((code, keys), (1, vec!["listen".to_owned()]));
}

#[test]
fn a_prometheus_gone_wrong_ends_a_graph_with_3_and_prints_nothing() {
    for (server, why) in [
        (odd_server::nobody(), "unreachable"),
        (odd_server::start(Odd::HangUp), "unreachable"),
        (odd_server::start(Odd::Html), "garbled"),
        (odd_server::start(Odd::Garbage), "garbled"),
        (odd_server::start(Odd::Stranger), "garbled"),
        (odd_server::start(Odd::Half), "garbled"),
        (odd_server::start(Odd::Fault), "failed"),
        (odd_server::start(Odd::Forbidden), "failed"),
        (odd_server::start(Odd::Late), "timed-out"),
    ] {
        let (code, keys, output) = ended(&mut naru(&["graph", "--prometheus", &server]));
        assert_eq!(
            (code, keys),
            (3, vec!["source".to_owned(), why.to_owned()]),
            "{server} {output:?}"
        );
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn an_api_server_gone_wrong_ends_a_graph_and_prints_nothing() {
    let source = |why: &str| vec!["source".to_owned(), why.to_owned()];
    for (name, server, expected) in [
        ("nobody", odd_server::nobody(), (3, source("unreachable"))),
        (
            "hang-up",
            odd_server::start(Odd::HangUp),
            (3, source("unreachable")),
        ),
        ("fault", odd_server::start(Odd::Fault), (3, source("unreachable"))),
        ("html", odd_server::start(Odd::Html), (3, source("garbled"))),
        ("garbage", odd_server::start(Odd::Garbage), (3, source("garbled"))),
        (
            "stranger",
            odd_server::start(Odd::Stranger),
            (3, source("garbled")),
        ),
        (
            "forbidden",
            odd_server::start(Odd::Forbidden),
            (4, vec!["credentials".to_owned()]),
        ),
    ] {
        let path = kubeconfig(name, &server);
        let (code, keys, output) = ended(&mut naru(&["graph", "--kubeconfig", path.to_str().unwrap()]));
        assert_eq!((code, keys), expected, "{name} {output:?}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn messages_come_in_the_language_that_is_asked_for() {
    let said = |variable: &str, value: &str| {
        let output = naru(&["graph"]).env(variable, value).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let english = said("LANG", "en_US.UTF-8");
    assert!(english.starts_with("error[no-source]: ") && english.is_ascii());
    for (variable, value) in [
        ("NARU_LANG", "ko"),
        ("LANG", "ko_KR.UTF-8"),
        ("LC_ALL", "ko_KR.UTF-8"),
    ] {
        let korean = said(variable, value);
        assert!(korean.starts_with("error[no-source]: "), "{variable}");
        assert!(
            korean.chars().any(|it| ('가'..='힣').contains(&it)),
            "{variable}: {korean}"
        );
    }
    assert_eq!(said("LANG", "C.UTF-8"), english);
}

#[test]
#[ignore = "needs the lab: NARU_LAB_KUBECONFIG, NARU_LAB_PROMETHEUS"]
fn the_lab_is_printed_whole_and_in_the_same_order_each_time() {
    let kubeconfig = std::env::var("NARU_LAB_KUBECONFIG").unwrap();
    let prometheus = std::env::var("NARU_LAB_PROMETHEUS").unwrap();
    let graph = || {
        let (code, keys, output) = ended(&mut naru(&[
            "graph",
            "--kubeconfig",
            &kubeconfig,
            "--prometheus",
            &prometheus,
        ]));
        assert_eq!((code, keys), (0, vec![]));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let ids = |graph: &serde_json::Value| {
        graph["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let (first, second) = (graph(), graph());
    assert!(!ids(&first).is_empty());
    assert!(ids(&first).is_sorted());
    assert_eq!(ids(&first), ids(&second));
    assert_eq!(first["gaps"], serde_json::json!([]));
}
