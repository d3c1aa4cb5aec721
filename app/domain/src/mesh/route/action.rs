//! What a rule of `spec.http` does with the requests that it takes.

use super::{
    Choice, ChosenDestination, Effects, Fault, Missing, Outcome, Request, Retries, Rewrite, Share,
    matching::compile,
};
use crate::{
    Name, Why,
    mesh::{Decider, Mesh, gateway_api::backend},
    object::Key,
};
use serde_json::Value;

/// A rule, ready to act: the names of destinations in it are full already.
#[derive(Clone, Debug)]
pub(crate) struct Taken<'a> {
    /// The rule.
    pub(crate) rule: &'a Value,
    /// The block that fitted; None where the rule has none.
    pub(crate) block: Option<&'a Value>,
    /// Its place.
    pub(crate) at: (Key, u32),
    /// The reasons, the most decisive first.
    pub(crate) deciders: Vec<Decider>,
    /// The listener's port.
    pub(crate) port: u16,
}

/// Finds what a destination leads to at a proxy: a sidecar takes the caller's port where none is written, a gateway the service's only one.
pub(crate) trait Clusters {
    /// The destination as the proxy knows it, and what is missing there.
    ///
    /// # Errors
    /// Why it cannot be known.
    fn find(
        &self,
        host: &str,
        subset: &str,
        port: Option<u16>,
    ) -> Result<(ChosenDestination, Option<Missing>), Vec<Why>>;
}

/// Envoy's conditions for a retry where nobody has said any (`pilot/pkg/networking/core/route/retry` in istio).
const RETRY_ON: &str = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";

/// What becomes of a request that the rule takes. (`TranslateRoute` in istio's `pilot/pkg/networking/core/route`.)
pub(crate) fn act(mesh: &Mesh<'_>, taken: &Taken<'_>, request: &Request, clusters: &dyn Clusters) -> Choice {
    let (outcome, effects) = match parts(mesh, taken, request, clusters) {
        Ok(parts) => parts,
        Err(whys) => (Outcome::Unknown(whys), Effects::default()),
    };
    Choice {
        outcome,
        deciders: taken.deciders.clone(),
        rule: Some(taken.at.clone()),
        effects,
    }
}

type Parts = Result<(Outcome, Effects), Vec<Why>>;

fn unjudged(what: &str) -> Vec<Why> {
    vec![Why::NotJudged { what: what.into() }]
}

fn parts(mesh: &Mesh<'_>, taken: &Taken<'_>, request: &Request, clusters: &dyn Clusters) -> Parts {
    let rule = taken.rule;
    let fault = fault(rule)?;
    let alone = |outcome| {
        let effects = Effects {
            fault: fault.clone(),
            ..Effects::default()
        };
        Ok((outcome, effects))
    };
    if some(rule, "corsPolicy").is_some() && preflight(request) {
        return Err(unjudged("corsPolicy: a preflight request"));
    }
    if let Some(redirect) = some(rule, "redirect") {
        return alone(redirected(redirect, request, taken)?);
    }
    if let Some(direct) = some(rule, "directResponse") {
        let status = number(direct, "/status").ok_or_else(|| unjudged("directResponse.status"))?;
        return alone(Outcome::Direct { status });
    }
    let shares = shares(rule, clusters)?;
    let effects = Effects {
        rewrite: rewrite(taken, request)?,
        mirrors: mirrors(rule, clusters)?,
        fault,
        timeout_ms: milliseconds(rule.get("timeout")).filter(|&it| it > 0),
        retries: Some(retries(
            some(rule, "retries").or_else(|| some(&mesh.config.json, "defaultHttpRetryPolicy")),
        )),
    };
    Ok((Outcome::Sent(shares), effects))
}

/// What a browser asks before it asks: where the origin is allowed, the proxy answers itself. (Envoy's CORS filter.)
fn preflight(request: &Request) -> bool {
    let has = |name: &str| request.headers.contains_key(name);
    &*request.method == "OPTIONS" && has("origin") && has("access-control-request-method")
}

/// What the default route of a service does besides: retries, and no limit of time.
pub(crate) fn by_default(mesh: &Mesh<'_>) -> Effects {
    Effects {
        retries: Some(retries(some(&mesh.config.json, "defaultHttpRetryPolicy"))),
        ..Effects::default()
    }
}

/// Destinations with their weights: one alone has all, whatever it says; beside others those without a weight are left out.
pub(crate) fn shares(rule: &Value, clusters: &dyn Clusters) -> Result<Vec<Share>, Vec<Why>> {
    let route = rule
        .get("route")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let one = |entry: &Value, weight: u32| {
        let (destination, missing) = find(entry.get("destination"), clusters)?;
        Ok(Share {
            destination,
            weight,
            missing,
        })
    };
    if let [only] = route {
        return Ok(vec![one(only, 100)?]);
    }
    let weighted = route
        .iter()
        .filter_map(|it| Some((it, number::<u32>(it, "/weight").filter(|&it| it > 0)?)));
    let shares: Vec<Share> = weighted
        .map(|(it, weight)| one(it, weight))
        .collect::<Result<_, Vec<Why>>>()?;
    if shares.is_empty() {
        // The proxy refuses such a route, and goes on with what it had before.
        return Err(unjudged("route: no destination has a weight"));
    }
    Ok(shares)
}

fn find(
    destination: Option<&Value>,
    clusters: &dyn Clusters,
) -> Result<(ChosenDestination, Option<Missing>), Vec<Why>> {
    let destination = destination.unwrap_or(&Value::Null);
    let port = number(destination, "/port/number");
    if some(destination, backend::REFUSED).is_some() {
        let named = ChosenDestination {
            host: text(destination, "/host").into(),
            subset: "".into(),
            port: port.unwrap_or(0),
        };
        return Ok((named, Some(Missing::Host)));
    }
    clusters.find(text(destination, "/host"), text(destination, "/subset"), port)
}

/// `mirror` with its percentage, then `mirrors`; 100 % where none is written, and 0 % is none. Percentages are whole here, at least 1.
fn mirrors(rule: &Value, clusters: &dyn Clusters) -> Result<Vec<Share>, Vec<Why>> {
    let percentage = rule
        .get("mirrorPercentage")
        .map(|it| number_or_zero(it.get("value")));
    let old = || rule.get("mirrorPercent").map(|it| number_or_zero(Some(it)));
    let one = some(rule, "mirror").map(|it| (Some(it), percentage.or_else(old)));
    let several = rule
        .get("mirrors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let several = several.map(|it| {
        (
            some(it, "destination"),
            it.get("percentage").map(|it| number_or_zero(it.get("value"))),
        )
    });
    one.into_iter()
        .chain(several)
        .filter_map(|(destination, percent)| Some((destination?, percent.unwrap_or(100.0))))
        .filter(|(_, percent)| *percent > 0.0)
        .map(|(destination, percent)| {
            let (destination, missing) = find(Some(destination), clusters)?;
            Ok(Share {
                destination,
                weight: whole(percent),
                missing,
            })
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 1 and 100"
)]
fn whole(percent: f64) -> u32 {
    percent.round().clamp(1.0, 100.0) as u32
}

/// Faults; without a percentage there are none. (`TranslateFault` in istio's `pilot/pkg/networking/core/route`.)
fn fault(rule: &Value) -> Result<Option<Fault>, Vec<Why>> {
    let percent = |it: &Value| it.get("percentage").map(|it| number_or_zero(it.get("value")));
    let faults = rule.get("fault").unwrap_or(&Value::Null);
    let delay = some(faults, "delay").and_then(|it| {
        let percent = percent(it).unwrap_or_else(|| number_or_zero(it.get("percent")));
        Some((percent, milliseconds(it.get("fixedDelay"))?)).filter(|_| percent > 0.0)
    });
    let abort = match some(faults, "abort").map(|it| (it, percent(it).unwrap_or(0.0))) {
        Some((it, percent)) if percent > 0.0 => match number(it, "/httpStatus") {
            Some(status) => Some((percent, status)),
            None if it.get("grpcStatus").is_some() => return Err(unjudged("fault.abort.grpcStatus")),
            None => None,
        },
        _ => None,
    };
    Ok((delay.is_some() || abort.is_some()).then_some(Fault { delay, abort }))
}

/// Retries by a policy. (`ConvertPolicy` in istio's `pilot/pkg/networking/core/route/retry`.)
fn retries(policy: Option<&Value>) -> Retries {
    let Some(policy) = policy else {
        return Retries {
            attempts: 2,
            on: RETRY_ON.into(),
            per_try_timeout_ms: None,
        };
    };
    match number(policy, "/attempts").unwrap_or(0) {
        0 => Retries {
            attempts: 0,
            on: "".into(),
            per_try_timeout_ms: None,
        },
        attempts => Retries {
            attempts,
            on: retry_on(text(policy, "/retryOn")),
            per_try_timeout_ms: milliseconds(policy.get("perTryTimeout")),
        },
    }
}

/// As written; where statuses are among the conditions, `retriable-status-codes` is too, as istiod sees to it.
fn retry_on(written: &str) -> Name {
    if written.is_empty() {
        return RETRY_ON.into();
    }
    let parts: Vec<&str> = written
        .split(',')
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect();
    let statuses = parts.iter().any(|it| it.parse::<u16>().is_ok());
    let mut all = parts.join(",");
    if statuses && !all.contains("retriable-status-codes") {
        all.push_str(",retriable-status-codes");
    }
    all.into()
}

/// A redirect's answer. (`ApplyRedirect` in istio's `pilot/pkg/networking/core/route`.)
fn redirected(redirect: &Value, request: &Request, taken: &Taken<'_>) -> Result<Outcome, Vec<Why>> {
    let code = match redirect.get("redirectCode").and_then(Value::as_u64).unwrap_or(0) {
        0 | 301 => 301,
        302 => 302,
        303 => 303,
        307 => 307,
        308 => 308,
        _ => return Err(unjudged("redirect.redirectCode")),
    };
    let asked = match text(redirect, "/derivePort") {
        "FROM_REQUEST_PORT" => Some(taken.port),
        _ => number(redirect, "/port"),
    };
    let scheme = match text(redirect, "/scheme") {
        "" if request.protocol == super::Protocol::Https => "https",
        "" => "http",
        scheme => scheme,
    };
    let asked = asked.filter(|&it| (it, scheme) != (80, "http") && (it, scheme) != (443, "https"));
    let authority = text(redirect, "/authority");
    let authority: Name = match asked {
        None => authority.into(),
        Some(port) if authority.is_empty() => format!("{}:{port}", without_port(&request.host)).into(),
        Some(port) => format!("{authority}:{port}").into(),
    };
    let path: Name = match text(redirect, "/prefixRewrite") {
        "" => text(redirect, "/uri").into(),
        new => replaced(new, taken.block, request.path_alone()).into(),
    };
    Ok(Outcome::Redirect {
        code,
        authority,
        path,
    })
}

/// A host without its port.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|it| it.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

/// The new authority and path. A prefix is replaced where it stood; after an exact path or a regular expression the whole path is. The
/// query stays. (Istio reference, `HTTPRewrite`; Envoy's `prefix_rewrite` and `regex_rewrite`.)
fn rewrite(taken: &Taken<'_>, request: &Request) -> Result<Option<Rewrite>, Vec<Why>> {
    let is = taken.rule.get("rewrite").unwrap_or(&Value::Null);
    let mut authority = text(is, "/authority");
    if authority.is_empty() {
        authority = set_authority(taken.rule);
    }
    let route = taken
        .rule
        .get("route")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    if authority.is_empty() && route.iter().any(|it| !set_authority(it).is_empty()) {
        match route {
            [only] => authority = set_authority(only),
            _ => return Err(unjudged("route.headers.request: host")),
        }
    }
    let old = request.path_alone();
    let new = if let Some(regex) = some(is, "uriRegexRewrite") {
        let compiled =
            compile(text(regex, "/match")).ok_or_else(|| unjudged("rewrite.uriRegexRewrite.match"))?;
        let new = compiled.replace_all(old.as_bytes(), substitution(text(regex, "/rewrite")).as_bytes());
        Some(String::from_utf8_lossy(&new).into_owned())
    } else {
        let uri = text(is, "/uri");
        (!uri.is_empty()).then(|| replaced(uri, taken.block, old))
    };
    let path = new
        .filter(|it| it != old)
        .map(|it| match request.path.split_once('?') {
            Some((_, query)) => format!("{it}?{query}").into(),
            None => it.into(),
        });
    let rewrite = Rewrite {
        authority: authority.into(),
        path,
    };
    Ok((rewrite != Rewrite::default()).then_some(rewrite))
}

/// A path with `new` in the place of what a block matched: a prefix, or all of it.
fn replaced(new: &str, block: Option<&Value>, old: &str) -> String {
    let matched = block.and_then(|it| it.get("uri"));
    let field = |name: &str| matched.and_then(|it| it.get(name)).and_then(Value::as_str);
    if field("exact").is_some() || field("prefix").is_none() && field("regex").is_some() {
        return new.to_owned();
    }
    let prefix = field("prefix").unwrap_or("/").len();
    format!("{new}{}", old.get(prefix..).unwrap_or(""))
}

/// The authority that `headers.request` sets; `set` goes before `add`. (`TranslateHeadersOperations` in istio.)
fn set_authority(it: &Value) -> &str {
    let in_map = |pointer: &str| {
        let map = it.pointer(pointer).and_then(Value::as_object);
        map.into_iter()
            .flatten()
            .find(|(name, _)| name.eq_ignore_ascii_case("host") || name.eq_ignore_ascii_case(":authority"))
            .and_then(|(_, value)| value.as_str())
            .unwrap_or("")
    };
    match in_map("/headers/request/set") {
        "" => in_map("/headers/request/add"),
        set => set,
    }
}

/// RE2's `\1` is the library's `${1}`.
fn substitution(written: &str) -> String {
    let mut out = String::new();
    let mut chars = written.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some(digit @ '0'..='9') => out.push_str(&format!("${{{digit}}}")),
                Some(other) => out.push(other),
                None => {}
            },
            '$' => out.push_str("$$"),
            other => out.push(other),
        }
    }
    out
}

fn some<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|it| !it.is_null())
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

fn number<N: TryFrom<u64>>(value: &Value, pointer: &str) -> Option<N> {
    N::try_from(value.pointer(pointer)?.as_u64()?).ok()
}

fn number_or_zero(value: Option<&Value>) -> f64 {
    value.and_then(Value::as_f64).unwrap_or(0.0)
}

/// A duration as Istio writes them (`1h`, `1.5s`, `300ms`, `1m30s`), in milliseconds. None for none and for nonsense.
pub(crate) fn milliseconds(value: Option<&Value>) -> Option<u64> {
    let mut rest = value?.as_str()?;
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|it: char| !it.is_ascii_digit() && it != '.')
            .unwrap_or(rest.len());
        let count: f64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let units = rest.find(|it: char| it.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match rest.get(..units)? {
            "h" => 3_600_000.0,
            "m" => 60_000.0,
            "s" => 1_000.0,
            "ms" => 1.0,
            "us" | "µs" => 0.001,
            "ns" => 0.000_001,
            _ => return None,
        };
        rest = rest.get(units..)?;
        total += count * unit;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "never negative; saturates"
    )]
    Some(total.round() as u64)
}

#[cfg(test)]
mod tests;
