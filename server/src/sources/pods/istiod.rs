//! What istiod knows of its proxies: `/debug/syncz` on its monitoring port, which is what `istioctl proxy-status` shows.
//!
//! Istio asks who wants to know (`pilot/pkg/xds/debug.go`): a ServiceAccount's token for the audience `istio-ca`, of Istio's own namespace or, in releases
//! that look at it, of one that istiod's `DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES` names. The port speaks no TLS; the token that crosses it is good for a
//! certificate of Naru's own identity, which no policy lets in anywhere, and for nothing at the API server.

use super::Pods;
use naru_domain::{
    Name, SourceName, Timestamp, Why,
    inquiry::{ProxyState, ProxyStates, Stage, Xds},
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `--monitoringAddr`: what Prometheus scrapes too, so that network policies let it through.
const PORT: u16 = 15014;

/// 4,000 proxies with four kinds of resources each are about 6 MB.
const BODY_LIMIT: usize = 64 << 20;

/// Asks one istiod.
pub(in crate::sources) async fn proxies(pods: &Pods, it: &ProxyStates) -> Result<Vec<ProxyState>, Why> {
    let (status, body) = pods.istiod(&it.ip, PORT, "/debug/syncz", BODY_LIMIT).await?;
    let source = SourceName::Istiod;
    match status {
        200 => read(&body).map_err(|error| Why::Garbled {
            source,
            // Where it ends, not what stood there.
            detail: format!("line {}, column {}", error.line(), error.column()).into(),
        }),
        401 | 403 => Err(Why::Failed {
            source,
            status,
            detail: "/debug/syncz: DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES, --istiod-token-file".into(),
        }),
        status => Err(Why::Failed {
            source,
            status,
            detail: "/debug/syncz".into(),
        }),
    }
}

/// A proxy, as istiod writes it. (`SyncStatus` in `pilot/pkg/xds/debug.go`.)
#[derive(Deserialize)]
struct SyncStatus {
    proxy: String,
    #[serde(default)]
    istio_version: Name,
    #[serde(default)]
    resources: BTreeMap<String, ResourceStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct ResourceStatus {
    sent: String,
    acked: String,
    sent_time: Option<String>,
    last_error: Name,
}

fn read(body: &[u8]) -> serde_json::Result<Vec<ProxyState>> {
    let all: Option<Vec<SyncStatus>> = serde_json::from_slice(body)?;
    let all = all.into_iter().flatten();
    Ok(all.filter_map(state).collect())
}

/// None for what is no pod's: `NAME.NAMESPACE` is how a proxy calls itself.
fn state(it: SyncStatus) -> Option<ProxyState> {
    let (name, namespace) = it.proxy.rsplit_once('.')?;
    let stages = it.resources.iter().filter_map(|(url, status)| {
        let xds = match url.rsplit_once('.')?.1 {
            "Cluster" => Xds::Clusters,
            "Listener" => Xds::Listeners,
            "RouteConfiguration" => Xds::Routes,
            "ClusterLoadAssignment" => Xds::Endpoints,
            _ => return None,
        };
        (!status.sent.is_empty()).then(|| (xds, stage(status)))
    });
    let mut stages: Vec<(Xds, Stage)> = stages.collect();
    stages.sort_by_key(|(xds, _)| *xds);
    Some(ProxyState {
        pod: (namespace.into(), name.into()),
        version: it.istio_version,
        stages,
    })
}

fn stage(status: &ResourceStatus) -> Stage {
    if !status.last_error.is_empty() {
        return Stage::Refused(status.last_error.clone());
    }
    let sent: Option<Timestamp> = status.sent_time.as_ref().and_then(|it| it.parse().ok());
    let sent = sent.filter(|it| *it > Timestamp::UNIX_EPOCH);
    if status.sent == status.acked {
        Stage::Acknowledged(sent)
    } else {
        Stage::Waiting(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use naru_domain::inquiry::{Stage, Xds};

    /// Written by istiod 1.31 for a gateway, with nonces and times shortened.
    const SYNCZ: &str = r#"[{"cluster_id":"Kubernetes","proxy":"istio-ingressgateway-7f-v8.istio-system","proxy_type":"router","istio_version":"1.31.0",
      "cluster_sent":"a","cluster_acked":"a","resources":{
        "type.googleapis.com/envoy.config.cluster.v3.Cluster":{"sent":"a","acked":"a","sentTime":"2026-11-29T21:07:59.657504011Z"},
        "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment":{"sent":"b","acked":"","sentTime":"2026-11-29T21:07:59Z"},
        "type.googleapis.com/envoy.config.listener.v3.Listener":{"sent":"c","acked":"b","sentTime":"0001-01-01T00:00:00Z"},
        "type.googleapis.com/envoy.config.route.v3.RouteConfiguration":{"sent":"d","acked":"c","lastError":"bad regex"},
        "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret":{"sent":"e"},
        "type.googleapis.com/istio.workload.Address":{}}},
      {"proxy":"odd"}]"#;

    #[test]
    fn each_kind_is_as_far_as_istiod_says() {
        let all = read(SYNCZ.as_bytes()).unwrap();
        let [gateway] = &all[..] else { panic!("{all:?}") };
        assert_eq!(
            gateway.pod,
            ("istio-system".into(), "istio-ingressgateway-7f-v8".into())
        );
        assert_eq!(&*gateway.version, "1.31.0");
        let clusters = Some("2026-11-29T21:07:59.657504011Z".parse().unwrap());
        let sent = Some("2026-11-29T21:07:59Z".parse().unwrap());
        assert_eq!(
            gateway.stages,
            [
                (Xds::Clusters, Stage::Acknowledged(clusters)),
                (Xds::Listeners, Stage::Waiting(None)),
                (Xds::Routes, Stage::Refused("bad regex".into())),
                (Xds::Endpoints, Stage::Waiting(sent)),
            ]
        );
    }

    #[test]
    fn nobody_connected_is_nobody() {
        assert_eq!(read(b"null").unwrap(), []);
        assert_eq!(read(b"[]").unwrap(), []);
        assert!(read(b"<html>").is_err());
    }
}
