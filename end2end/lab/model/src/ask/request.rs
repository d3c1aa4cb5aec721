//! One request, all of it together: `explain`, which asks `route::choose` (and for gateways `gateway::choose`), `subset::reach`, `mtls::mode`
//! and `authz::decide`.

use crate::{
    Answer, Asks, Case, Document,
    answer::Gets,
    place::{self, GATEWAY, Place},
};
use anyhow::{Result, anyhow};
use naru_domain::mesh::{
    Mesh, authz,
    explain::{End, Explanation, Leg, Nowhere, explain},
    mtls,
    protocol::Reads,
    route::{Effects, Outcome, Protocol, Request},
};
use naru_domain::object::Kind;
use serde_json::{Value, json};

pub(super) fn ask(mesh: &Mesh<'_>, standing: &[Value], document: &Document, case: &Case) -> Result<Answer> {
    let place = place::of(standing, document, case)?;
    let gateway = document.asks == Asks::Gateway;
    let from = if gateway {
        GATEWAY
    } else {
        place::split(document.from(case))?
    };
    let mut request = request(case, &place, gateway);
    let meshed = place::meshed(standing, from.0, from.1);
    if !meshed && request.host.is_empty() {
        // Without a proxy only the name leads anywhere, whatever is spoken.
        request.host = super::name(&place.name);
    }
    let told = explain(mesh, &(from.0.into(), from.1.into()), &request)
        .ok_or_else(|| anyhow!("nobody is called {}/{}", from.0, from.1))?;
    let http =
        matches!(request.protocol, Protocol::Http) || gateway && matches!(request.protocol, Protocol::Https);
    let mut answer = answer(standing, &told, &request, http, &place);
    if !told.legs.iter().all(reads) {
        // Only a proxy that reads HTTP tells the workload about the caller's certificate.
        answer.facts.shift_remove("mutual");
    }
    Ok(answer)
}

fn reads(leg: &Leg) -> bool {
    let mut ends = leg.ends.iter().flatten();
    ends.all(|it| it.reads.is_some_and(|it| it != Reads::No))
}

fn request(case: &Case, place: &Place, gateway: bool) -> Request {
    let protocol = match case.protocol.as_str() {
        "https" => Protocol::Https,
        "tls" => Protocol::Tls,
        "tcp" => Protocol::Tcp,
        _ => Protocol::Http,
    };
    let http = matches!(protocol, Protocol::Http) || gateway && matches!(protocol, Protocol::Https);
    let host = if case.host.is_empty() {
        &place.name
    } else {
        &case.host
    };
    let or = |text: &str, otherwise: &str| super::name(if text.is_empty() { otherwise } else { text });
    Request {
        protocol,
        host: super::name(if http { host } else { "" }),
        // A gateway does not look at the address, and where the name leads there the model finds it itself.
        address: (!gateway && (!case.host.is_empty() || !http || place.name.is_empty()))
            .then(|| place.address.parse().ok())
            .flatten(),
        port: place.port,
        sni: super::name(&case.sni),
        method: or(&case.method, "GET"),
        path: or(&case.path, "/"),
        headers: case
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
            .collect(),
    }
}

fn answer(standing: &[Value], told: &Explanation, request: &Request, http: bool, place: &Place) -> Answer {
    let one = |what: &str| Answer {
        gets: [(what.to_owned(), 100.0)].into(),
        ..Answer::default()
    };
    let Some(choice) = &told.choice else {
        return sent(told, request, http, &Effects::default());
    };
    match &choice.outcome {
        Outcome::Sent(_) => sent(told, request, http, &choice.effects),
        Outcome::NoVirtualHost | Outcome::NoRoute => one("404"),
        Outcome::NoListener => one("refused"),
        Outcome::NoFilterChain => one("closed"),
        Outcome::Passthrough if told.legs.is_empty() => at(standing, &place.address),
        Outcome::Passthrough => sent(told, request, http, &choice.effects),
        Outcome::BlackHole if matches!(request.protocol, Protocol::Http) => one("502"),
        Outcome::BlackHole => one("closed"),
        Outcome::Redirect {
            code,
            authority,
            path,
        } => {
            let or = |text: &str, otherwise: &str| if text.is_empty() { otherwise } else { text }.to_owned();
            one(&code.to_string())
                .with("location_host", or(authority, &request.host))
                .with("location_path", or(path, &request.path))
        }
        Outcome::Direct { status } => one(&status.to_string()),
        Outcome::Unknown(whys) => super::unknown(whys),
    }
}

/// Who has the address, a pod's or a service's.
fn at(standing: &[Value], address: &str) -> Answer {
    let of = |kind: &'static str| standing.iter().filter(move |it| it["kind"] == kind);
    let service = of("Service").find(|it| it["spec"]["clusterIP"] == address);
    let pods = of("Pod").filter(|pod| match service {
        None => pod["status"]["podIP"] == address,
        Some(service) => {
            let selector = service["spec"]["selector"].as_object().into_iter().flatten();
            let mut labels = selector.map(|(name, value)| pod["metadata"]["labels"].get(name) == Some(value));
            pod["metadata"]["namespace"] == service["metadata"]["namespace"] && labels.all(|it| it)
        }
    });
    let name = |pod: &Value| {
        let text = |name: &str| pod["metadata"][name].as_str().unwrap_or("").to_owned();
        let (namespace, name) = (text("namespace"), text("name"));
        format!("{namespace}/{}", place::workload(&name))
    };
    Answer {
        gets: pods.map(|pod| (name(pod), 100.0)).collect(),
        ..Answer::default()
    }
}

fn sent(told: &Explanation, request: &Request, http: bool, effects: &Effects) -> Answer {
    // What a caller sees of a connection that cannot be made or is refused: its own proxy answers for it.
    let rule = told.choice.as_ref().and_then(|it| it.rule.as_ref());
    let failure = match (&told.choice, http) {
        (Some(_), true) => "503",
        _ => "closed",
    };
    // The Gateway API wants 500 for what leads nowhere.
    let nowhere = match rule {
        Some((key, _)) if key.kind == Kind::HttpRoute => "500",
        _ => failure,
    };
    let total: u32 = told.legs.iter().map(|leg| leg.share.weight).sum();
    let mut gets = Gets::new();
    let mut whys = Vec::new();
    let mut mutual: Vec<bool> = Vec::new();
    for leg in told.legs.iter().filter(|leg| leg.share.weight > 0) {
        let part = 100.0 * f64::from(leg.share.weight) / f64::from(total.max(1));
        for (what, share) in behind(leg, http, (failure, nowhere), &mut whys, &mut mutual) {
            *gets.entry(what).or_default() += part * share;
        }
    }
    if told.legs.is_empty() {
        return super::unknown(&[]);
    }
    if !whys.is_empty() {
        return Answer::fact("unknown", whys.join(", "));
    }
    let mut answer = Answer {
        gets,
        ..Answer::default()
    };
    let arrives = answer.gets.keys().any(|it| it.contains('/'));
    if let Some((percent, status)) = effects.fault.as_ref().and_then(|it| it.abort)
        && percent > 0.0
    {
        for part in answer.gets.values_mut() {
            *part *= (100.0 - percent) / 100.0;
        }
        answer.gets.retain(|_, part| *part > 0.0);
        *answer.gets.entry(status.to_string()).or_default() += percent;
    }
    if http && arrives {
        let rewrite = effects.rewrite.clone().unwrap_or_default();
        let host = if rewrite.authority.is_empty() {
            &request.host
        } else {
            &rewrite.authority
        };
        answer = answer
            .with("host", &**host)
            .with("path", rewrite.path.as_deref().unwrap_or(&request.path));
        if let [first, rest @ ..] = &mutual[..]
            && rest.iter().all(|it| it == first)
        {
            answer = answer.with("mutual", *first);
        }
    }
    if let Some((percent, ms)) = effects.fault.as_ref().and_then(|it| it.delay)
        && percent >= 100.0
    {
        answer = answer.with("delay_ms", ms);
    }
    let mirrors: Vec<Value> = effects
        .mirrors
        .iter()
        .map(|it| json!(it.destination.host.to_string()))
        .collect();
    if mirrors.is_empty() {
        answer
    } else {
        answer.with("mirrors", mirrors)
    }
}

/// What requests get behind one destination, in parts of one.
fn behind(
    leg: &Leg,
    http: bool,
    (failure, nowhere): (&str, &str),
    whys: &mut Vec<String>,
    mutual: &mut Vec<bool>,
) -> Vec<(String, f64)> {
    let ends = match &leg.ends {
        Ok(ends) if leg.share.missing.is_none() => ends,
        Err(Nowhere::Unknown(unknown)) => {
            whys.extend(unknown.iter().map(|why| format!("{why:?}")));
            return Vec::new();
        }
        Ok(_) | Err(Nowhere::NoCluster) => return vec![(nowhere.to_owned(), 1.0)],
    };
    let ready: u32 = ends.iter().map(|it| it.ready).sum();
    if ready == 0 {
        return vec![(failure.to_owned(), 1.0)];
    }
    let mut of = |end: &End| -> String {
        match &end.handshake.outcome {
            mtls::Outcome::Works { mutual: it } => mutual.push(*it),
            mtls::Outcome::Refused { .. } => return failure.to_owned(),
            mtls::Outcome::Unknown(unknown) => {
                whys.extend(unknown.iter().map(|why| format!("{why:?}")));
                return "unknown".to_owned();
            }
        }
        match end.authorization.as_ref().map(|it| &it.verdict) {
            Some(authz::Verdict::Deny) if http => return "403".to_owned(),
            Some(authz::Verdict::Deny) => return "closed".to_owned(),
            Some(authz::Verdict::Unknown(unknown)) => {
                whys.extend(unknown.iter().map(|why| format!("{why:?}")));
            }
            // Its proxy is there, and reads HTTP where other bytes come.
            Some(authz::Verdict::Allow) if end.deaf => return "closed".to_owned(),
            Some(authz::Verdict::Allow) | None => {}
        }
        end.workload.as_ref().map_or_else(
            || "nobody".to_owned(),
            |(namespace, name)| format!("{namespace}/{name}"),
        )
    };
    let ends = ends.iter().filter(|it| it.ready > 0);
    ends.map(|end| (of(end), f64::from(end.ready) / f64::from(ready)))
        .collect()
}
