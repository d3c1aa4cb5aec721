//! A line in the words of Istio's standard labels.

use super::super::samples::Line;
use naru_domain::{
    Name,
    mesh::host,
    snapshot::Objects,
    traffic::{Party, Protocol, ROUTE_TAG, Reporter, ServiceId},
    workload::workload_of,
};
use std::{collections::HashMap, fmt::Write};

/// What Istio writes for what a proxy does not know.
const UNKNOWN: &str = "unknown";

/// Service accounts by namespace and name of their workload.
#[derive(Debug, Default)]
pub(in super::super) struct Identities(HashMap<(Name, Name), Name>);

impl Identities {
    /// Of all pods.
    pub(in super::super) fn of(objects: &Objects) -> Self {
        let pods = objects.pods.values();
        Self(
            pods.map(|pod| (workload_of(objects, pod), pod.service_account.clone()))
                .collect(),
        )
    }

    /// `spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT`, as Istio's certificates name a workload.
    fn principal(&self, party: &Party) -> String {
        let place = (party.namespace.clone(), party.workload.clone());
        let account = self.0.get(&place).map_or("", |it| it);
        let account = if account.is_empty() { "default" } else { account };
        format!("spiffe://cluster.local/ns/{}/sa/{account}", party.namespace)
    }
}

/// `name="value"`, joined by commas. With `mutual`, the connection was mutual TLS. Names, order and words are those of Istio's proxies
/// (istio/proxy, `source/extensions/filters/http/istio_stats/istio_stats.cc`).
pub(in super::super) fn labels(line: &Line, mutual: bool, identities: &Identities) -> String {
    let flow = &line.flow;
    let mut all = Labels(String::with_capacity(1_024));
    let source = flow.reporter == Reporter::Source;
    all.put("reporter", if source { "source" } else { "destination" });
    let principal = |party: &Party| {
        if mutual && !party.workload.is_empty() {
            identities.principal(party)
        } else {
            UNKNOWN.into()
        }
    };
    all.party("source", &flow.source, &principal(&flow.source));
    all.party("destination", &flow.target, &principal(&flow.target));
    all.service(&flow.service);
    all.put("request_protocol", flow.protocol.name());
    if flow.protocol != Protocol::Tcp {
        let (code, status) = answer(flow.protocol, &line.code);
        all.put("response_code", code);
        all.put("grpc_response_status", status);
    }
    all.put("response_flags", &line.flags);
    // Only the called side's proxy judges it.
    let policy = match (source, line.mtls) {
        (true, _) => UNKNOWN,
        (false, true) => "mutual_tls",
        (false, false) => "none",
    };
    all.put("connection_security_policy", policy);
    if !line.route.is_empty() {
        all.put(ROUTE_TAG, &line.route);
    }
    all.0
}

/// Response code and gRPC status. gRPC answers 200 whatever happened and tells it in its status, which Envoy makes of a code so
/// (`Grpc::Utility::httpToGrpcStatus`); where there was no answer, there is no status.
pub(in super::super) fn answer(protocol: Protocol, code: &str) -> (&str, &'static str) {
    if protocol != Protocol::Grpc || code == "0" {
        return (code, "");
    }
    let status = match code {
        "200" => "0",
        "400" => "13",
        "401" => "16",
        "403" => "7",
        "404" => "12",
        "429" | "502" | "503" | "504" => "14",
        _ => "2",
    };
    ("200", status)
}

struct Labels(String);

impl Labels {
    fn put(&mut self, name: &str, value: &str) {
        self.join("", name, value);
    }

    fn join(&mut self, prefix: &str, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        let _ = write!(self.0, "{prefix}{name}=\"");
        for letter in value.chars() {
            match letter {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                letter => self.0.push(letter),
            }
        }
        self.0.push('"');
    }

    fn party(&mut self, side: &str, party: &Party, principal: &str) {
        let known = |it: &'_ Name| if it.is_empty() { UNKNOWN.into() } else { it.clone() };
        // A workload without a version has the canonical revision `latest`.
        let (version, revision) = match &*party.version {
            "" | "latest" => (UNKNOWN, "latest"),
            version => (version, version),
        };
        let mut put = |name: &str, value: &str| self.join(side, name, value);
        put("_workload", &known(&party.workload));
        put("_canonical_service", &known(&party.app));
        put("_canonical_revision", revision);
        put("_workload_namespace", &known(&party.namespace));
        put("_principal", principal);
        put("_app", &known(&party.app));
        put("_version", version);
        put("_cluster", &known(&party.cluster));
    }

    fn service(&mut self, service: &ServiceId) {
        let (host, name, namespace) = match (&*service.name, &*service.namespace) {
            ("", _) => (UNKNOWN.into(), UNKNOWN, UNKNOWN),
            // `PassthroughCluster`, `BlackHoleCluster`: a cluster of Envoy's, no service of Kubernetes'.
            (name, "") => (name.into(), name, UNKNOWN),
            (name, namespace) => (host::of_service(service), name, namespace),
        };
        self.put("destination_service", &host);
        self.put("destination_service_name", name);
        self.put("destination_service_namespace", namespace);
    }
}
