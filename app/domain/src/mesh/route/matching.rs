//! Whether a `match` block of `spec.http` fits a request.

use super::Request;
use crate::{Name, Why, mesh::Proxy};
use serde_json::Value;

/// A request, and where it is seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    /// The request.
    pub(crate) request: &'a Request,
    /// The proxy that decides.
    pub(crate) proxy: &'a Proxy,
    /// The listener's port: for a sidecar the one that was called.
    pub(crate) port: u16,
    /// By what the rules are bound here: `mesh`, or a gateway's `namespace/name`.
    pub(crate) gateway: &'a str,
    /// `http` or `https`, as the proxy takes it.
    pub(crate) scheme: &'a str,
}

/// Whether a condition holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fit {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// It cannot be told.
    Unknown(Why),
}

impl Fit {
    fn is(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    fn unjudged(what: &str) -> Self {
        Self::Unknown(Why::NotJudged { what: what.into() })
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            unknown => unknown,
        }
    }

    /// All hold; a No decides whatever else is unknown.
    fn all(fits: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self::Yes;
        for fit in fits {
            match fit {
                Self::No => return Self::No,
                Self::Unknown(_) if whole == Self::Yes => whole = fit,
                Self::Unknown(_) | Self::Yes => {}
            }
        }
        whole
    }
}

/// Whether a block is configured at this proxy and port at all: what does not depend on the request. Where the block names gateways, its
/// source labels and namespace do not count. (`TranslateRoute` and `sourceMatchHTTP` in istio's `pilot/pkg/networking/core/route`.)
pub(crate) fn concerns(block: &Value, seen: &Seen<'_>, rule_namespace: &str) -> bool {
    let port = block.get("port").and_then(Value::as_u64).unwrap_or(0);
    if port != 0 && port != u64::from(seen.port) {
        return false;
    }
    let gateways = block.get("gateways").and_then(Value::as_array);
    if let Some(gateways) = gateways.filter(|it| !it.is_empty()) {
        let mut named = gateways.iter().filter_map(Value::as_str);
        return named.any(|name| *gateway(name, rule_namespace) == *seen.gateway);
    }
    source(block, seen.proxy)
}

/// Whether `sourceLabels` and `sourceNamespace` pick the proxy.
pub(crate) fn source(block: &Value, proxy: &Proxy) -> bool {
    let labels = block.get("sourceLabels").and_then(Value::as_object);
    let labels = labels
        .into_iter()
        .flatten()
        .all(|(name, value)| proxy.labels.get(name.as_str()).map(|it| &**it) == value.as_str());
    let namespace = block.get("sourceNamespace").and_then(Value::as_str);
    labels && namespace.is_none_or(|it| it.is_empty() || *it == *proxy.namespace)
}

/// A gateway's name in full: `mesh` stays, `gw` and `./gw` are in the rule's namespace, `gw.ns.svc…` is the old form of `ns/gw`.
/// (`resolveGatewayName` in istio's `pilot/pkg/model`.)
pub(crate) fn gateway(name: &str, rule_namespace: &str) -> Name {
    if name == "mesh" {
        return name.into();
    }
    match name.split_once('/') {
        Some((".", rest)) => format!("{rule_namespace}/{rest}").into(),
        Some(_) => name.into(),
        None => match name.split_once('.') {
            None => format!("{rule_namespace}/{name}").into(),
            Some((short, rest)) => {
                let namespace = rest.split('.').next().unwrap_or(rest);
                format!("{namespace}/{short}").into()
            }
        },
    }
}

/// Whether a request has what the block asks of it; [`concerns`] is asked before. (`TranslateRouteMatch` in istio's
/// `pilot/pkg/networking/core/route`; Envoy's route matching.)
pub(crate) fn fits(block: &Value, seen: &Seen<'_>) -> Fit {
    let request = seen.request;
    let ignore_case = block.get("ignoreUriCase").and_then(Value::as_bool) == Some(true);
    let part = |name: &str, value: &str| block.get(name).map_or(Fit::Yes, |it| text(it, Some(value)));
    let map = |name: &str| block.get(name).and_then(Value::as_object).into_iter().flatten();
    let headers = map("headers").map(|(name, is)| header(name, seen, |value| text_or_present(is, value)));
    let without = map("withoutHeaders").map(|(name, is)| {
        header(name, seen, |value| match value {
            // A header that is not there counts as an empty one, unless presence itself is asked.
            None if !present_only(is) => text(is, Some("")),
            value => text_or_present(is, value),
        })
        .not()
    });
    let query = map("queryParams").map(|(name, is)| {
        let value = request
            .query()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value);
        text_or_present(is, value)
    });
    let scheme = || match block.get("scheme") {
        Some(_) if request.headers.contains_key("x-forwarded-proto") => {
            Fit::unjudged("match.scheme, X-Forwarded-Proto")
        }
        Some(is) => text_or_present(is, Some(seen.scheme)),
        None => Fit::Yes,
    };
    Fit::all(
        [
            path(block.get("uri"), ignore_case, request.path_alone()),
            part("method", &request.method),
            part("authority", &request.host),
            scheme(),
        ]
        .into_iter()
        .chain(headers)
        .chain(without)
        .chain(query),
    )
}

fn path(is: Option<&Value>, ignore_case: bool, path: &str) -> Fit {
    let Some(is) = is else {
        return Fit::is(path.starts_with('/'));
    };
    let field = |name: &str| is.get(name).and_then(Value::as_str);
    if let Some(exact) = field("exact") {
        Fit::is(exact == path || ignore_case && exact.eq_ignore_ascii_case(path))
    } else if let Some(prefix) = field("prefix") {
        let start = path.get(..prefix.len());
        Fit::is(start.is_some_and(|it| it == prefix || ignore_case && it.eq_ignore_ascii_case(prefix)))
    } else if let Some(expression) = field("regex") {
        regex(expression, path)
    } else {
        Fit::is(path.starts_with('/'))
    }
}

/// A header by its name; pseudo headers and `host` are parts of the request.
fn header(name: &str, seen: &Seen<'_>, judge: impl FnOnce(Option<&str>) -> Fit) -> Fit {
    let name = name.to_ascii_lowercase();
    if name.starts_with("@request.auth.claims") {
        return Fit::unjudged("match.headers: @request.auth.claims");
    }
    let request = seen.request;
    judge(match name.as_str() {
        ":authority" | "host" => Some(&request.host),
        ":method" => Some(&request.method),
        ":path" => Some(&request.path),
        ":scheme" => Some(seen.scheme),
        name => request.headers.get(name).map(|value| &**value),
    })
}

/// `{}` and the regular expression `*` ask for presence alone. (`canBeConvertedToPresentMatch` in istio's
/// `pilot/pkg/networking/core/route`.)
fn present_only(is: &Value) -> bool {
    let set = |name: &str| is.get(name).and_then(Value::as_str);
    set("exact").is_none() && set("prefix").is_none() && matches!(set("regex"), None | Some("*"))
}

fn text_or_present(is: &Value, value: Option<&str>) -> Fit {
    if present_only(is) {
        Fit::is(value.is_some())
    } else {
        text(is, value)
    }
}

/// A StringMatch on a value that may not be there.
fn text(is: &Value, value: Option<&str>) -> Fit {
    let Some(value) = value else {
        return Fit::No;
    };
    let field = |name: &str| is.get(name).and_then(Value::as_str);
    if let Some(exact) = field("exact") {
        Fit::is(exact == value)
    } else if let Some(prefix) = field("prefix") {
        Fit::is(value.starts_with(prefix))
    } else {
        match field("regex") {
            None | Some("*") => Fit::Yes,
            Some(expression) => regex(expression, value),
        }
    }
}

/// Whether a regular expression of RE2 fits the whole value. What RE2 and the library read differently is not judged.
pub(crate) fn regex(expression: &str, value: &str) -> Fit {
    match compile(&format!(r"\A(?:{expression})\z")) {
        Some(compiled) => Fit::is(compiled.is_match(value.as_bytes())),
        None => Fit::unjudged(&format!("regular expression {expression}")),
    }
}

/// RE2's classes are ASCII; what it does not know (set operations, nested classes) is refused.
pub(crate) fn compile(expression: &str) -> Option<regex::bytes::Regex> {
    let foreign = ["&&", "--", "~~"].iter().any(|it| expression.contains(it));
    let nested = expression.replace("[[:", "").contains("[[");
    if foreign || nested || expression.contains("(?x") {
        return None;
    }
    let mut builder = regex::bytes::RegexBuilder::new(expression);
    builder.unicode(false).build().ok()
}
