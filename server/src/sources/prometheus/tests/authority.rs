//! A Prometheus behind TLS, with a certificate of a private authority.

use super::{adapter_with, process::Prometheus};
use naru_domain::Why;
use naru_ports::Metrics;
use std::{path::Path, process::Command, time::Duration};

fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "openssl {arguments}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

#[tokio::test]
#[ignore = "needs Prometheus (NARU_TEST_PROMETHEUS) and openssl"]
async fn only_the_authority_of_the_settings_is_trusted() {
    let folder = std::env::temp_dir().join(format!("naru-authority-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for authority in ["ca", "other"] {
        openssl(
            &folder,
            &format!(
                "req -x509 {key} -keyout {authority}.key -out {authority}.crt -subj /CN={authority} -days 2"
            ),
        );
    }
    openssl(
        &folder,
        &format!("req {key} -keyout server.key -out server.csr -subj /CN=prometheus"),
    );
    std::fs::write(folder.join("san"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    openssl(
        &folder,
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -days 2 -extfile san",
    );
    let web = folder.join("web.yml");
    std::fs::write(
        &web,
        "tls_server_config: {cert_file: server.crt, key_file: server.key}\n",
    )
    .unwrap();

    openssl(
        &folder,
        &format!("req {key} -keyout client.key -out client.csr -subj /CN=naru"),
    );
    openssl(
        &folder,
        "x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out client.crt -days 2 -extfile san",
    );
    let both = ["client.crt", "client.key"].map(|it| std::fs::read_to_string(folder.join(it)).unwrap());
    std::fs::write(folder.join("client.pem"), both.concat()).unwrap();
    let demanding = folder.join("demanding.yml");
    std::fs::write(
        &demanding,
        "tls_server_config: {cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert}\n",
    )
    .unwrap();

    let more = [format!("--web.config.file={}", web.display())];
    let prometheus = Prometheus::start_with("http://127.0.0.1:1", "https", &more);
    let with = |authority: &str| {
        let file = folder.join(authority);
        adapter_with(&prometheus.url, move |it| {
            it.timeout = Duration::from_secs(8);
            it.ca = Some(file);
        })
    };
    let trusting = with("ca.crt");
    let mut answer = trusting.traffic(60).await;
    for _ in 0..120 {
        if answer.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        answer = trusting.traffic(60).await;
    }
    assert!(
        answer
            .as_ref()
            .is_ok_and(|it| it.gaps == [Why::NoTraffic { window_s: 60 }]),
        "{answer:?}"
    );
    let refused = with("other.crt").traffic(60).await;
    assert!(
        matches!(&refused, Err(Why::Unreachable { detail, .. }) if detail.to_lowercase().contains("certificate")),
        "{refused:?}"
    );
    drop(prometheus);

    let more = [format!("--web.config.file={}", demanding.display())];
    let prometheus = Prometheus::start_with("http://127.0.0.1:1", "https", &more);
    let as_client = |certificate: Option<&str>| {
        let (ca, certificate) = (folder.join("ca.crt"), certificate.map(|it| folder.join(it)));
        adapter_with(&prometheus.url, move |it| {
            it.timeout = Duration::from_secs(8);
            it.ca = Some(ca);
            it.client_certificate = certificate;
        })
    };
    let known = as_client(Some("client.pem"));
    let mut answer = known.traffic(60).await;
    for _ in 0..120 {
        if answer.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        answer = known.traffic(60).await;
    }
    assert!(answer.is_ok(), "{answer:?}");
    let nobody = as_client(None).traffic(60).await;
    assert!(matches!(&nobody, Err(Why::Unreachable { .. })), "{nobody:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}
