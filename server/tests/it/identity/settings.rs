//! Settings of signing in: what is wrong → which key, and exit code 2 before anything listens.

use crate::support::{
    assets,
    process::{ended, naru},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{fs, path::PathBuf};

fn file(name: &str, content: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_login_that_could_be_got_round_does_not_start() {
    let site = assets("signing-in");
    let good = file("key-good", super::world::KEYS[0]);
    let same = file("key-same", &[super::world::KEYS[0]; 2].join("\n"));
    let short = file("key-short", &STANDARD.encode([7, 9, 11]));
    let repeated = file("key-repeated", &STANDARD.encode([7; 32]));
    let text = file(
        "key-text",
        &STANDARD.encode("please change this key before you go live"),
    );
    let none = file("key-none", "changeme");
    let url = ["--public-url", "https://naru.example"];
    let oidc = ["--auth", "oidc"];
    let issuer = [
        "--oidc-issuer",
        "https://id.example/realms/x",
        "--oidc-client-id",
        "naru",
    ];
    let key = |path| ["--session-key-file", path];
    for (arguments, expected) in [
        (oidc.to_vec(), "auth-needs"),
        ([&oidc[..], &url, &issuer].concat(), "auth-needs"),
        ([&oidc[..], &key(&good), &issuer].concat(), "auth-needs"),
        ([&oidc[..], &key(&good), &url].concat(), "auth-needs"),
        (
            [&oidc[..], &key(&good), &url, &issuer[..2]].concat(),
            "auth-needs",
        ),
        ([&oidc[..], &key("/no/such/file"), &url, &issuer].concat(), "file"),
        ([&oidc[..], &key(&same), &url, &issuer].concat(), "session-key"),
        ([&oidc[..], &key(&short), &url, &issuer].concat(), "session-key"),
        (
            [&oidc[..], &key(&repeated), &url, &issuer].concat(),
            "session-key",
        ),
        ([&oidc[..], &key(&text), &url, &issuer].concat(), "session-key"),
        ([&oidc[..], &key(&none), &url, &issuer].concat(), "session-key"),
        (
            vec!["--auth", "kubernetes", "--session-key-file", &short],
            "session-key",
        ),
        (
            [
                &oidc[..],
                &key(&good),
                &["--public-url", "http://naru.example"],
                &issuer,
            ]
            .concat(),
            "public-url",
        ),
        (
            [
                &oidc[..],
                &key(&good),
                &["--public-url", "https://naru.example/path"],
                &issuer,
            ]
            .concat(),
            "public-url",
        ),
        (
            [
                &oidc[..],
                &key(&good),
                &["--public-url", "https://me:pw@naru.example"],
                &issuer,
            ]
            .concat(),
            "public-url",
        ),
        (
            [&oidc[..], &key(&good), &["--public-url", "naru.example"], &issuer].concat(),
            "public-url",
        ),
        (
            [
                &oidc[..],
                &key(&good),
                &url,
                &["--oidc-issuer", "http://id.example", "--oidc-client-id", "naru"],
            ]
            .concat(),
            "oidc-issuer",
        ),
        (
            [
                &oidc[..],
                &key(&good),
                &url,
                &issuer,
                &["--oidc-group", "ops=system:masters"],
            ]
            .concat(),
            "group-mapping",
        ),
        (
            [&oidc[..], &key(&good), &url, &issuer, &["--oidc-group", "ops"]].concat(),
            "group-mapping",
        ),
        (
            [
                &oidc[..],
                &key(&good),
                &url,
                &issuer,
                &["--oidc-ca", "/no/such/file"],
            ]
            .concat(),
            "file",
        ),
        (
            [
                &oidc[..],
                &key(&good),
                &url,
                &issuer,
                &["--oidc-client-secret-file", "/no/such/file"],
            ]
            .concat(),
            "file",
        ),
        // With everything right it goes on to what is missing next.
        ([&oidc[..], &key(&good), &url, &issuer].concat(), "no-prometheus"),
        (vec!["--auth", "kubernetes"], "no-prometheus"),
        (vec!["--auth", "none", "--listen", "0.0.0.0:0"], "not-loopback"),
    ] {
        let mut all = vec!["serve", "--site", site.to_str().unwrap()];
        if !arguments.contains(&"--listen") {
            all.extend(["--listen", "127.0.0.1:0"]);
        }
        all.extend(arguments);
        let (code, keys, output) = ended(&mut naru(&all));
        assert_eq!((code, keys), (2, vec![expected.to_owned()]), "{all:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            !said.contains(super::world::KEYS[0]) && !said.contains("changeme") && !said.contains("pw@"),
            "{said}"
        );
    }
}

#[test]
fn with_a_login_another_address_is_allowed() {
    let site = assets("signing-in-bind");
    // An address of documentation (RFC 5737), which no machine has: it is tried, and not refused.
    let arguments = [
        "serve",
        "--auth",
        "kubernetes",
        "--listen",
        "192.0.2.1:3000",
        "--site",
        site.to_str().unwrap(),
    ];
    let (code, keys, _) = ended(&mut naru(&arguments));
    assert_eq!((code, keys), (1, vec!["listen".to_owned()]));
}

#[test]
fn a_rehearsal_has_no_login() {
    assert_eq!(ended(&mut naru(&["rehearse", "--auth", "oidc"])).0, 2);
}
