//! Why a command ends without having done what it was asked: each with a key that scripts can rely on, an exit code and a sentence.

mod change;
mod confirmed;
mod freeze;
mod import;

pub use change::NotChanged;
pub use confirmed::NotConfirmed;
pub use freeze::NotFrozen;
pub use import::NotImported;

use crate::{
    evidence::junit::{self, Odd},
    sessions::seal::KeyError,
};
use naru_app::{Lang, say};
use naru_view::why::Why;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

/// Why a command ends early.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.key())]
pub enum Failure {
    /// Other machines could reach the address, and there is no login.
    NotLoopback {
        /// As asked.
        address: SocketAddr,
    },
    /// This way of signing in needs an option that was not given.
    AuthNeeds {
        /// As asked.
        auth: &'static str,
        /// Which.
        option: &'static str,
    },
    /// The URL of this console cannot be one.
    PublicUrl,
    /// The issuer's URL cannot be one.
    OidcIssuer,
    /// A group cannot be mapped so.
    GroupMapping {
        /// As asked.
        pair: String,
    },
    /// The file's keys could be guessed, or are none.
    SessionKey {
        /// As asked.
        path: PathBuf,
        /// What is wrong with them.
        error: KeyError,
    },
    /// Another process listens there, or the address is not this machine's.
    Listen {
        /// As asked.
        address: SocketAddr,
        /// The system's words.
        detail: String,
    },
    /// The folder holds no built assets.
    NoSite {
        /// As asked.
        path: PathBuf,
    },
    /// The assets were built without a place for the nonce.
    SiteWithoutNonce {
        /// As asked.
        path: PathBuf,
    },
    /// A file that the settings name cannot be used.
    File {
        /// As asked.
        path: PathBuf,
        /// The system's or the library's words.
        detail: String,
    },
    /// The file is no JUnit report that can be read.
    Junit {
        /// As asked.
        path: PathBuf,
        /// What is wrong with it.
        odd: Odd,
    },
    /// Who runs the command may not hand in a report.
    MayNotHandIn {
        /// As the API server names them.
        user: String,
        /// For which item.
        item: String,
        /// The API server's words.
        detail: String,
    },
    /// The API server refuses a report.
    NotTaken {
        /// Its words.
        detail: String,
    },
    /// Whether a report was taken is not known.
    TakenPerhaps {
        /// The report's name.
        name: String,
        /// How the answer was lost.
        detail: String,
    },
    /// There is no kubeconfig, and this is no pod of a cluster.
    NoCluster {
        /// Where a kubeconfig was looked for.
        path: String,
    },
    /// The API server does not accept the credentials.
    Credentials {
        /// Its URL.
        server: String,
    },
    /// The address of Prometheus is none.
    PrometheusUrl,
    /// The tenant cannot be sent.
    PrometheusOrgId,
    /// The file with certificate authorities holds none.
    NoCertificate {
        /// As asked.
        path: PathBuf,
    },
    /// This command needs a Prometheus, and none was named.
    NoPrometheus,
    /// Neither source was named.
    NoSource,
    /// There is no such scenario.
    NoScenario {
        /// As asked.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// There is no such workload, or nothing of it runs.
    NoWorkload {
        /// As asked.
        workload: String,
    },
    /// An argument cannot be read.
    BadArgument {
        /// Which.
        argument: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// A change was not made, or not taken back.
    NotChanged(NotChanged),
    /// A change was accepted, and what was waited for has not come.
    NotConfirmed(NotConfirmed),
    /// Everything was not stopped, or does not go on.
    NotFrozen(NotFrozen),
    /// A file was not brought in to its end.
    NotImported(NotImported),
    /// Signatures are not whole.
    Broken {
        /// Where, and what is wrong.
        told: String,
    },
    /// A source gave no answer that could be used.
    Source(Why),
    /// What was printed is incomplete.
    Partial(Vec<Why>),
    /// A fault of ours or of the machine's.
    Fault(anyhow::Error),
}

impl Failure {
    /// Stable, for scripts; never translated.
    pub fn key(&self) -> &'static str {
        match self {
            Self::NotLoopback { .. } => "not-loopback",
            Self::AuthNeeds { .. } => "auth-needs",
            Self::PublicUrl => "public-url",
            Self::OidcIssuer => "oidc-issuer",
            Self::GroupMapping { .. } => "group-mapping",
            Self::SessionKey { .. } => "session-key",
            Self::Listen { .. } => "listen",
            Self::NoSite { .. } => "no-site",
            Self::SiteWithoutNonce { .. } => "site-without-nonce",
            Self::File { .. } => "file",
            Self::Junit { .. } => "junit",
            Self::MayNotHandIn { .. } => "may-not-hand-in",
            Self::NotTaken { .. } => "not-taken",
            Self::TakenPerhaps { .. } => "taken-perhaps",
            Self::NoCluster { .. } => "no-cluster",
            Self::Credentials { .. } => "credentials",
            Self::PrometheusUrl => "prometheus-url",
            Self::PrometheusOrgId => "prometheus-org-id",
            Self::NoCertificate { .. } => "no-certificate",
            Self::NoPrometheus => "no-prometheus",
            Self::NoSource => "no-source",
            Self::NoScenario { .. } => "no-scenario",
            Self::NoWorkload { .. } => "no-workload",
            Self::BadArgument { .. } => "bad-argument",
            Self::NotChanged(it) => it.key(),
            Self::NotConfirmed(it) => it.key(),
            Self::NotFrozen(it) => it.key(),
            Self::NotImported(it) => it.key(),
            Self::Broken { .. } => "broken",
            Self::Source(_) => "source",
            Self::Partial(_) => "partial",
            Self::Fault(_) => "fault",
        }
    }

    /// 1: a fault, signatures are broken, or a change is refused by the state of things. 2: the settings or arguments are wrong. 3: a source could not be reached or did not speak its protocol; nothing was
    /// printed. 4: rights are missing, or objects had to be left out; what was printed, if anything, is incomplete.
    pub fn code(&self) -> u8 {
        match self {
            Self::NotChanged(it) => it.code(),
            Self::NotFrozen(it) => it.code(),
            Self::NotImported(it) => it.code(),
            Self::Listen { .. } | Self::Broken { .. } | Self::Fault(_) => 1,
            Self::NotLoopback { .. }
            | Self::AuthNeeds { .. }
            | Self::PublicUrl
            | Self::OidcIssuer
            | Self::GroupMapping { .. }
            | Self::SessionKey { .. }
            | Self::NoSite { .. }
            | Self::SiteWithoutNonce { .. }
            | Self::File { .. }
            | Self::Junit { .. }
            | Self::NoCluster { .. }
            | Self::PrometheusUrl
            | Self::PrometheusOrgId
            | Self::NoCertificate { .. }
            | Self::NoPrometheus
            | Self::NoSource
            | Self::NoWorkload { .. }
            | Self::BadArgument { .. }
            | Self::NoScenario { .. } => 2,
            Self::NotConfirmed(_) | Self::NotTaken { .. } | Self::TakenPerhaps { .. } | Self::Source(_) => 3,
            Self::MayNotHandIn { .. } | Self::Credentials { .. } | Self::Partial(_) => 4,
        }
    }

    /// For people: what is wrong and what to do, each sentence with its key.
    pub fn sentences(&self, lang: Lang) -> Vec<(String, String)> {
        let text = match self {
            Self::NotChanged(it) => return it.sentences(lang),
            Self::NotConfirmed(it) => {
                let keyed = |text| (it.key().to_owned(), text);
                return it.sentences(lang).into_iter().map(keyed).collect();
            }
            Self::NotFrozen(it) => return it.sentences(lang),
            Self::NotImported(it) => it.sentence(lang),
            Self::NotLoopback { address } => lang.cli_not_loopback(address),
            Self::AuthNeeds { auth, option } => lang.cli_auth_needs(auth, option),
            Self::PublicUrl => lang.cli_public_url().to_owned(),
            Self::OidcIssuer => lang.cli_oidc_issuer().to_owned(),
            Self::GroupMapping { pair } => lang.cli_group_mapping(pair),
            Self::SessionKey { path, error } => {
                let path = &path.display();
                match error {
                    KeyError::NotKeys => lang.cli_session_key_not_keys(path),
                    KeyError::Short => lang.cli_session_key_short(path),
                    KeyError::Guessable => lang.cli_session_key_guessable(path),
                    KeyError::Same => lang.cli_session_key_same(path),
                }
            }
            Self::Listen { address, detail } => lang.cli_listen(address, detail),
            Self::NoSite { path } => lang.cli_no_site(&path.display()),
            Self::SiteWithoutNonce { path } => lang.cli_site_without_nonce(&path.display()),
            Self::File { path, detail } => lang.cli_file(detail, &path.display()),
            Self::Junit { path, odd } => {
                let path = &path.display();
                match odd {
                    Odd::TooLarge => lang.cli_junit_too_large(&(junit::LARGEST >> 20), path),
                    Odd::Nothing => lang.cli_junit_nothing(path),
                    Odd::NotXml(detail) => lang.cli_junit_not_xml(detail, path),
                    Odd::Other(root) => lang.cli_junit_other(path, root),
                    Odd::TooMany => lang.cli_junit_too_many(&junit::MOST, path),
                    Odd::TooDeep => lang.cli_junit_too_deep(&junit::DEEPEST, path),
                }
            }
            Self::MayNotHandIn { user, item, detail } => lang.cli_may_not_hand_in(detail, item, user),
            Self::NotTaken { detail } => lang.cli_not_taken(detail),
            Self::TakenPerhaps { name, detail } => lang.cli_taken_perhaps(detail, name),
            Self::NoCluster { path } => lang.cli_no_cluster(path),
            Self::Credentials { server } => lang.cli_credentials(server),
            Self::PrometheusUrl => lang.cli_prometheus_url().to_owned(),
            Self::PrometheusOrgId => lang.cli_prometheus_org_id().to_owned(),
            Self::NoCertificate { path } => lang.cli_no_certificate(&path.display()),
            Self::NoPrometheus => lang.cli_no_prometheus().to_owned(),
            Self::NoSource => lang.cli_no_source().to_owned(),
            Self::NoScenario { name, known } => lang.cli_no_scenario(known, name),
            Self::NoWorkload { workload } => lang.cli_no_workload(workload),
            Self::BadArgument { argument, detail } => lang.cli_bad_argument(argument, detail),
            Self::Broken { told } => told.clone(),
            Self::Source(_) => lang.cli_source().to_owned(),
            Self::Partial(_) => lang.cli_partial().to_owned(),
            Self::Fault(error) => lang.cli_fault(&format!("{error:#}")),
        };
        let whys = match self {
            Self::Source(why) => std::slice::from_ref(why),
            Self::Partial(whys) => whys,
            _ => &[],
        };
        let reasons = whys.iter().map(|why| (why_key(why), say::why(lang, why)));
        std::iter::once((self.key().to_owned(), text))
            .chain(reasons)
            .collect()
    }

    /// Writes it to standard error: `error[key]: sentence`, one line for each sentence.
    #[expect(clippy::print_stderr, reason = "this is what standard error is for")]
    pub fn report(&self, lang: Lang) -> ExitCode {
        for (key, sentence) in self.sentences(lang) {
            eprintln!("error[{key}]: {sentence}");
        }
        ExitCode::from(self.code())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Fault(error)
    }
}

/// A reason's own name, as it stands on the wire.
pub(crate) fn why_key(why: &Why) -> String {
    let wire = serde_json::to_value(why).unwrap_or_default();
    wire.get("why")
        .and_then(|key| key.as_str())
        .unwrap_or("why")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::Failure;
    use naru_app::Lang;
    use naru_view::why::{SourceName, Why};

    #[test]
    fn each_reason_is_a_line_with_a_key_of_its_own() {
        let source = SourceName::Prometheus;
        let whys = vec![
            Why::TimedOut {
                source,
                after_ms: 8_000,
            },
            Why::NoMoment,
        ];
        let failure = Failure::Partial(whys);
        for lang in Lang::ALL {
            let sentences = failure.sentences(lang);
            let keys: Vec<&str> = sentences.iter().map(|(key, _)| &**key).collect();
            assert_eq!(keys, ["partial", "timed-out", "no-moment"]);
            assert!(sentences.iter().all(|(_, text)| !text.is_empty()));
        }
    }

    #[test]
    fn exit_codes_tell_settings_sources_and_gaps_apart() {
        let why = Why::Forbidden {
            verb: "list".into(),
            resource: "pods".into(),
            namespace: None,
        };
        assert_eq!(Failure::NoSource.code(), 2);
        assert_eq!(Failure::Source(why.clone()).code(), 3);
        assert_eq!(Failure::Partial(vec![why]).code(), 4);
        assert_eq!(Failure::from(anyhow::anyhow!("x")).code(), 1);
    }
}
