//! The traffic policy in effect between a client and a destination: connection pools, load balancing, outlier detection, TLS.

use super::{
    duration::millis,
    rule::{Effective, Part, destination_rule},
};
use crate::{
    Name, Why,
    mesh::{Decider, Mesh, Proxy, ROOT_NAMESPACE, Role, host, route::ChosenDestination},
    object::{Key, Kind},
};
use serde_json::Value;

/// A value, and the field that set it. None: nobody did, it is Istio's (or Envoy's) own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// What is in effect.
    pub value: T,
    /// What set it.
    pub decider: Option<Decider>,
}

impl<T> Setting<T> {
    /// A value that nobody has set.
    pub fn unset(value: T) -> Self {
        Self { value, decider: None }
    }

    fn set(value: T, part: &Part<'_>) -> Self {
        Self {
            value,
            decider: Some(part.decider()),
        }
    }
}

/// The traffic policy in effect. Limits are each calling proxy's own, not the destination's as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// `connectionPool`.
    pub pool: Pool,
    /// `loadBalancer`. Preference for near endpoints (`localityLbSetting`) is not modelled.
    pub balancing: Setting<Balancing>,
    /// `outlierDetection`; None where it is off.
    pub outliers: Option<Outliers>,
    /// `tls`; None where nothing is said, so that mutual TLS is automatic (see [`mtls`](crate::mesh::mtls)).
    pub tls: Option<Setting<Tls>>,
}

/// Connection pools and circuit breakers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// `tcp.maxConnections`. Requests over it wait, for HTTP/1.1; 2^32-1 unless set.
    pub max_connections: Setting<u32>,
    /// `tcp.connectTimeout` in milliseconds; meshConfig's `connectTimeout`, 10 s, unless set.
    pub connect_timeout_ms: Setting<u64>,
    /// `http.http1MaxPendingRequests`: requests that may wait for a connection, of HTTP/2 too; more of them get 503 with the flag UO.
    /// 2^32-1 unless set.
    pub max_pending_requests: Setting<u32>,
    /// `http.http2MaxRequests`: requests at once, of HTTP/1.1 too; more of them get 503 with the flag UO. 2^32-1 unless set.
    pub max_requests: Setting<u32>,
    /// `http.maxRequestsPerConnection`; 0, for no limit, unless set.
    pub max_requests_per_connection: Setting<u32>,
    /// `http.maxRetries` at once; 2^32-1 unless set.
    pub max_retries: Setting<u32>,
    /// `retryBudget`, which takes the place of `max_retries` where it is set.
    pub retry_budget: Option<Decider>,
}

/// How an endpoint is chosen within a subset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Balancing {
    /// The one with fewer requests of two at random; the default.
    LeastRequest,
    /// In turn.
    RoundRobin,
    /// At random.
    Random,
    /// The address that the workload itself has called: `PASSTHROUGH`, and a sidecar before a headless service.
    Passthrough,
    /// By a hash, so that alike requests go to one endpoint.
    Hash(HashOn),
}

/// What is hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashOn {
    /// `httpHeaderName`.
    Header(Name),
    /// `httpCookie`.
    Cookie(Name),
    /// `useSourceIp`.
    SourceIp,
    /// `httpQueryParameterName`.
    Query(Name),
    /// Nothing is named: no request is like another.
    Nothing,
}

/// Outlier detection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outliers {
    /// The block that turned it on.
    pub decider: Decider,
    /// `consecutive5xxErrors`; 5 unless set, 0 turns it off.
    pub consecutive_5xx: Setting<u32>,
    /// `consecutiveGatewayErrors` (502, 503, 504); 0, off, unless set.
    pub consecutive_gateway_errors: Setting<u32>,
    /// `interval` between looks at who may return, in milliseconds; 10 s unless set.
    pub interval_ms: Setting<u64>,
    /// `baseEjectionTime` in milliseconds, longer with each ejection; 30 s unless set.
    pub base_ejection_ms: Setting<u64>,
    /// `maxEjectionPercent`; 10 unless set.
    pub max_ejection_percent: Setting<u32>,
    /// `minHealthPercent`: below it the proxy panics and sends to ejected endpoints too, which is not modelled; 0, never, unless set.
    pub min_health_percent: Setting<u32>,
}

/// `tls.mode` of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tls {
    /// Plaintext; what an empty `tls` means too.
    Disable,
    /// TLS without a certificate of the client's.
    Simple,
    /// TLS with a certificate that is named.
    Mutual,
    /// TLS with the mesh's certificate.
    IstioMutual,
}

/// The parts of a policy in effect, each with its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::mesh) struct Parts<'a> {
    pub(in crate::mesh) pool: Option<Part<'a>>,
    pub(in crate::mesh) balancer: Option<Part<'a>>,
    pub(in crate::mesh) outliers: Option<Part<'a>>,
    pub(in crate::mesh) tls: Option<Part<'a>>,
    retry_budget: Option<Part<'a>>,
}

/// The traffic policy in effect where `proxy` calls a destination; None where no DestinationRule that the proxy uses defines the subset.
///
/// Settings of the port stand in the place of all of the level that they are written in: what they leave out is Istio's default, not the
/// level's. A subset's blocks replace the host's block by block. meshConfig's `defaultTrafficPolicy` stands in for the blocks that the
/// host's level leaves out. (`applyDestinationRule` in istio's `pilot/pkg/networking/core`, `MergeSubsetTrafficPolicy`.)
///
/// # Errors
/// Why it cannot be known.
pub fn policy(mesh: &Mesh<'_>, proxy: &Proxy, to: &ChosenDestination) -> Result<Option<Policy>, Vec<Why>> {
    let rule = destination_rule(mesh, proxy, &to.host)?;
    let Some(parts) = parts(mesh, rule.as_ref(), &to.subset, to.port) else {
        return Ok(None);
    };
    let headless = proxy.role == Role::Sidecar && headless(mesh, &to.host)?;
    Ok(Some(Policy {
        pool: pool(mesh, &parts),
        balancing: if headless {
            Setting::unset(Balancing::Passthrough)
        } else {
            balancing(parts.balancer.as_ref())
        },
        outliers: parts.outliers.as_ref().map(outliers),
        tls: parts.tls.as_ref().map(tls),
    }))
}

fn headless(mesh: &Mesh<'_>, fqdn: &str) -> Result<bool, Vec<Why>> {
    if let Some(gap) = mesh.objects.gap(Kind::Service) {
        return Err(vec![gap]);
    }
    let service = host::service_of(fqdn).and_then(|id| mesh.objects.service(&id.namespace, &id.name));
    Ok(service.is_some_and(|service| service.headless))
}

/// None where the subset is not defined.
pub(in crate::mesh) fn parts<'a>(
    mesh: &'a Mesh<'_>,
    rule: Option<&Effective<'a>>,
    subset: &str,
    port: u16,
) -> Option<Parts<'a>> {
    let defined = if subset.is_empty() {
        None
    } else {
        Some(rule?.subset(subset)?)
    };
    let whole = rule.and_then(|rule| rule.policy.as_ref());
    let mut parts = whole.map(|policy| level(policy, port).0).unwrap_or_default();
    let by_mesh = |block: &str| mesh_wide(mesh, &format!("/defaultTrafficPolicy/{block}"));
    parts.pool = parts.pool.or_else(|| by_mesh("connectionPool"));
    parts.outliers = parts.outliers.or_else(|| by_mesh("outlierDetection"));
    if let Some(policy) = defined.and_then(|defined| defined.policy.as_ref()) {
        let (own, whole) = level(policy, port);
        let choose = |own: Option<Part<'a>>, host: Option<Part<'a>>| if whole { own } else { own.or(host) };
        parts = Parts {
            pool: choose(own.pool, parts.pool),
            balancer: choose(own.balancer, parts.balancer),
            outliers: choose(own.outliers, parts.outliers),
            tls: choose(own.tls, parts.tls),
            retry_budget: own.retry_budget.or(parts.retry_budget),
        };
    }
    Some(parts)
}

/// A `trafficPolicy`'s blocks for a port, and whether settings of this port have taken the place of all others.
fn level<'a>(policy: &Part<'a>, port: u16) -> (Parts<'a>, bool) {
    let blocks = |of: &Part<'a>| Parts {
        pool: of.at("/connectionPool"),
        balancer: of.at("/loadBalancer"),
        outliers: of.at("/outlierDetection"),
        tls: of.at("/tls"),
        retry_budget: None,
    };
    match settings_of(policy, port).next() {
        Some(own) => (blocks(&own), true),
        None => (
            Parts {
                retry_budget: policy.at("/retryBudget"),
                ..blocks(policy)
            },
            false,
        ),
    }
}

/// The entries of `portLevelSettings` for a port.
fn settings_of<'a>(policy: &Part<'a>, port: u16) -> impl Iterator<Item = Part<'a>> {
    let list = policy.value.get("portLevelSettings").and_then(Value::as_array);
    (0..list.map_or(0, Vec::len))
        .filter_map(|index| policy.at(&format!("/portLevelSettings/{index}")))
        .filter(move |entry| {
            entry.value.pointer("/port/number").and_then(Value::as_u64) == Some(u64::from(port))
        })
}

/// TLS as endpoints are marked by it, which is not quite what [`parts`] says: a port's settings without `tls` leave the level's in
/// effect here, and so does a subset's policy. (`tlsModeForDestinationRule` in istio's `pilot/pkg/xds/endpoints`.)
pub(in crate::mesh) fn endpoint_tls(rule: &Effective<'_>, subset: &str, port: u16) -> Option<Setting<Tls>> {
    let of = |policy: Option<&Part<'_>>| -> Option<Setting<Tls>> {
        let policy = policy?;
        let own = settings_of(policy, port).find_map(|entry| entry.at("/tls"));
        own.or_else(|| policy.at("/tls")).map(|part| tls(&part))
    };
    if subset.is_empty() {
        return of(rule.policy.as_ref());
    }
    let defined = rule.subset(subset)?;
    of(defined.policy.as_ref()).or_else(|| of(rule.policy.as_ref()))
}

/// A part of meshConfig; its place is the text as a whole.
fn mesh_wide<'a>(mesh: &'a Mesh<'_>, pointer: &str) -> Option<Part<'a>> {
    let value = mesh
        .config
        .json
        .pointer(pointer)
        .filter(|value| !value.is_null())?;
    Some(Part {
        key: mesh_config(),
        path: "/data/mesh".into(),
        value,
    })
}

/// Where meshConfig is written.
pub(in crate::mesh) fn mesh_config() -> Key {
    Key::new(Kind::ConfigMap, ROOT_NAMESPACE, "istio")
}

/// A field within a block; within meshConfig the place stays that of the text.
fn field<'a>(block: Option<&Part<'a>>, pointer: &str) -> Option<Part<'a>> {
    let block = block?;
    let mut field = block.at(pointer)?;
    if block.key.kind == Kind::ConfigMap {
        field.path.clone_from(&block.path);
    }
    Some(field)
}

/// A number above 0: Istio does not tell 0 from nothing.
fn positive(block: Option<&Part<'_>>, pointer: &str, default: u32) -> Setting<u32> {
    let set = field(block, pointer).and_then(|part| {
        let number = part
            .value
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())?;
        (number > 0).then(|| Setting::set(number, &part))
    });
    set.unwrap_or(Setting::unset(default))
}

/// A number that may be 0.
fn any(block: &Part<'_>, pointer: &str, default: u32) -> Setting<u32> {
    let set = field(Some(block), pointer).and_then(|part| {
        let number = part
            .value
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())?;
        Some(Setting::set(number, &part))
    });
    set.unwrap_or(Setting::unset(default))
}

fn duration(part: Option<Part<'_>>) -> Option<Setting<u64>> {
    let part = part?;
    let ms = part.value.as_str().and_then(millis)?;
    Some(Setting::set(ms, &part))
}

fn pool(mesh: &Mesh<'_>, parts: &Parts<'_>) -> Pool {
    let pool = parts.pool.as_ref();
    Pool {
        max_connections: positive(pool, "/tcp/maxConnections", u32::MAX),
        connect_timeout_ms: duration(field(pool, "/tcp/connectTimeout"))
            .or_else(|| duration(mesh_wide(mesh, "/connectTimeout")))
            .unwrap_or(Setting::unset(10_000)),
        max_pending_requests: positive(pool, "/http/http1MaxPendingRequests", u32::MAX),
        max_requests: positive(pool, "/http/http2MaxRequests", u32::MAX),
        max_requests_per_connection: positive(pool, "/http/maxRequestsPerConnection", 0),
        max_retries: positive(pool, "/http/maxRetries", u32::MAX),
        retry_budget: parts.retry_budget.as_ref().map(Part::decider),
    }
}

pub(in crate::mesh) fn balancing(block: Option<&Part<'_>>) -> Setting<Balancing> {
    if let Some(hash) = field(block, "/consistentHash") {
        return Setting::set(Balancing::Hash(hash_on(&hash)), &hash);
    }
    let simple = field(block, "/simple");
    let named = simple.as_ref().and_then(|part| {
        Some(match part.value.as_str()? {
            "LEAST_REQUEST" | "LEAST_CONN" => Balancing::LeastRequest,
            "ROUND_ROBIN" => Balancing::RoundRobin,
            "RANDOM" => Balancing::Random,
            "PASSTHROUGH" => Balancing::Passthrough,
            _ => return None,
        })
    });
    match (named, simple) {
        (Some(value), Some(part)) => Setting::set(value, &part),
        _ => Setting::unset(Balancing::LeastRequest),
    }
}

fn hash_on(hash: &Part<'_>) -> HashOn {
    let text = |pointer: &str| {
        hash.value
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(Name::from)
    };
    if let Some(header) = text("/httpHeaderName") {
        HashOn::Header(header)
    } else if let Some(cookie) = text("/httpCookie/name") {
        HashOn::Cookie(cookie)
    } else if hash.value.get("useSourceIp").and_then(Value::as_bool) == Some(true) {
        HashOn::SourceIp
    } else if let Some(query) = text("/httpQueryParameterName") {
        HashOn::Query(query)
    } else {
        HashOn::Nothing
    }
}

fn outliers(block: &Part<'_>) -> Outliers {
    let time = |pointer: &str, default: u64| {
        duration(field(Some(block), pointer)).unwrap_or(Setting::unset(default))
    };
    Outliers {
        decider: block.decider(),
        consecutive_5xx: any(block, "/consecutive5xxErrors", 5),
        consecutive_gateway_errors: any(block, "/consecutiveGatewayErrors", 0),
        interval_ms: time("/interval", 10_000),
        base_ejection_ms: time("/baseEjectionTime", 30_000),
        max_ejection_percent: positive(Some(block), "/maxEjectionPercent", 10),
        min_health_percent: positive(Some(block), "/minHealthPercent", 0),
    }
}

fn tls(block: &Part<'_>) -> Setting<Tls> {
    let mode = match block.value.get("mode").and_then(Value::as_str) {
        Some("SIMPLE") => Tls::Simple,
        Some("MUTUAL") => Tls::Mutual,
        Some("ISTIO_MUTUAL") => Tls::IstioMutual,
        _ => Tls::Disable,
    };
    let place = block.at("/mode");
    Setting::set(mode, place.as_ref().unwrap_or(block))
}

/// See [`tls`].
pub(in crate::mesh) fn tls_of(parts: &Parts<'_>) -> Option<Setting<Tls>> {
    parts.tls.as_ref().map(tls)
}

#[cfg(test)]
mod tests;
