//! Settings, one struct per concern. Each can be given as an option or as an environment variable of the same name.

use clap::{Args, ValueEnum, builder::FalseyValueParser};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Where the console listens, and what it serves.
#[derive(Args, Clone, Debug)]
pub struct Listening {
    /// Address and port to listen on; loopback only with --auth none
    #[arg(
        long,
        env = "NARU_LISTEN",
        default_value = "127.0.0.1:3000",
        value_name = "ADDRESS:PORT"
    )]
    pub listen: SocketAddr,
    /// Address and port on which Prometheus may scrape /metrics, without signing in; nowhere if left out
    #[arg(long, env = "NARU_OWN_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    pub own_metrics_listen: Option<SocketAddr>,
    /// Another host name under which the console may be asked for, beside loopback names; can be repeated
    #[arg(long = "host", env = "NARU_HOST", value_delimiter = ',', value_name = "NAME")]
    pub hosts: Vec<String>,
    /// Folder of the built assets (index.html and what it names)
    #[arg(long, env = "NARU_SITE", default_value = "target/site", value_name = "FOLDER")]
    pub site: PathBuf,
}

/// How the Kubernetes API is reached.
#[derive(Args, Clone, Debug)]
pub struct Kubernetes {
    /// Kubeconfig to use
    #[arg(long, env = "NARU_KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
}

/// How Prometheus, or what speaks its API, is reached.
#[derive(Args, Clone, Debug)]
pub struct Prometheus {
    /// Base URL, with the path prefix if there is one
    #[arg(long = "prometheus", env = "NARU_PROMETHEUS", value_name = "URL")]
    pub url: Option<String>,
    /// File with the bearer token; read again when it changes
    #[arg(
        long = "prometheus-bearer-token-file",
        env = "NARU_PROMETHEUS_BEARER_TOKEN_FILE",
        value_name = "FILE"
    )]
    pub bearer_token_file: Option<PathBuf>,
    /// File with the certificates (PEM) of the authorities that the server's certificate may come from
    #[arg(long = "prometheus-ca", env = "NARU_PROMETHEUS_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// File with Naru's own certificate and its key (PEM), where the server asks for one
    #[arg(
        long = "prometheus-client-certificate",
        env = "NARU_PROMETHEUS_CLIENT_CERTIFICATE",
        value_name = "FILE"
    )]
    pub client_certificate: Option<PathBuf>,
    /// How long one query may take, 1s to 9s
    #[arg(
        long = "prometheus-timeout",
        env = "NARU_PROMETHEUS_TIMEOUT",
        default_value = "8s",
        value_parser = query_timeout,
        value_name = "TIME"
    )]
    pub timeout: Duration,
    /// Tenant, sent as X-Scope-OrgID (Mimir, Cortex, Thanos receive)
    #[arg(
        long = "prometheus-org-id",
        env = "NARU_PROMETHEUS_ORG_ID",
        value_name = "TENANT"
    )]
    pub org_id: Option<String>,
}

/// What is asked of pods themselves.
#[derive(Args, Clone, Debug)]
pub struct Probing {
    /// Send nothing to gateways and to the old ingress: items 1.2 and 1.4 stay unknown
    #[arg(long, env = "NARU_NO_PROBES", value_parser = FalseyValueParser::new())]
    pub no_probes: bool,
    /// File with a token of Naru's ServiceAccount for the audience istio-ca; read again each time
    #[arg(long, env = "NARU_ISTIOD_TOKEN_FILE", value_name = "FILE")]
    pub istiod_token_file: Option<PathBuf>,
}

/// How traffic is looked at.
#[derive(Args, Clone, Copy, Debug)]
pub struct Observing {
    /// Window over which rates are taken, 15s to 24h; at least four times the scrape interval
    #[arg(long, env = "NARU_WINDOW", default_value = "60s", value_parser = seconds, value_name = "TIME")]
    pub window: u32,
}

/// What the console is called and may do.
#[derive(Args, Clone, Debug)]
pub struct Standing {
    /// Name of the system, for the top bar; the cluster's address if not given
    #[arg(long, env = "NARU_NAME", value_name = "NAME")]
    pub name: Option<String>,
    /// Nothing can be changed through this server
    #[arg(long, env = "NARU_READ_ONLY", value_parser = FalseyValueParser::new())]
    pub read_only: bool,
}

/// How people say who they are.
#[derive(Args, Clone, Debug)]
pub struct SigningIn {
    /// How people sign in: not at all (loopback only), at an OpenID Connect provider, or by a token of the cluster's (break-glass)
    #[arg(long, env = "NARU_AUTH", default_value = "none")]
    pub auth: Auth,
    /// URL under which people reach this console, without a path
    #[arg(long, env = "NARU_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// File with one or two keys for cookies, a line each (`openssl rand -base64 32`): the first seals, both open
    #[arg(long, env = "NARU_SESSION_KEY_FILE", value_name = "FILE")]
    pub session_key_file: Option<PathBuf>,
    /// Audience that tokens must be made for with --auth kubernetes (`kubectl create token … --audience naru`)
    #[arg(
        long,
        env = "NARU_TOKEN_AUDIENCE",
        default_value = "naru",
        value_name = "AUDIENCE"
    )]
    pub token_audience: String,
}

/// How people sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    /// Not at all: whoever reaches the loopback address is the operator
    None,
    /// At an OpenID Connect provider
    Oidc,
    /// By a bearer token that the cluster knows: for when the provider is down, over `kubectl port-forward`
    Kubernetes,
}

/// The OpenID Connect provider.
#[derive(Args, Clone, Debug)]
pub struct OpenId {
    /// Issuer URL, exactly as the provider writes it
    #[arg(long = "oidc-issuer", env = "NARU_OIDC_ISSUER", value_name = "URL")]
    pub issuer: Option<String>,
    /// As whom the provider knows this console
    #[arg(long = "oidc-client-id", env = "NARU_OIDC_CLIENT_ID", value_name = "ID")]
    pub client_id: Option<String>,
    /// File with the client's secret; without one it is a public client, protected by PKCE alone
    #[arg(
        long = "oidc-client-secret-file",
        env = "NARU_OIDC_CLIENT_SECRET_FILE",
        value_name = "FILE"
    )]
    pub client_secret_file: Option<PathBuf>,
    /// File with the certificates (PEM) of the authorities that the provider's certificate may come from
    #[arg(id = "oidc_ca", long = "oidc-ca", env = "NARU_OIDC_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Claim of the id_token that names groups; dots lead inside
    #[arg(
        long = "oidc-groups-claim",
        env = "NARU_OIDC_GROUPS_CLAIM",
        default_value = "groups",
        value_name = "CLAIM"
    )]
    pub groups_claim: String,
    /// What the provider's groups begin with that stand for Naru's: PREFIXoperator is naru:operator
    #[arg(
        long = "oidc-groups-prefix",
        env = "NARU_OIDC_GROUPS_PREFIX",
        default_value = "naru:",
        value_name = "PREFIX"
    )]
    pub groups_prefix: String,
    /// A group of the provider's that stands for one of Naru's; can be repeated
    #[arg(
        long = "oidc-group",
        env = "NARU_OIDC_GROUP",
        value_delimiter = ';',
        value_name = "GROUP=naru:NAME"
    )]
    pub groups: Vec<String>,
}

/// What is written to standard error.
#[derive(Args, Clone, Debug)]
pub struct Logging {
    /// What to log: error, warn, info, debug, trace, or `module=level,…`; info if not given, warn for commands that print
    #[arg(long = "log", env = "NARU_LOG", global = true, value_name = "FILTER")]
    pub filter: Option<String>,
    /// Lines for people or for machines
    #[arg(
        long = "log-format",
        env = "NARU_LOG_FORMAT",
        default_value = "text",
        global = true
    )]
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// Reads `90s`, `5m`, `1h` or plain seconds. Below 15 s no usual scrape interval gives the four samples that a rate needs; above a day the
/// graph would be history, which is Prometheus's own.
pub fn seconds(text: &str) -> Result<u32, String> {
    let digits = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        other => return Err(format!("`{other}` is none of s, m, h")),
    };
    let number: u32 = digits
        .parse()
        .map_err(|_| "not a whole number with s, m or h".to_owned())?;
    number
        .checked_mul(unit)
        .filter(|it| (15..=86_400).contains(it))
        .ok_or_else(|| "not from 15s to 24h".to_owned())
}

/// Reads `8s`. A round of queries must be over before ten seconds are.
fn query_timeout(text: &str) -> Result<Duration, String> {
    let number: Option<u64> = text.strip_suffix('s').unwrap_or(text).parse().ok();
    let fits = number.filter(|it| (1..=9).contains(it));
    fits.map(Duration::from_secs)
        .ok_or_else(|| "not from 1s to 9s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{query_timeout, seconds};

    #[test]
    fn a_query_has_a_few_seconds() {
        assert_eq!(query_timeout("8s").map(|it| it.as_secs()), Ok(8));
        assert_eq!(query_timeout("1").map(|it| it.as_secs()), Ok(1));
        for text in ["", "0s", "10s", "8000ms", "-1s"] {
            assert!(query_timeout(text).is_err(), "{text}");
        }
    }

    #[test]
    fn windows_have_a_unit_and_bounds() {
        for (text, window) in [("60", 60), ("15s", 15), ("5m", 300), ("24h", 86_400)] {
            assert_eq!(seconds(text), Ok(window), "{text}");
        }
        for text in [
            "",
            "s",
            "14s",
            "25h",
            "1d",
            "-5m",
            "1.5m",
            "5 m",
            "4294967295h",
            "٣m",
        ] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
