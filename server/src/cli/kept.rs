//! Options of the commands about what people have put their names to.

use super::Telling;
use crate::config::Kubernetes;
use clap::{Args, ValueEnum, builder::FalseyValueParser};
use std::path::PathBuf;

/// `naru export`
#[derive(Args, Clone, Debug)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) kubernetes: Kubernetes,
    /// What is printed
    #[arg(long, env = "NARU_OUTPUT", default_value = "json")]
    pub(crate) output: Document,
}

/// What an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Document {
    /// One JSON document, for `naru verify` and for another cluster
    Json,
    /// One page, to be read and printed
    Html,
}

/// `naru verify`
#[derive(Args, Clone, Debug)]
pub(crate) struct Verify {
    /// The exported file, or - for standard input
    pub(crate) file: PathBuf,
    /// A head that was published: shows that signatures at the end are missing
    #[arg(long, env = "NARU_HEAD", value_name = "DIGEST")]
    pub(crate) head: Option<String>,
}

/// `naru import`
#[derive(Args, Clone, Debug)]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) kubernetes: Kubernetes,
    /// The exported file, or - for standard input
    pub(crate) file: PathBuf,
    /// A head that was published: a file whose end is missing is not brought in
    #[arg(long, env = "NARU_HEAD", value_name = "DIGEST")]
    pub(crate) head: Option<String>,
    /// Only let the API server try it, and write nothing
    #[arg(long, env = "NARU_DRY_RUN", value_parser = FalseyValueParser::new())]
    pub(crate) dry_run: bool,
    /// How it is told
    #[arg(long, env = "NARU_OUTPUT", default_value = "text")]
    pub(crate) output: Telling,
}
