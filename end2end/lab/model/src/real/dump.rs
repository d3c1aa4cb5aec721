//! What a proxy says of a cluster.

use crate::{Answer, standing::text};
use serde_json::{Value, json};

/// Envoy's word for "no limit".
const NONE: u64 = u32::MAX as u64;

/// The traffic policy of a cluster in a dump, in the words of the model; what is absent has Envoy's default.
pub(super) fn policy(dump: &Value, name: &str) -> Answer {
    let configs = dump["configs"].as_array().into_iter().flatten();
    let mut clusters = configs.map(|it| &it["cluster"]);
    let Some(cluster) = clusters.find(|it| it["name"] == name) else {
        return Answer::fact("cluster", false);
    };
    let limits = &cluster["circuit_breakers"]["thresholds"][0];
    let limit = |name: &str| limits[name].as_u64().unwrap_or(NONE);
    let options = &cluster["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
    let per_connection = options["common_http_protocol_options"]["max_requests_per_connection"].as_u64();
    let mut answer = Answer::fact("cluster", true)
        .with(
            "balancing",
            cluster["lb_policy"].as_str().unwrap_or("ROUND_ROBIN"),
        )
        .with(
            "connect_timeout_ms",
            millis(text(cluster, "/connect_timeout")).unwrap_or(5000),
        )
        .with("max_connections", limit("max_connections"))
        .with("max_pending_requests", limit("max_pending_requests"))
        .with("max_requests", limit("max_requests"))
        .with("max_requests_per_connection", per_connection.unwrap_or(0))
        .with("tls", tls(cluster));
    if limits.get("retry_budget").is_none() {
        answer = answer.with("max_retries", limit("max_retries"));
    }
    let outliers = &cluster["outlier_detection"];
    answer = answer.with("outliers", !outliers.is_null());
    if outliers.is_null() {
        return answer;
    }
    let number = |name: &str, otherwise: u64| outliers[name].as_u64().unwrap_or(otherwise);
    let gateway = match number("enforcing_consecutive_gateway_failure", 0) {
        0 => 0,
        _ => number("consecutive_gateway_failure", 5),
    };
    let all = match number("enforcing_consecutive_5xx", 100) {
        0 => 0,
        _ => number("consecutive_5xx", 5),
    };
    let time = |name: &str, otherwise: u64| outliers[name].as_str().and_then(millis).unwrap_or(otherwise);
    answer
        .with("consecutive_5xx", all)
        .with("consecutive_gateway_errors", gateway)
        .with("interval_ms", time("interval", 10_000))
        .with("base_ejection_ms", time("base_ejection_time", 30_000))
        .with("max_ejection_percent", number("max_ejection_percent", 10))
}

fn tls(cluster: &Value) -> &'static str {
    if !cluster["transport_socket_matches"].is_null() {
        return "automatic";
    }
    let common = &cluster["transport_socket"]["typed_config"]["common_tls_context"];
    let secrets = common["tls_certificate_sds_secret_configs"].as_array();
    match (common, secrets.and_then(|all| all.first())) {
        (Value::Null, _) => "none",
        (_, None) => "simple",
        (_, Some(secret)) if secret["name"] == json!("default") => "istio-mutual",
        (_, Some(_)) => "mutual",
    }
}

/// `1.500s`.
fn millis(duration: &str) -> Option<u64> {
    let seconds: f64 = duration.strip_suffix('s')?.parse().ok()?;
    format!("{:.0}", seconds * 1000.0).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{millis, policy};
    use serde_json::json;

    #[test]
    fn what_a_cluster_does_not_say_has_envoys_default() {
        let dump = json!({"configs": [{"cluster": {"name": "c", "lb_policy": "LEAST_REQUEST", "connect_timeout": "1.500s",
            "transport_socket_matches": [{}], "outlier_detection": {"consecutive_5xx": 3, "interval": "5s"}}}]});
        let told = policy(&dump, "c").facts;
        assert_eq!(told["connect_timeout_ms"], 1500);
        assert_eq!(told["max_connections"], u32::MAX);
        assert_eq!(
            (&told["consecutive_5xx"], &told["interval_ms"]),
            (&json!(3), &json!(5000))
        );
        assert_eq!(told["base_ejection_ms"], 30_000);
        assert_eq!(told["tls"], "automatic");
        assert_eq!(policy(&dump, "d").facts["cluster"], false);
        assert_eq!(millis("10s"), Some(10_000));
        assert_eq!(millis("soon"), None);
    }
}
