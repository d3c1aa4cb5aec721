//! Options of the commands that read the journal and take changes back.

use super::Telling;
use crate::config::Kubernetes;
use clap::{Args, builder::FalseyValueParser};

/// `naru changes`
#[derive(Args, Clone, Debug)]
pub(crate) struct Changes {
    #[command(flatten)]
    pub(crate) kubernetes: Kubernetes,
    /// Only changes in this namespace; can be repeated
    #[arg(
        long = "namespace",
        env = "NARU_NAMESPACE",
        value_delimiter = ',',
        value_name = "NAMESPACE"
    )]
    pub(crate) namespaces: Vec<String>,
    /// How it is told
    #[arg(long, env = "NARU_OUTPUT", default_value = "text")]
    pub(crate) output: Telling,
}

/// `naru undo`
#[derive(Args, Clone, Debug)]
pub(crate) struct Undo {
    /// The change, as `naru changes` names it
    #[arg(value_name = "NAMESPACE/CHANGE")]
    pub(crate) change: String,
    #[command(flatten)]
    pub(crate) taking_back: TakingBack,
}

/// `naru rollback`
#[derive(Args, Clone, Debug)]
pub(crate) struct Rollback {
    /// The oldest change that is taken back, as `naru changes` names it
    #[arg(long, env = "NARU_CHANGE", value_name = "NAMESPACE/CHANGE")]
    pub(crate) change: String,
    #[command(flatten)]
    pub(crate) taking_back: TakingBack,
}

/// How changes are taken back.
#[derive(Args, Clone, Debug)]
pub(crate) struct TakingBack {
    #[command(flatten)]
    pub(crate) kubernetes: Kubernetes,
    /// Why, for the journal
    #[arg(
        long,
        env = "NARU_REASON",
        required_unless_present = "dry_run",
        value_name = "TEXT"
    )]
    pub(crate) reason: Option<String>,
    /// Only show what would be done, and what the API server says to it
    #[arg(long, env = "NARU_DRY_RUN", value_parser = FalseyValueParser::new())]
    pub(crate) dry_run: bool,
    /// How it is told
    #[arg(long, env = "NARU_OUTPUT", default_value = "text")]
    pub(crate) output: Telling,
}
