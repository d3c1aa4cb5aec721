//! The commands. Each is one struct of options and one function; exit codes are the same for all:
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | a fault of ours or of the machine's (the address is taken, for example); `verify`: signatures are broken; `undo`, `rollback`: refused by the state of things |
//! | 2 | the arguments or settings are wrong |
//! | 3 | a source could not be reached, or did not speak its protocol; nothing was printed |
//! | 4 | rights are missing, or objects had to be left out: what was printed, if anything, is incomplete |
//!
//! Failures go to standard error as `error[key]: sentence`. The key is for scripts and stays; the sentence is for people, in the language of
//! `--lang`, `NARU_LANG`, `LC_ALL`, `LC_MESSAGES` or `LANG`.

mod changing;
mod journal;
mod kept;

pub(crate) use changing::{Form, Freeze, Until, Weight};
pub(crate) use journal::{Changes, Rollback, TakingBack, Undo};
pub(crate) use kept::{Document, Export, Import, Verify};

use crate::{
    changes, check,
    config::{Kubernetes, Listening, Logging, Observing, OpenId, Probing, Prometheus, SigningIn, Standing},
    doctor, evidence, export,
    failure::Failure,
    freeze, graph, import, logging, preflight, rehearse, startup, undo, verify, weight,
    what_if::{self, About},
    why,
};
use clap::{Args, Parser, Subcommand, ValueEnum, builder::FalseyValueParser};
use naru_app::Lang;
use naru_domain::Timestamp;
use naru_rehearsal::time::Pace;
use std::{env, net::SocketAddr, path::PathBuf, process::ExitCode};

/// A console for carrying a Kubernetes system onto the Istio service mesh
#[derive(Debug, Parser)]
#[command(name = "naru", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    logging: Logging,
    /// Language of messages: en or ko
    #[arg(long, env = "NARU_LANG", global = true, value_name = "LANGUAGE")]
    lang: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the console on a cluster and its Prometheus
    Serve(Box<Serve>),
    /// Serve the console on a world of its own, where nothing real can be touched
    Rehearse(Rehearse),
    /// Print once who calls whom
    #[command(
        after_help = "Exit codes: 0 done, 2 wrong arguments, 3 a source gave no usable answer (nothing printed), 4 rights are missing or something had to be left out: incomplete"
    )]
    Graph(Graph),
    /// Say what proxies would do with requests, by objects from files: no cluster is asked
    #[command(
        name = "what-if",
        after_help = "Exit codes: 0 answered, 2 wrong arguments or files. The README has the fields of requests and answers."
    )]
    WhatIf(WhatIf),
    /// Explain one request: who decides, where it goes, what is behind, whether it is let in
    #[command(
        after_help = "Exit codes: 0 explained, 2 wrong arguments, 3 the cluster gave no usable answer, 4 rights are missing: the explanation says what it does not know"
    )]
    Why(Why),
    /// Judge the checklist once: on a cluster, on files, or on files laid over a cluster
    #[command(
        after_help = "Exit codes: 0 every item asked for is met, 1 one is not met, 2 wrong arguments or files, 3 one is not known, or a source gave no usable answer"
    )]
    Check(Check),
    /// Say what Naru sees of its sources, what it does not, and which verdicts each gap leaves unknown
    #[command(
        after_help = "Exit codes: 0 nothing is missing, 1 a source shows less than it should or a policy is not in force, 2 wrong arguments, 3 the API server gave no usable answer"
    )]
    Doctor(Doctor),
    /// Say of each workload whether its pods will come up when they get a proxy, and with what loss: before any label is set
    #[command(
        after_help = "Exit codes: 0 all come up, 1 something stops one, 2 wrong arguments or files, 3 of one it is not known, or a source gave no usable answer"
    )]
    Preflight(Preflight),
    /// Set the weights of one rule of a VirtualService, as whoever the kubeconfig names: no server is needed
    #[command(
        after_help = "Exit codes: 0 set, and what was waited for has come (or it could be set, with --dry-run), 1 refused by the state of things, and nothing was changed, 2 wrong arguments, or no such rule, 3 a source gave no usable answer, or what was waited for has not come in time, 4 a right is missing"
    )]
    Weight(Box<Weight>),
    /// Stop every controller of Naru at once, as whoever the kubeconfig names, and say what stays as it is; or let them go on: no server is needed
    #[command(
        after_help = "Exit codes: 0 frozen, or lifted (or it could be, with --dry-run), 1 refused by the state of things (it is frozen already, or nothing is frozen), 2 wrong arguments, 3 the API server gave no usable answer, 4 a right is missing; where it says that it is done, only what is under way could not be read"
    )]
    Freeze(Freeze),
    /// List the journal, the latest first, with a kubeconfig alone
    #[command(
        after_help = "Exit codes: 0 listed, 2 wrong arguments, 3 the API server gave no usable answer, 4 rights are missing or an entry cannot be read: incomplete"
    )]
    Changes(Changes),
    /// Take one change back, as whoever the kubeconfig names: no server is needed
    #[command(
        after_help = "Exit codes: 0 taken back (or it could be, with --dry-run), 1 refused by the state of things, and nothing was changed, 2 wrong arguments, or no such change, 3 the API server gave no usable answer, or nobody knows yet how it ended, 4 a right is missing"
    )]
    Undo(Undo),
    /// Take a change back and all that Naru changed on the same object since, the newest first
    #[command(
        after_help = "Exit codes: 0 all taken back (or they could be, with --dry-run), otherwise why it stopped: 1 refused by the state of things, 2 wrong arguments, or no such change, 3 the API server gave no usable answer, or nobody knows yet how it ended, 4 a right is missing"
    )]
    Rollback(Rollback),
    /// Hand in what was tried elsewhere, as evidence that an item is judged by; or list what was handed in
    #[command(subcommand)]
    Evidence(Evidence),
    /// Print all that people have signed, waived and accepted, with what it was signed for: a file that outlives the cluster
    #[command(
        after_help = "Exit codes: 0 exported and whole, 1 exported and broken (the place is named), 2 wrong arguments, 3 the cluster gave no usable answer, 4 rights are missing (nothing printed)"
    )]
    Export(Export),
    /// Bring an exported file back into a cluster that has lost it, as whoever the kubeconfig names
    #[command(
        after_help = "Exit codes: 0 all is there, 1 the file is broken, or the cluster has something else under one of its names, 2 wrong arguments, or no such file, 3 the API server gave no usable answer, 4 a right is missing. What had arrived stays, and is passed over by the next try."
    )]
    Import(Import),
    /// Say whether the signatures in an exported file are whole: no cluster is asked
    #[command(
        after_help = "Exit codes: 0 whole, 1 broken (the place is named), 2 wrong arguments, or no such file"
    )]
    Verify(Verify),
}

/// `naru check`
#[derive(Args, Clone, Debug)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) kubernetes: Kubernetes,
    #[command(flatten)]
    pub(crate) prometheus: Prometheus,
    #[command(flatten)]
    pub(crate) probing: Probing,
    #[command(flatten)]
    pub(crate) observing: Observing,
    /// Objects from files: a file, a folder, or - for standard input; can be repeated. Alone they are judged as the whole system, with --kubeconfig
    /// as laid over the cluster's
    #[arg(
        short = 'f',
        long = "file",
        env = "NARU_FILE",
        value_delimiter = ',',
        value_name = "PATH"
    )]
    pub(crate) files: Vec<PathBuf>,
    /// Only the items of this phase
    #[arg(
        long,
        env = "NARU_PHASE",
        value_parser = clap::value_parser!(u8).range(1..=4),
        conflicts_with = "items",
        value_name = "1-4"
    )]
    pub(crate) phase: Option<u8>,
    /// Only this item, such as 1.2, or one of the Migration's own, such as 2.checkout-success; can be repeated
    #[arg(long = "item", env = "NARU_ITEM", value_delimiter = ',', value_name = "ITEM")]
    pub(crate) items: Vec<String>,
    /// How it is reported
    #[arg(long, env = "NARU_OUTPUT", default_value = "text")]
    pub(crate) output: Report,
}

/// How a judgement is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Report {
    /// Sentences
    Text,
    /// One JSON document
    Json,
    /// A JUnit report
    Junit,
}

/// `naru doctor`
#[derive(Args, Clone, Debug)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) kubernetes: Kubernetes,
    #[command(flatten)]
    pub(crate) prometheus: Prometheus,
    #[command(flatten)]
    pub(crate) probing: Probing,
    #[command(flatten)]
    pub(crate) observing: Observing,
    /// How it is told
    #[arg(long, env = "NARU_OUTPUT", default_value = "text")]
    pub(crate) output: Telling,
}

/// `naru preflight`
#[derive(Args, Clone, Debug)]
pub(crate) struct Preflight {
    #[command(flatten)]
    pub(crate) kubernetes: Kubernetes,
    /// Objects from files instead of a cluster: a file, a folder, or - for standard input; can be repeated
    #[arg(
        short = 'f',
        long = "file",
        env = "NARU_FILE",
        value_delimiter = ',',
        value_name = "PATH"
    )]
    pub(crate) files: Vec<PathBuf>,
    /// How it is told
    #[arg(long, env = "NARU_OUTPUT", default_value = "text")]
    pub(crate) output: Telling,
    /// Only workloads of these namespaces; all but Kubernetes' own if none is named
    pub(crate) namespaces: Vec<String>,
}

/// `naru evidence`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Evidence {
    /// Hand in a report, as whoever the kubeconfig names
    #[command(
        after_help = "Exit codes: 0 handed in, 2 wrong arguments, or no such report, 3 the API server gave no usable answer or did not take it, 4 the right is missing"
    )]
    Add(Box<AddEvidence>),
    /// List what was handed in, the latest first
    #[command(
        after_help = "Exit codes: 0 listed, 2 wrong arguments, 3 the API server gave no usable answer, 4 rights are missing or one cannot be read: incomplete"
    )]
    List(ListEvidence),
}

/// `naru evidence add`
#[derive(Args, Clone, Debug)]
pub(crate) struct AddEvidence {
    #[command(flatten)]
    pub(crate) kubernetes: Kubernetes,
    /// The item that it is about: 2.4
    #[arg(long, env = "NARU_ITEM", value_name = "ITEM")]
    pub(crate) item: String,
    /// A JUnit report, or - for standard input
    #[arg(long, env = "NARU_JUNIT", value_name = "PATH")]
    pub(crate) junit: PathBuf,
    /// The commit that was tried, 7 to 64 hexadecimal digits
    #[arg(long, env = "NARU_COMMIT", value_name = "SHA")]
    pub(crate) commit: String,
    /// Where it was tried: a URL or the name of an environment, the same for each run there
    #[arg(long, env = "NARU_TARGET", value_name = "NAME")]
    pub(crate) target: String,
    /// The run's own id
    #[arg(long, env = "NARU_RUN", value_name = "ID")]
    pub(crate) run: Option<String>,
    /// When the run began (RFC 3339); what was changed after that was not tried
    #[arg(long, env = "NARU_STARTED", value_name = "TIME")]
    pub(crate) started: Option<Timestamp>,
    /// When it ended
    #[arg(long, env = "NARU_ENDED", value_name = "TIME")]
    pub(crate) ended: Option<Timestamp>,
    /// Only ask the API server whether it would take it
    #[arg(long, env = "NARU_DRY_RUN", value_parser = FalseyValueParser::new())]
    pub(crate) dry_run: bool,
    /// How it is told
    #[arg(long, env = "NARU_OUTPUT", default_value = "text")]
    pub(crate) output: Telling,
}

/// `naru evidence list`
#[derive(Args, Clone, Debug)]
pub(crate) struct ListEvidence {
    #[command(flatten)]
    pub(crate) kubernetes: Kubernetes,
    /// How it is told
    #[arg(long, env = "NARU_OUTPUT", default_value = "text")]
    pub(crate) output: Telling,
}

/// `naru serve`
#[derive(Args, Clone, Debug)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) listening: Listening,
    #[command(flatten)]
    pub(crate) kubernetes: Kubernetes,
    #[command(flatten)]
    pub(crate) prometheus: Prometheus,
    #[command(flatten)]
    pub(crate) probing: Probing,
    #[command(flatten)]
    pub(crate) observing: Observing,
    #[command(flatten)]
    pub(crate) standing: Standing,
    #[command(flatten)]
    pub(crate) signing_in: SigningIn,
    #[command(flatten)]
    pub(crate) openid: OpenId,
}

/// `naru rehearse`
#[derive(Args, Clone, Debug)]
pub(crate) struct Rehearse {
    #[command(flatten)]
    pub(crate) listening: Listening,
    #[command(flatten)]
    pub(crate) observing: Observing,
    #[command(flatten)]
    pub(crate) standing: Standing,
    /// What is rehearsed
    #[arg(long, env = "NARU_SCENARIO", default_value = "guide", value_name = "NAME")]
    pub(crate) scenario: String,
    /// Instead of a scenario: a system of this many namespaces, 1 to 1,000
    #[arg(
        long,
        env = "NARU_NAMESPACES",
        conflicts_with = "scenario",
        value_parser = clap::value_parser!(u32).range(1..=1_000),
        value_name = "NUMBER"
    )]
    pub(crate) namespaces: Option<u32>,
    /// Services of each namespace of such a system, 1 to 100
    #[arg(
        long,
        env = "NARU_SERVICES",
        conflicts_with = "scenario",
        value_parser = clap::value_parser!(u32).range(1..=100),
        value_name = "NUMBER"
    )]
    pub(crate) services: Option<u32>,
    /// Loopback address and port at which a real Prometheus can scrape the proxies' counters
    #[arg(long, env = "NARU_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// The same seed, the same world
    #[arg(long, env = "NARU_SEED", default_value_t = 1, value_name = "NUMBER")]
    pub(crate) seed: u64,
    /// How fast time passes: 0 (it stands still), 1, 10 or 60
    #[arg(
        long,
        env = "NARU_SPEED",
        default_value = "1",
        value_parser = speed,
        allow_negative_numbers = true,
        value_name = "FACTOR"
    )]
    pub(crate) speed: Pace,
    /// Objects of your own, added to the scenario's: a file, a folder, or - for standard input; can be repeated
    #[arg(
        short = 'f',
        long = "file",
        env = "NARU_FILE",
        value_delimiter = ',',
        value_name = "PATH"
    )]
    pub(crate) files: Vec<PathBuf>,
    /// File to which the record of each finished run is added, as a line of JSON
    #[arg(long, env = "NARU_RECORDS", value_name = "PATH")]
    pub(crate) records: Option<PathBuf>,
}

fn speed(text: &str) -> Result<Pace, String> {
    let pace = text.parse().ok().and_then(Pace::of_factor);
    pace.ok_or_else(|| "not one of 0, 1, 10, 60".to_owned())
}

/// `naru graph`
#[derive(Args, Clone, Debug)]
pub(crate) struct Graph {
    #[command(flatten)]
    pub(crate) kubernetes: Kubernetes,
    #[command(flatten)]
    pub(crate) prometheus: Prometheus,
    #[command(flatten)]
    pub(crate) observing: Observing,
    /// Only what has an end in this namespace; can be repeated
    #[arg(
        long = "namespace",
        env = "NARU_NAMESPACE",
        value_delimiter = ',',
        value_name = "NAMESPACE"
    )]
    pub(crate) namespaces: Vec<String>,
    /// How it is printed
    #[arg(long, env = "NARU_OUTPUT", default_value = "json")]
    pub(crate) output: Output,
}

/// `naru what-if`
#[derive(Args, Clone, Debug)]
pub(crate) struct WhatIf {
    /// What is asked about
    pub(crate) about: About,
    /// Objects: a file, a folder, or - for standard input; can be repeated
    #[arg(
        short = 'f',
        long = "file",
        env = "NARU_FILE",
        value_delimiter = ',',
        required = true,
        value_name = "PATH"
    )]
    pub(crate) files: Vec<PathBuf>,
    /// Requests, as JSON
    #[arg(long, env = "NARU_REQUESTS", value_name = "PATH")]
    pub(crate) requests: PathBuf,
    /// How they are answered
    #[arg(long, env = "NARU_OUTPUT", default_value = "json")]
    pub(crate) output: Output,
}

/// `naru why`
#[derive(Args, Clone, Debug)]
pub(crate) struct Why {
    #[command(flatten)]
    pub(crate) kubernetes: Kubernetes,
    /// Objects from files instead of a cluster: a file, a folder, or - for standard input; can be repeated
    #[arg(
        short = 'f',
        long = "file",
        env = "NARU_FILE",
        value_delimiter = ',',
        value_name = "PATH"
    )]
    pub(crate) files: Vec<PathBuf>,
    /// Who asks, as NAMESPACE/WORKLOAD
    #[arg(long, env = "NARU_FROM", value_name = "NAMESPACE/WORKLOAD")]
    pub(crate) from: String,
    /// A header of the request, as `name: value`; can be repeated
    #[arg(short = 'H', long = "header", env = "NARU_HEADER", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// GET, POST …
    pub(crate) method: String,
    /// The URL that is asked for, as the caller writes it
    pub(crate) url: String,
    /// How it is told
    #[arg(long, env = "NARU_OUTPUT", default_value = "text")]
    pub(crate) output: Telling,
}

/// How an explanation is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Telling {
    /// Sentences
    Text,
    /// One JSON document
    Json,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// One JSON document; the same bytes for the same data
    Json,
}

/// Reads the command line and does what it says.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    logging::start(
        &cli.logging,
        if matches!(
            cli.command,
            Command::Graph(_)
                | Command::WhatIf(_)
                | Command::Why(_)
                | Command::Check(_)
                | Command::Doctor(_)
                | Command::Preflight(_)
                | Command::Changes(_)
                | Command::Undo(_)
                | Command::Rollback(_)
                | Command::Evidence(_)
                | Command::Export(_)
                | Command::Import(_)
                | Command::Weight(_)
                | Command::Freeze(_)
                | Command::Verify(_)
        ) {
            // What could not be listed these tell themselves.
            "warn,naru_kube::watch=error"
        } else {
            "info"
        },
    );
    let lang = language(cli.lang);
    let ended: Result<ExitCode, Failure> = match cli.command {
        Command::Serve(serve) => startup::serve(*serve).await.map(done),
        Command::Rehearse(options) => rehearse::rehearse(options).await.map(done),
        Command::Graph(options) => graph::run(options).await.map(done),
        Command::WhatIf(options) => what_if::run(&options).map(done),
        Command::Why(options) => why::run(options, lang).await.map(done),
        Command::Check(options) => check::run(&options, lang).await,
        Command::Doctor(options) => doctor::run(&options, lang).await,
        Command::Preflight(options) => preflight::run(&options, lang).await,
        Command::Changes(options) => changes::run(&options, lang).await.map(done),
        Command::Weight(options) => weight::run(&options, lang).await.map(done),
        Command::Freeze(options) => freeze::run(&options, lang).await.map(done),
        Command::Undo(options) => undo::undo(&options, lang).await.map(done),
        Command::Rollback(options) => undo::rollback(&options, lang).await.map(done),
        Command::Evidence(options) => evidence::run(options, lang).await.map(done),
        Command::Export(options) => export::run(&options, lang).await.map(done),
        Command::Import(options) => import::run(&options, lang).await.map(done),
        Command::Verify(options) => verify::run(&options, lang).map(done),
    };
    ended.unwrap_or_else(|failure| failure.report(lang))
}

/// What has no verdict to tell has succeeded.
fn done((): ()) -> ExitCode {
    ExitCode::SUCCESS
}

/// The first of the option and the usual variables that names a language of ours.
fn language(chosen: Option<String>) -> Lang {
    let usual = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| env::var(name).ok());
    chosen
        .into_iter()
        .chain(usual)
        .find_map(|tag| Lang::from_tag(&tag))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::{Command, CommandFactory};

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_option_can_be_a_variable_of_its_name() {
        let all = Cli::command();
        let nested = all.get_subcommands().flat_map(Command::get_subcommands);
        for command in all.get_subcommands().chain(nested) {
            for option in command
                .get_arguments()
                .filter(|it| !it.is_positional() && !matches!(it.get_id().as_str(), "help" | "version"))
            {
                let variable = option.get_env().map(|it| it.to_string_lossy().into_owned());
                let name = option
                    .get_long()
                    .unwrap_or_default()
                    .to_uppercase()
                    .replace('-', "_");
                assert_eq!(
                    variable,
                    Some(format!("NARU_{name}")),
                    "{} {name}",
                    command.get_name()
                );
            }
        }
    }
}
