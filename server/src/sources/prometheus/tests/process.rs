//! A real Prometheus that ends with its test.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// The process and its folder.
pub(super) struct Prometheus {
    process: Child,
    folder: PathBuf,
    /// Base URL, with a path prefix.
    pub(super) url: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Prometheus {
    /// Scrapes `exporter` each second. The program is `$NARU_TEST_PROMETHEUS`, or `prometheus` on the path.
    pub(super) fn start(exporter: &str) -> Self {
        Self::start_with(exporter, "http", &[])
    }

    /// With more arguments.
    pub(super) fn start_with(exporter: &str, scheme: &str, more: &[String]) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("naru-prometheus-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let target = exporter.trim_start_matches("http://");
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n- job_name: pods\n  honor_labels: true\n  \
             static_configs: [{{targets: ['{target}']}}]\n"
        );
        std::fs::write(folder.join("prometheus.yml"), config).unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let program = std::env::var_os("NARU_TEST_PROMETHEUS").unwrap_or_else(|| "prometheus".into());
        let process = Command::new(program)
            .arg(format!(
                "--config.file={}",
                folder.join("prometheus.yml").display()
            ))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(["--web.external-url=http://localhost/tenant/", "--log.level=error"])
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus must be installed, or NARU_TEST_PROMETHEUS say where it is");
        Self {
            process,
            folder,
            url: format!("{scheme}://{address}/tenant/"),
        }
    }
}
