//! What a refresh costs. Prints figures and judges nothing: a machine is never quiet. `benches/graph.sh` measures the finished program.

use super::{adapter_with, now};
use naru_domain::traffic::ServiceId;
use naru_ports::Metrics;
use std::{
    collections::BTreeSet,
    env,
    time::{Duration, Instant},
};

/// CPU seconds of a process so far, its own and the kernel's for it; clock ticks are 10 ms.
fn cpu_s(pid: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let ticks = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .skip(11)
        .take(2);
    ticks.filter_map(|it| it.parse::<f64>().ok()).sum::<f64>() / 100.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures: NARU_TEST_PROMETHEUS_URL, and NARU_TEST_PROMETHEUS_PID for its CPU"]
async fn a_refresh_in_figures() {
    let url =
        env::var("NARU_TEST_PROMETHEUS_URL").expect("NARU_TEST_PROMETHEUS_URL says where Prometheus is");
    let theirs = env::var("NARU_TEST_PROMETHEUS_PID").unwrap_or_default();
    for gzip in [true, false] {
        let adapter = adapter_with(&url, |it| {
            it.timeout = Duration::from_secs(8);
            it.body_limit = 256 << 20;
            it.gzip = gzip;
        });
        for (what, rounds) in [("first", 1_u32), ("then", 20)] {
            let (cpu, their_cpu) = (cpu_s("self"), cpu_s(&theirs));
            let mut walls = vec![];
            let mut flows = 0;
            for _ in 0..rounds {
                let start = Instant::now();
                flows = adapter.traffic(60).await.unwrap().value.flows.len();
                walls.push(start.elapsed());
            }
            walls.sort();
            let each = |spent: f64| spent / f64::from(rounds) * 1000.0;
            println!(
                "gzip {gzip:5} {what:5}: {flows} flows, wall min {:.0} ms, median {:.0} ms, CPU ours {:.0} ms, Prometheus {:.0} ms",
                walls[0].as_secs_f64() * 1000.0,
                walls[walls.len() / 2].as_secs_f64() * 1000.0,
                each(cpu_s("self") - cpu),
                each(cpu_s(&theirs) - their_cpu),
            );
        }
        let known = adapter.traffic(60).await.unwrap().value;
        let services: BTreeSet<_> = known.flows.keys().map(|it| &it.service).take(200).collect();
        let since = now().checked_sub(jiff::SignedDuration::from_secs(500)).unwrap();
        let ask = |it: &&ServiceId| super::question(&it.namespace, &it.name, since);
        let questions: Vec<_> = services.iter().take(10).map(ask).collect();
        let start = Instant::now();
        let answered = adapter
            .splits(&questions)
            .await
            .iter()
            .filter(|it| it.is_ok())
            .count();
        println!(
            "gzip {gzip:5} ten splits over eight minutes: {answered} answered, {:.0} ms",
            start.elapsed().as_secs_f64() * 1000.0
        );
    }
}
