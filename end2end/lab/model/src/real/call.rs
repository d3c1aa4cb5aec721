//! Requests sent by a peer, through its own proxy, and what came back.

use super::http;
use crate::{Answer, Case, answer::Gets, place, place::Place};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a peer is asked to send (`end2end/lab/apps/peer_call.go`).
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Wanted {
    pub(super) address: String,
    pub(super) protocol: String,
    pub(super) host: String,
    pub(super) sni: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) n: u32,
}

impl Wanted {
    pub(super) fn of(case: &Case, place: &Place) -> Self {
        Self {
            address: format!("{}:{}", place.address, place.dialled),
            protocol: case.protocol.clone(),
            host: if case.host.is_empty() {
                &place.name
            } else {
                &case.host
            }
            .clone(),
            sni: case.sni.clone(),
            method: case.method.clone(),
            path: case.path.clone(),
            headers: case.headers.clone(),
            n: 1,
        }
    }
}

/// What came back.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Got {
    pub(super) status: u16,
    /// None, or nothing at all, where no HTTP came back: Go writes a map that nobody made as `null`.
    pub(super) headers: Option<BTreeMap<String, String>>,
    pub(super) body: String,
    pub(super) failed: String,
    pub(super) millis: u64,
}

pub(super) fn call(peer: &str, wanted: &Wanted) -> Result<Vec<Got>> {
    let answer = http::post(peer, "/call", &serde_json::to_string(wanted)?)?;
    serde_json::from_str(&answer).context("a peer's answer")
}

impl Got {
    /// What the peer that answered saw; empty where none did.
    pub(super) fn saw(&self, pointer: &str) -> String {
        let seen: Value = serde_json::from_str(&self.body).unwrap_or(Value::Null);
        let text = seen.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or("").to_owned()
    }

    fn gets(&self) -> String {
        let pod = self.saw("/pod");
        if !self.failed.is_empty() {
            self.failed.clone()
        } else if !pod.is_empty() && matches!(self.status, 0 | 200) {
            format!("{}/{}", self.saw("/namespace"), place::workload(&pod))
        } else {
            self.status.to_string()
        }
    }
}

pub(super) fn answer(got: &[Got], case: &Case) -> Answer {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for it in got {
        *counts.entry(it.gets()).or_default() += 1;
    }
    let of = u32::try_from(got.len()).unwrap_or(u32::MAX);
    let gets: Gets = counts
        .into_iter()
        .map(|(name, n)| (name, 100.0 * f64::from(n) / f64::from(of.max(1))))
        .collect();
    let mut answer = Answer {
        gets,
        of,
        ..Answer::default()
    };
    let http = matches!(case.protocol.as_str(), "" | "http" | "https");
    let served: Vec<&Got> = got.iter().filter(|it| it.gets().contains('/')).collect();
    if http && !served.is_empty() {
        for name in ["host", "path"] {
            let pointer = format!("/{name}");
            answer = all_alike(answer, name, served.iter().map(|it| it.saw(&pointer).into()));
        }
        let mutual = served
            .iter()
            .map(|it| (!it.saw("/headers/x-forwarded-client-cert").is_empty()).into());
        answer = all_alike(answer, "mutual", mutual);
    }
    if let Some(location) = got.first().and_then(|it| it.headers.as_ref()?.get("location")) {
        let rest = location.split_once("://").map_or(&**location, |(_, rest)| rest);
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        answer = answer.with("location_host", host).with("location_path", path);
    }
    if let Some(promised) = case.expect.get("delay_ms").and_then(Value::as_u64) {
        let least = got.iter().map(|it| it.millis).min().unwrap_or(0);
        let near = (promised.saturating_sub(20)..promised + 300).contains(&least);
        answer = answer.with("delay_ms", if near { promised } else { least });
    }
    answer
}

fn all_alike(answer: Answer, name: &str, mut values: impl Iterator<Item = Value>) -> Answer {
    match values.next() {
        Some(first) if values.all(|it| it == first) => answer.with(name, first),
        _ => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::{Got, answer};
    use crate::Case;
    use serde_json::json;

    fn got(status: u16, body: &serde_json::Value) -> Got {
        Got {
            status,
            body: body.to_string(),
            ..Got::default()
        }
    }

    #[test]
    fn a_peers_answer_is_its_workloads_name_and_else_the_status_or_how_it_failed() {
        let seen = json!({"namespace": "n", "pod": "echo-v1-5d8-x2", "host": "h", "path": "/p",
            "headers": {"x-forwarded-client-cert": "By=x"}});
        let failed = Got {
            failed: "closed".into(),
            ..Got::default()
        };
        let told = answer(
            &[got(200, &seen), got(200, &seen), got(503, &seen), failed],
            &Case::default(),
        );
        assert_eq!(told.gets["n/echo-v1"], 50.0);
        assert_eq!((told.gets["503"], told.gets["closed"]), (25.0, 25.0));
        assert_eq!(told.facts["path"], "/p");
        assert_eq!(told.facts["mutual"], true);
    }

    #[test]
    fn an_answer_that_is_no_http_has_no_headers() {
        let line = r#"[{"status":0,"headers":null,"body":"","issuer":"","failed":"closed","millis":3}]"#;
        let read: Vec<Got> = serde_json::from_str(line).unwrap();
        assert_eq!(answer(&read, &Case::default()).gets["closed"], 100.0);
    }

    #[test]
    fn a_redirect_is_taken_apart() {
        let mut it = got(301, &json!(""));
        it.headers = Some([("location".into(), "http://new.example/x".into())].into());
        let told = answer(&[it], &Case::default());
        assert_eq!(told.facts["location_host"], "new.example");
        assert_eq!(told.facts["location_path"], "/x");
    }
}
