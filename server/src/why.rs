//! `naru why`: one request explained, on a cluster or on files.

mod text;

use crate::{
    cli::{self, Telling},
    failure::Failure,
    files,
    inventory::inventory,
    startup,
    what_if::{Because, because, route::reason, unknown},
};
use anyhow::Context;
use naru_app::Lang;
use naru_domain::{
    Name, Why,
    mesh::{
        KINDS, Mesh,
        authz::Verdict,
        explain::{
            End, Explanation, Leg, Nowhere,
            ask::{self, Part},
            explain,
        },
        mtls,
        route::Request,
    },
    snapshot::Objects,
    workload::WorkloadId,
};
use serde::Serialize;

/// Reads the request, asks, explains.
pub(crate) async fn run(options: cli::Why, lang: Lang) -> Result<(), Failure> {
    let from = workload(&options.from)?;
    let request = request(&options.method, &options.url, &options.headers)?;
    let (objects, gaps) = objects(&options).await?;
    let told = explain(&Mesh::of(&objects), &from, &request).ok_or_else(|| Failure::NoWorkload {
        workload: options.from.clone(),
    })?;
    let out = match options.output {
        Telling::Text => text::told(lang, &told),
        Telling::Json => {
            let mut json = serde_json::to_string_pretty(&printed(&told)).context("printing")?;
            json.push('\n');
            json
        }
    };
    files::print(&out)?;
    if gaps.is_empty() {
        Ok(())
    } else {
        Err(Failure::Partial(gaps))
    }
}

async fn objects(options: &cli::Why) -> Result<(Objects, Vec<Why>), Failure> {
    if !options.files.is_empty() {
        return Ok((files::objects(&options.files)?, Vec::new()));
    }
    let cluster = startup::cluster(&options.kubernetes).await?;
    inventory(&*cluster, &KINDS).await.map_err(Failure::Source)
}

fn workload(from: &str) -> Result<WorkloadId, Failure> {
    ask::place(from).ok_or_else(|| Failure::NoWorkload {
        workload: from.to_owned(),
    })
}

fn request(method: &str, url: &str, headers: &[String]) -> Result<Request, Failure> {
    let headers: Option<Vec<(&str, &str)>> = headers.iter().map(|it| it.split_once(':')).collect();
    let headers = headers.ok_or_else(|| Failure::BadArgument {
        argument: "--header",
        detail: "NAME: VALUE".into(),
    })?;
    ask::request(method, url, headers).map_err(|odd| Failure::BadArgument {
        argument: match odd.part {
            Part::From => "--from",
            Part::Method => "METHOD",
            Part::Url | Part::To => "URL",
            Part::Headers => "--header",
        },
        detail: odd.detail,
    })
}

#[derive(Serialize)]
struct Printed {
    caller: String,
    meshed: bool,
    gateway: bool,
    principal: Option<Name>,
    /// As `naru what-if route` says it; null without a proxy.
    reason: Option<String>,
    because: Vec<Because>,
    legs: Vec<PrintedLeg>,
}

#[derive(Serialize)]
struct PrintedLeg {
    host: Name,
    subset: Name,
    port: u16,
    weight: u32,
    /// Why nothing is behind it; null where something is.
    nowhere: Option<String>,
    ends: Vec<PrintedEnd>,
}

#[derive(Serialize)]
struct PrintedEnd {
    workload: Option<String>,
    ready: u32,
    total: u32,
    tls: String,
    authorization: Option<&'static str>,
    /// Its proxy reads HTTP there, and something else is sent.
    deaf: bool,
    because: Vec<Because>,
}

fn printed(told: &Explanation) -> Printed {
    Printed {
        caller: place(&told.caller.workload),
        meshed: told.choice.is_some(),
        gateway: told.caller.gateway,
        principal: told.caller.principal.clone(),
        reason: told.choice.as_ref().map(|it| reason(&it.outcome)),
        because: told
            .choice
            .as_ref()
            .map_or(Vec::new(), |it| because(&it.deciders)),
        legs: told.legs.iter().map(leg).collect(),
    }
}

fn leg(leg: &Leg) -> PrintedLeg {
    let to = &leg.share.destination;
    let nowhere = leg.ends.as_ref().err().map(|it| match it {
        Nowhere::NoCluster => "no cluster".into(),
        Nowhere::Unknown(whys) => unknown(whys),
    });
    PrintedLeg {
        host: to.host.clone(),
        subset: to.subset.clone(),
        port: to.port,
        weight: leg.share.weight,
        nowhere,
        ends: leg.ends.iter().flatten().map(end).collect(),
    }
}

fn end(end: &End) -> PrintedEnd {
    let tls = match &end.handshake.outcome {
        mtls::Outcome::Works { mutual: true } => "mutual".into(),
        mtls::Outcome::Works { mutual: false } => "plaintext".into(),
        mtls::Outcome::Refused { .. } => "refused".into(),
        mtls::Outcome::Unknown(whys) => unknown(whys),
    };
    let authorization = end.authorization.as_ref();
    PrintedEnd {
        workload: end.workload.as_ref().map(place),
        ready: end.ready,
        total: end.total,
        tls,
        authorization: authorization.map(|it| match it.verdict {
            Verdict::Allow => "allow",
            Verdict::Deny => "deny",
            Verdict::Unknown(_) => "unknown",
        }),
        deaf: end.deaf,
        because: authorization
            .and_then(|it| it.decider.clone())
            .map_or(Vec::new(), |it| because(&[it])),
    }
}

fn place((namespace, name): &WorkloadId) -> String {
    format!("{namespace}/{name}")
}
