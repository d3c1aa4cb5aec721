//! Puts the parts together. The only place that names adapters: a source is a port, an adapter, a rehearsal, and a line here.

mod signing_in;

use crate::{
    cli::{Graph, Serve},
    config::{Auth, Kubernetes, Listening, Probing, Prometheus, Standing},
    failure::Failure,
    http::{self, Hosts, site::Site},
    sessions::Identity,
    sources::{
        asked::Asked,
        pods::Pods,
        prometheus::{self, PrometheusMetrics, SettingsError},
    },
};
use anyhow::Context;
use naru_app::context::{Backend, Mode};
use naru_domain::{Name, SourceName, Why};
use naru_engine::{Engine, Settings, Setup};
use naru_kube::{ConnectError, KubeCluster, Source};
use naru_ports::{Clock, Cluster, Console, Inquiries, Metrics, Rehearsing, SystemClock};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use signing_in::Desk;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// How long starting waits for the API server's greeting, which only names it in the log and on the pages.
const GREETING: Duration = Duration::from_secs(3);

/// The sources of a command that asks once.
pub(crate) struct Sources {
    /// None if none was named.
    pub(crate) cluster: Option<Arc<dyn Cluster>>,
    /// None if none was named.
    pub(crate) metrics: Option<Arc<dyn Metrics>>,
}

/// `naru serve`
pub(crate) async fn serve(options: Serve) -> Result<(), Failure> {
    let clock = Arc::new(SystemClock);
    let desk = Desk::prepare(&options.signing_in, &options.openid, clock.clone())?;
    let door = Door::open(&options.listening, options.signing_in.auth, desk.host.clone()).await?;
    let metrics = metrics(&options.prometheus, clock.clone())?.ok_or(Failure::NoPrometheus)?;
    // Only configured: the console starts without an API server too, says so, and finds it when it comes.
    let cluster = KubeCluster::configure(&reached(&options.kubernetes))
        .await
        .map_err(unconnected)?;
    let server = tokio::time::timeout(GREETING, cluster.probe()).await;
    let address = match server {
        Ok(Ok(server)) => {
            tracing::info!(url = %server.url, version = %server.version, user = %server.user, "Kubernetes API");
            server.url.trim_start_matches("https://").to_owned()
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "Kubernetes API");
            String::new()
        }
        Err(_) => {
            tracing::warn!("Kubernetes API: no answer yet");
            String::new()
        }
    };
    let name = options.standing.name.clone().unwrap_or(address);
    let settings = settings(options.observing.window, &options.standing);
    let cluster = Arc::new(cluster);
    let identity = desk.open(&cluster, &options.signing_in.token_audience, clock.clone());
    let inquiries = asked(cluster.clone(), Some(metrics.clone()), &options.probing)?;
    let engine = Engine::start(Setup {
        cluster,
        metrics,
        inquiries,
        clock: clock.clone(),
        settings,
    });
    let mode = Mode::Cluster(name.as_str().into());
    let served = open(engine.clone(), clock, None, door, &name, mode, identity).await;
    engine.stop().await;
    served
}

/// The sources that `naru graph` was given; at least one.
pub(crate) async fn sources(options: &Graph) -> Result<Sources, Failure> {
    let metrics = metrics(&options.prometheus, Arc::new(SystemClock))?;
    let cluster = match &options.kubernetes.kubeconfig {
        Some(_) => Some(cluster(&options.kubernetes).await?),
        None => None,
    };
    if cluster.is_none() && metrics.is_none() {
        return Err(Failure::NoSource);
    }
    let metrics = metrics.map(|it| it as Arc<dyn Metrics>);
    Ok(Sources { cluster, metrics })
}

/// The API server of a command that asks once.
pub(crate) async fn cluster(options: &Kubernetes) -> Result<Arc<dyn Cluster>, Failure> {
    let cluster = KubeCluster::connect(&reached(options))
        .await
        .map_err(unconnected)?;
    Ok(Arc::new(cluster))
}

/// The API server of a command that writes as whoever runs it, and who that is there.
pub(crate) async fn oneself(options: &Kubernetes) -> Result<(Arc<dyn Cluster>, Name), Failure> {
    let cluster = KubeCluster::configure(&reached(options))
        .await
        .map_err(unconnected)?;
    let server = cluster.probe().await.map_err(unconnected)?;
    Ok((Arc::new(cluster), server.user))
}

/// The Prometheus of a command that asks once; None if none was named.
pub(crate) fn metrics_of(options: &Prometheus) -> Result<Option<Arc<PrometheusMetrics>>, Failure> {
    metrics(options, Arc::new(SystemClock))
}

/// Who finds out what checks ask.
pub(crate) fn asked(
    cluster: Arc<dyn Cluster>,
    prometheus: Option<Arc<PrometheusMetrics>>,
    probing: &Probing,
) -> Result<Arc<dyn Inquiries>, Failure> {
    let pods = Pods::new(probing.istiod_token_file.clone(), !probing.no_probes).context("TLS")?;
    Ok(Arc::new(Asked {
        cluster,
        prometheus,
        pods,
        clock: Arc::new(SystemClock),
    }))
}

/// What pages come out of: checked and opened before anything is asked of a source, so that a wrong setting ends the command at once.
pub(crate) struct Door {
    listener: TcpListener,
    site: Site,
    hosts: Hosts,
    /// Where Naru is scraped itself.
    metrics: Option<TcpListener>,
}

impl Door {
    /// Without a login on loopback alone. `host` is another name that people come by.
    pub(crate) async fn open(
        listening: &Listening,
        auth: Auth,
        host: Option<String>,
    ) -> Result<Self, Failure> {
        let address = listening.listen;
        if auth == Auth::None && !address.ip().is_loopback() {
            return Err(Failure::NotLoopback { address });
        }
        let site = Site::open(listening.site.clone())?;
        let listener = bind(address).await?;
        let metrics = match listening.own_metrics_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        Ok(Self {
            listener,
            site,
            metrics,
            hosts: Hosts::new(listening.hosts.iter().cloned().chain(host)),
        })
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| Failure::Listen {
        address,
        detail: error.to_string(),
    })
}

/// Serves this console until the process is asked to end.
pub(crate) async fn open(
    console: Arc<dyn Console>,
    clock: Arc<dyn Clock>,
    rehearsal: Option<Arc<dyn Rehearsing>>,
    door: Door,
    system: &str,
    mode: Mode,
    identity: Identity,
) -> Result<(), Failure> {
    let address = door
        .listener
        .local_addr()
        .context("the address that is listened on")?;
    let backend = Backend {
        console,
        clock,
        system: system.into(),
        mode,
        rehearsal,
        sign_in: identity.way(),
    };
    tracing::info!(%address, system, "listening");
    let metrics = door
        .metrics
        .map(|listener| tokio::spawn(http::metrics::serve(listener, backend.console.clone())));
    let served = http::serve(door.listener, backend, door.site, door.hosts, identity).await;
    if let Some(metrics) = metrics {
        metrics.abort();
    }
    served.context("serving").map_err(Failure::from)
}

/// How an engine of this process runs; each with an epoch of its own.
pub(crate) fn settings(window_s: u32, standing: &Standing) -> Settings {
    // Below 2^53, so that a browser can hold it as a number.
    let epoch = SmallRng::from_os_rng().random_range(1..1_u64 << 53);
    let settings = Settings::new(epoch, format!("naru-{epoch:x}").into());
    Settings {
        window_s,
        read_only: standing.read_only,
        ..settings
    }
}

fn reached(kubernetes: &Kubernetes) -> naru_kube::Settings {
    let source = kubernetes
        .kubeconfig
        .clone()
        .map_or(Source::Default, Source::Kubeconfig);
    naru_kube::Settings {
        source,
        ..naru_kube::Settings::default()
    }
}

fn unconnected(error: ConnectError) -> Failure {
    let source = SourceName::Kubernetes;
    match error {
        ConnectError::NoKubeconfig { path } => Failure::NoCluster {
            path: path.to_string(),
        },
        ConnectError::Kubeconfig { path, detail } => Failure::File {
            path: path.as_ref().into(),
            detail: detail.to_string(),
        },
        ConnectError::Unreachable { detail, .. } => Failure::Source(Why::Unreachable { source, detail }),
        ConnectError::NotKubernetes { detail, .. } => Failure::Source(Why::Garbled { source, detail }),
        ConnectError::Unauthorised { server } => Failure::Credentials {
            server: server.to_string(),
        },
    }
}

fn metrics(options: &Prometheus, clock: Arc<dyn Clock>) -> Result<Option<Arc<PrometheusMetrics>>, Failure> {
    let Some(url) = &options.url else { return Ok(None) };
    let settings = prometheus::Settings {
        bearer_token_file: options.bearer_token_file.clone(),
        ca: options.ca.clone(),
        client_certificate: options.client_certificate.clone(),
        timeout: options.timeout,
        org_id: options.org_id.clone(),
        ..prometheus::Settings::new(url)
    };
    let metrics = PrometheusMetrics::new(&settings, clock).map_err(|error| match error {
        SettingsError::Url(_) => Failure::PrometheusUrl,
        SettingsError::OrgId => Failure::PrometheusOrgId,
        SettingsError::CaContent { path } => Failure::NoCertificate { path },
        SettingsError::CaFile { path, source } => Failure::File {
            path,
            detail: source.to_string(),
        },
        SettingsError::Client(error) => Failure::Fault(anyhow::Error::new(error)),
    })?;
    Ok(Some(Arc::new(metrics)))
}
