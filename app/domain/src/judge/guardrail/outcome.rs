//! What became of a request, as far as versions are compared by it.

use super::evidence::Block;
use crate::traffic::{Protocol, failing::failed};

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered.
    Well,
    /// It failed, by its response code.
    Failed,
    /// A gRPC call failed, by its own status, or below gRPC.
    GrpcFailed,
    /// It was answered 400 to 499.
    ClientError,
}

impl Outcome {
    /// By Istio's labels `response_code`, `grpc_response_status` and `response_flags`.
    pub fn of(protocol: Protocol, code: &str, grpc_status: &str, flags: &str) -> Self {
        match (protocol, failed(protocol, code, grpc_status, flags)) {
            (Protocol::Grpc, true) => Self::GrpcFailed,
            (_, true) => Self::Failed,
            (_, false) if code.len() == 3 && code.starts_with('4') => Self::ClientError,
            (_, false) => Self::Well,
        }
    }
}

impl Block {
    /// So many requests more, with this outcome.
    pub fn add(&mut self, n: u64, outcome: Outcome) {
        self.requests += n;
        match outcome {
            Outcome::Well => {}
            Outcome::Failed => self.failed += n,
            Outcome::GrpcFailed => self.grpc_failed += n,
            Outcome::ClientError => self.client_errors += n,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome::{self, ClientError, Failed, GrpcFailed, Well};
    use crate::traffic::Protocol::{Grpc, Http};

    #[test]
    fn a_request_has_one_outcome() {
        for (protocol, code, status, flags, expected) in [
            (Http, "200", "", "-", Well),
            (Http, "302", "", "-", Well),
            (Http, "401", "", "-", ClientError),
            (Http, "404", "", "NR", ClientError),
            (Http, "40", "", "-", Well),
            (Http, "503", "", "UH", Failed),
            (Http, "0", "", "DC", Failed),
            (Grpc, "200", "0", "-", Well),
            (Grpc, "200", "16", "-", Well),
            (Grpc, "200", "14", "-", GrpcFailed),
            (Grpc, "503", "", "UF", GrpcFailed),
            (Grpc, "401", "", "-", ClientError),
        ] {
            assert_eq!(
                Outcome::of(protocol, code, status, flags),
                expected,
                "{protocol:?} {code} {status} {flags}"
            );
        }
    }
}
