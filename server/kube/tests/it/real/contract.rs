//! The contract, on the real API server.

use super::subject::Lab;

naru_ports::cluster_contract!([#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]] Lab::new().await);
