//! What Naru tells Prometheus of itself: whether everything is frozen, and how each canary is that it moves. On an address of its own, since
//! whoever scrapes is nobody who signed in, and names of namespaces are not for everybody.

use axum::{Router, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use naru_domain::actor::Scope;
use naru_ports::{Console, Stuck};
use naru_view::{
    canary::Canaries,
    order::{Order, Phase},
    source::{Freshness, SourceState},
};
use std::{fmt::Write, io, sync::Arc};
use tokio::net::TcpListener;

/// The text format's media type (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves `/metrics`, and nothing else, until it is dropped.
///
/// # Errors
/// The listener broke.
pub(crate) async fn serve(listener: TcpListener, console: Arc<dyn Console>) -> io::Result<()> {
    let router = Router::new().route("/metrics", get(metrics)).with_state(console);
    axum::serve(listener, router).await
}

async fn metrics(State(console): State<Arc<dyn Console>>) -> impl IntoResponse {
    let view = console.view(&Scope::all());
    let frozen = view.standstill.frozen.is_some();
    (
        [(CONTENT_TYPE, TEXT)],
        text(&view.canaries, &view.overview.sources, &console.stuck(), frozen),
    )
}

/// All of it.
fn text(canaries: &Canaries, sources: &[SourceState], stuck: &[Stuck], frozen: bool) -> String {
    let orders = || {
        let routes = canaries.routes.iter();
        routes.flat_map(|it| it.orders.iter().map(|order| (&*it.route.namespace, order)))
    };
    let mut text = String::new();
    let mut family = |name: &str, help: &str, samples: Vec<(String, f64)>| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (labels, value) in samples {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    family(
        "naru_frozen",
        "1 while a Freeze keeps every controller of Naru still.",
        vec![(String::new(), f64::from(u8::from(frozen)))],
    );
    family(
        "naru_source_fresh",
        "1 while Naru hears from a source, though perhaps not all.",
        sources.iter().map(fresh).collect(),
    );
    family(
        "naru_canary_phase",
        "1 for the phase that a Canary is in, 0 for the others.",
        orders()
            .flat_map(|(namespace, order)| phases(namespace, order))
            .collect(),
    );
    let of = |namespace: &str, order: &Order| labels(&[("namespace", namespace), ("canary", &order.name)]);
    let weights =
        orders().filter_map(|(namespace, order)| Some((of(namespace, order), f64::from(order.weight?))));
    family(
        "naru_canary_weight",
        "Points that the rule gives the version that is tried.",
        weights.collect(),
    );
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of this age stay far below 2^53"
    )]
    let since =
        orders().filter_map(|(namespace, order)| Some((of(namespace, order), order.since? as f64 / 1000.0)));
    family(
        "naru_canary_since_timestamp_seconds",
        "Since when the weights in force are so.",
        since.collect(),
    );
    // What has lost its rule, or cannot be read, has no other series: it is told here.
    let astray = canaries.astray.iter().map(|it| {
        let names = [
            ("namespace", &*it.namespace),
            ("canary", &*it.name),
            ("code", it.why.code()),
        ];
        (labels(&names), 1.0)
    });
    let alarms = orders().filter_map(|(namespace, order)| {
        let code = &order.alarm.as_ref()?.code;
        let names = [("namespace", namespace), ("canary", &*order.name), ("code", code)];
        Some((labels(&names), 1.0))
    });
    family(
        "naru_canary_alarm",
        "1 while a Canary wants a person, and for what.",
        alarms.chain(astray).collect(),
    );
    let stuck = stuck.iter().map(|it| {
        let names = [("namespace", &*it.namespace), ("canary", &*it.name)];
        (labels(&names), f64::from(it.turns))
    });
    family(
        "naru_canary_failed_turns",
        "Turns of a Canary in a row that came to nothing; only by the server that takes the turns.",
        stuck.collect(),
    );
    text
}

fn fresh(source: &SourceState) -> (String, f64) {
    let fresh = matches!(source.state, Freshness::Fresh | Freshness::Partial);
    (
        labels(&[("source", &word(&source.source))]),
        f64::from(u8::from(fresh)),
    )
}

fn phases(namespace: &str, order: &Order) -> Vec<(String, f64)> {
    let phases = Phase::ALL.into_iter().map(|phase| {
        let names = [
            ("namespace", namespace),
            ("canary", &*order.name),
            ("phase", &word(&phase)),
        ];
        (labels(&names), f64::from(u8::from(phase == order.phase)))
    });
    phases.collect()
}

/// What has one word on the wire has it here.
fn word(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn labels(pairs: &[(&str, &str)]) -> String {
    let escaped = |value: &str| {
        value
            .replace('\\', r"\\")
            .replace('"', r#"\""#)
            .replace('\n', r"\n")
    };
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
        .collect();
    format!("{{{}}}", pairs.join(","))
}

#[cfg(test)]
mod tests {
    use super::{Stuck, labels, text};
    use naru_view::canary::Canaries;
    use serde_json::json;

    fn canaries() -> Canaries {
        let order = json!({"name": "user", "phase": "held", "course": "run", "approved_by": "Kim", "stable": "v1", "canary": "v2",
            "weight": 25, "moving_to": null, "steps": [], "step": 1, "since": 1_500, "until": null, "few": null, "verdict": "hold",
            "why": [], "alarm": {"code": "blind", "args": {}}, "metrics": [], "blind_since": null, "old_needed_until": null,
            "change": null});
        let route = json!({"route": {"namespace": "shop", "name": "user", "rule": 0}, "rule_name": "", "hosts": [], "gateways": [],
            "destinations": [], "resource_version": "1", "rate": null, "observed": {"observed": "unknown", "whys": []},
            "owner": null, "proposals": [], "last_change": null, "findings": [], "orders": [order]});
        serde_json::from_value(
            json!({"version": {"epoch": 1, "seq": 1}, "sources": [], "astray": [{"namespace": "shop", "name": "lost", "route": "gone", "why": {"lost": "no-rule", "rule": 0}}], "routes": [route]}),
        )
        .unwrap()
    }

    #[test]
    fn each_canary_is_in_one_phase_and_says_what_it_wants() {
        let stuck = [Stuck {
            namespace: "shop".into(),
            name: "user".into(),
            turns: 7,
        }];
        let told = text(&canaries(), &[], &stuck, true);
        let lines: Vec<&str> = told.lines().filter(|it| !it.starts_with('#')).collect();
        let one: Vec<&&str> = lines.iter().filter(|it| it.ends_with(" 1")).collect();
        assert_eq!(
            one,
            [
                &"naru_frozen 1",
                &r#"naru_canary_phase{namespace="shop",canary="user",phase="held"} 1"#,
                &r#"naru_canary_alarm{namespace="shop",canary="user",code="blind"} 1"#,
                &r#"naru_canary_alarm{namespace="shop",canary="lost",code="no-rule"} 1"#,
            ]
        );
        let phases = lines.iter().filter(|it| it.starts_with("naru_canary_phase{"));
        assert_eq!(phases.count(), 10);
        for line in [
            r#"naru_canary_weight{namespace="shop",canary="user"} 25"#,
            r#"naru_canary_since_timestamp_seconds{namespace="shop",canary="user"} 1.5"#,
            r#"naru_canary_failed_turns{namespace="shop",canary="user"} 7"#,
        ] {
            assert!(lines.contains(&line), "{told}");
        }
        assert!(text(&canaries(), &[], &[], false).contains("\nnaru_frozen 0\n"));
    }

    #[test]
    fn labels_are_escaped() {
        assert_eq!(labels(&[("a", "b\"c\\d\ne")]), r#"{a="b\"c\\d\ne"}"#);
    }
}
