//! The doorway: see `cli` for the commands.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // kube brings ring, reqwest would bring another provider: rustls wants to be told which. It can only be set already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    naru::cli::run().await
}
