//! Options of `naru weight` and `naru freeze`.

use super::Telling;
use crate::config::{Kubernetes, Probing, Prometheus, seconds};
use clap::{Args, ValueEnum, builder::FalseyValueParser};

/// `naru weight`
#[derive(Args, Clone, Debug)]
pub(crate) struct Weight {
    /// The VirtualService, or the HTTPRoute if `httproute/` stands before it
    #[arg(value_name = "[KIND/]NAMESPACE/NAME")]
    pub(crate) route: String,
    /// Every destination of the rule with its weight, 100 in all; a destination is named by its subset, or by its host where it has none, and a
    /// backend by its Service
    #[arg(required = true, value_name = "DESTINATION=WEIGHT")]
    pub(crate) weights: Vec<String>,
    /// Which rule, by its position in spec.http, or in spec.rules of an HTTPRoute; with `tls/` or `tcp/` before it, in that list. Needed where
    /// several are weighted
    #[arg(long = "route", env = "NARU_ROUTE", value_name = "[LIST/]N")]
    pub(crate) rule: Option<String>,
    /// Why, for the journal; needed where something is written
    #[arg(long, env = "NARU_REASON", value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Only show what would be done, and what the API server says to it
    #[arg(long, env = "NARU_DRY_RUN", value_parser = FalseyValueParser::new())]
    pub(crate) dry_run: bool,
    /// Leave it for a second person, where the Migration wants one: who runs the same command without this option carries it out
    #[arg(long, env = "NARU_PROPOSE", value_parser = FalseyValueParser::new(), conflicts_with_all = ["dry_run", "wait"])]
    pub(crate) propose: bool,
    /// What is waited for after the API server has accepted it
    #[arg(long, env = "NARU_WAIT", value_name = "STATE")]
    pub(crate) wait: Option<Until>,
    /// How long is waited, 15s to 24h
    #[arg(
        id = "patience",
        long = "timeout",
        env = "NARU_TIMEOUT",
        default_value = "2m",
        value_parser = seconds,
        value_name = "TIME"
    )]
    pub(crate) patience: u32,
    /// How many requests have to be counted before the split counts as observed
    #[arg(long, env = "NARU_REQUESTS", default_value_t = 1_000, value_name = "N")]
    pub(crate) requests: u64,
    #[command(flatten)]
    pub(crate) kubernetes: Kubernetes,
    #[command(flatten)]
    pub(crate) prometheus: Prometheus,
    #[command(flatten)]
    pub(crate) probing: Probing,
    /// How it is told
    #[arg(long, env = "NARU_OUTPUT", default_value = "text")]
    pub(crate) output: Form,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Until {
    /// Every proxy that routes by it has acknowledged it
    InForce,
    /// That, and enough requests were counted since
    Observed,
}

/// How a change of weights is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Sentences
    Text,
    /// One JSON document
    Json,
    /// The JSON patch alone, for somebody else to apply: nothing is written
    Patch,
    /// The kubectl command alone: nothing is written
    Kubectl,
}

impl Weight {
    /// Something is to be written.
    pub(crate) fn writes(&self) -> bool {
        !self.dry_run && !matches!(self.output, Form::Patch | Form::Kubectl)
    }
}

/// `naru freeze`
#[derive(Args, Clone, Debug)]
pub(crate) struct Freeze {
    /// Why, for whoever meets it; needed to freeze
    #[arg(long, env = "NARU_REASON", value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Let everything go on
    #[arg(long, env = "NARU_LIFT", value_parser = FalseyValueParser::new())]
    pub(crate) lift: bool,
    /// Only let the API server try it, and write nothing
    #[arg(long, env = "NARU_DRY_RUN", value_parser = FalseyValueParser::new())]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) kubernetes: Kubernetes,
    /// How it is told
    #[arg(long, env = "NARU_OUTPUT", default_value = "text")]
    pub(crate) output: Telling,
}
