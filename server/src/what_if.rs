//! `naru what-if`: what proxies would do with requests, by objects from files alone. No cluster is asked.

mod authz;
pub(crate) mod route;

use crate::{cli::WhatIf, failure::Failure, files};
use anyhow::Context;
use naru_domain::{
    Name, Why,
    mesh::{Decider, Mesh},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::path::Path;

/// More requests than anybody reads; a file that has more is refused rather than half answered.
const REQUESTS: usize = 100_000;

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum About {
    /// Where requests go
    Route,
    /// Whether requests are let in
    Authz,
}

/// Answers every request of the file, in its order.
pub(crate) fn run(options: &WhatIf) -> Result<(), Failure> {
    let objects = files::objects(&options.files)?;
    let mesh = Mesh::of(&objects);
    let answers = match options.about {
        About::Route => each(&options.requests, |asked| route::answer(&mesh, asked)),
        About::Authz => each(&options.requests, |asked| authz::answer(&mesh, asked)),
    }?;
    let mut text = serde_json::to_string_pretty(&answers).context("printing")?;
    text.push('\n');
    files::print(&text)
}

fn each<Asked: DeserializeOwned, Answer: Serialize>(
    path: &Path,
    answer: impl Fn(Asked) -> Answer,
) -> Result<Vec<Value>, Failure> {
    let asked: Requests<Asked> = files::json(path)?;
    let asked = match asked {
        Requests::List(list) | Requests::Named { requests: list } => list,
    };
    if asked.len() > REQUESTS {
        return Err(Failure::File {
            path: path.into(),
            detail: format!("more than {REQUESTS} requests"),
        });
    }
    let answers = asked.into_iter().map(|asked| serde_json::to_value(answer(asked)));
    Ok(answers.collect::<Result<_, _>>().context("printing")?)
}

/// A list, alone or under its name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Requests<Asked> {
    List(Vec<Asked>),
    Named { requests: Vec<Asked> },
}

/// A field of an object that decided.
#[derive(Serialize)]
pub(crate) struct Because {
    kind: &'static str,
    namespace: Name,
    name: Name,
    path: Name,
}

pub(crate) fn because(deciders: &[Decider]) -> Vec<Because> {
    let of = |it: &Decider| Because {
        kind: it.key.kind.name(),
        namespace: it.key.namespace.clone(),
        name: it.key.name.clone(),
        path: it.path.clone(),
    };
    deciders.iter().map(of).collect()
}

/// For scripts: what is not known and why, each reason by its key and what it is about.
pub(crate) fn unknown(whys: &[Why]) -> String {
    let one = |why: &Why| match why {
        Why::NotJudged { what } => what.to_string(),
        other => crate::failure::why_key(other),
    };
    let all: Vec<String> = whys.iter().map(one).collect();
    format!("unknown: {}", all.join(", "))
}
