//! What counts as failed.

use super::Protocol;

/// gRPC statuses that tell of a failing server, as opposed to a caller's mistake: UNKNOWN 2, DEADLINE_EXCEEDED 4, UNIMPLEMENTED 12,
/// INTERNAL 13, UNAVAILABLE 14, DATA_LOSS 15. The list is OpenTelemetry's for server spans:
/// <https://opentelemetry.io/docs/specs/semconv/rpc/grpc/>.
const GRPC: [&str; 6] = ["2", "4", "12", "13", "14", "15"];

/// Envoy's flags of connections that never reached a server: no healthy upstream, connection failure, no route, no cluster, overflow,
/// upstream retry limit. <https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage>, `%RESPONSE_FLAGS%`.
const UNREACHED: [&str; 6] = ["UH", "UF", "NR", "NC", "UO", "URX"];

/// Whether a request (for TCP: a connection) failed.
///
/// HTTP: 5xx, or 0, which Envoy writes when the caller went away before an answer came. gRPC: by its own status, which Istio's label
/// `grpc_response_status` holds as a number; a gRPC call that was answered below gRPC (no status) is judged as HTTP. 4xx is not failed:
/// whether a 401 is a fault cannot be told from here. TCP: the flags say that no server was reached.
pub fn failed(protocol: Protocol, code: &str, grpc_status: &str, flags: &str) -> bool {
    match protocol {
        Protocol::Tcp => unreached(flags),
        Protocol::Grpc if !grpc_status.is_empty() => GRPC.contains(&grpc_status) || http_failed(code),
        Protocol::Grpc | Protocol::Http => http_failed(code),
    }
}

/// Whether Envoy's flags, joined by commas, say that no server was reached.
pub fn unreached(flags: &str) -> bool {
    flags.split(',').any(|flag| UNREACHED.contains(&flag))
}

fn http_failed(code: &str) -> bool {
    code == "0" || (code.len() == 3 && code.starts_with('5'))
}

#[cfg(test)]
mod tests {
    use super::failed;
    use crate::traffic::Protocol::{Grpc, Http, Tcp};

    #[test]
    fn failures_by_protocol() {
        for (protocol, code, status, flags, expected) in [
            (Http, "200", "", "-", false),
            (Http, "404", "", "NR", false),
            (Http, "401", "", "-", false),
            (Http, "500", "", "-", true),
            (Http, "503", "", "UH", true),
            (Http, "0", "", "DC", true),
            (Http, "", "", "", false),
            (Http, "50", "", "", false),
            (Grpc, "200", "0", "-", false),
            (Grpc, "200", "5", "-", false),
            (Grpc, "200", "1", "-", false),
            (Grpc, "200", "14", "-", true),
            (Grpc, "200", "12", "-", true),
            (Grpc, "200", "2", "-", true),
            (Grpc, "0", "1", "DC", true),
            (Grpc, "503", "", "UF", true),
            (Grpc, "200", "", "-", false),
            (Tcp, "", "", "-", false),
            (Tcp, "0", "", "-", false),
            (Tcp, "", "", "UF,URX", true),
            (Tcp, "", "", "DC", false),
        ] {
            assert_eq!(
                failed(protocol, code, status, flags),
                expected,
                "{protocol:?} {code} {status} {flags}"
            );
        }
    }
}
