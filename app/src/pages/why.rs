//! One request explained: a form, and the answer as a chain from the caller to what was measured. The question is in the URL.

mod answer;
mod form;
mod step;
mod verdict;

use crate::{
    AppError,
    components::{
        page::Heading,
        sign::{Sign, pill},
        states,
    },
    context::lang,
    lang::Lang,
    live::{self, Live},
    say,
};
use form::Form;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use naru_view::{
    explanation::{Ask, Explanation},
    source::SourceState,
    topology::{Edge, Node, NodeKind, Topology},
    why::{ApplyError, Refused},
};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use verdict::Standing;

/// Calls that are offered as questions.
const OFFERED: usize = 6;
/// Workloads that the caller's field proposes; beyond, one types.
const PROPOSED: usize = 1_000;

/// The page.
pub(crate) fn why() -> impl IntoView {
    let url = use_query_map();
    let form = Memo::new(move |_| url.with(Form::of));
    let loaded = Resource::new(move || form.with(Form::ask), load);
    let shown = move || {
        Suspend::new(async move {
            match loaded.await {
                Ok(loaded) => draw(&form.get_untracked(), &loaded).into_any(),
                Err(error) => states::failed(&error, move || loaded.refetch()).into_any(),
            }
        })
    };
    view! { <Suspense fallback=states::skeleton>{shown}</Suspense> }
}

/// What the page is made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Loaded {
    /// Workloads that may call (`namespace/name`), sorted.
    callers: Vec<String>,
    /// The busiest calls: from and to.
    offered: Vec<(String, String)>,
    sources: Vec<SourceState>,
    /// None: nothing is asked yet.
    answer: Option<Result<Explanation, AppError>>,
}

async fn load(asked: Option<Ask>) -> Result<Loaded, AppError> {
    let topology = live::load::<Topology>().await?;
    let answer = match asked {
        Some(ask) => Some(explained(ask).await),
        None => None,
    };
    Ok(Loaded {
        callers: callers(&topology),
        offered: offered(&topology),
        sources: topology.sources.clone(),
        answer,
    })
}

#[cfg(feature = "ssr")]
async fn explained(ask: Ask) -> Result<Explanation, AppError> {
    crate::serverfns::explained(&ask)
}

#[cfg(not(feature = "ssr"))]
async fn explained(ask: Ask) -> Result<Explanation, AppError> {
    crate::serverfns::explain(ask).await.inspect_err(|error| {
        if *error == AppError::SignedOut {
            crate::live::sign_in();
        }
    })
}

fn place(node: &Node) -> String {
    format!("{}/{}", node.namespace, node.workload)
}

fn calls(node: &Node) -> bool {
    matches!(
        node.kind,
        NodeKind::Workload | NodeKind::Gateway | NodeKind::Ingress
    ) && !node.namespace.is_empty()
}

fn callers(it: &Topology) -> Vec<String> {
    // Without pods there is no caller to ask about.
    let runs = |node: &&Node| calls(node) && node.pods.is_none_or(|(_, all)| all > 0);
    let mut names: Vec<String> = it.nodes.iter().filter(runs).map(place).collect();
    names.sort();
    names.dedup();
    names.truncate(PROPOSED);
    names
}

/// Calls by HTTP between workloads, busiest first; of several versions of a Service the busiest.
fn offered(it: &Topology) -> Vec<(String, String)> {
    let node = |position: u32| it.nodes.get(position as usize);
    let mut edges: Vec<(&Edge, &Node, &Node)> = it
        .edges
        .iter()
        .filter(|edge| &*edge.protocol != "tcp" && edge.rate.is_some())
        .filter_map(|edge| Some((edge, node(edge.source)?, node(edge.target)?)))
        .filter(|(_, from, to)| calls(from) && calls(to) && !to.services.is_empty())
        .collect();
    edges.sort_by(|(a, ..), (b, ..)| b.rate.partial_cmp(&a.rate).unwrap_or(Ordering::Equal));
    let mut seen = Vec::new();
    edges.retain(|(_, from, to)| {
        let call = (from.id.clone(), to.namespace.clone(), to.services.clone());
        let new = !seen.contains(&call);
        seen.push(call);
        new
    });
    edges.truncate(OFFERED);
    edges
        .into_iter()
        .map(|(_, from, to)| (place(from), place(to)))
        .collect()
}

fn draw(form: &Form, loaded: &Loaded) -> impl IntoView + use<> {
    let lang = lang();
    let live = Live::here();
    let sources = loaded.sources.clone();
    // A page that is reached by a link brings newer sources than the document did.
    Effect::new(move |_| live.sources.set(sources.clone()));
    let (answer, sign, body, form) = match &loaded.answer {
        None => (
            lang.request_ask().to_owned(),
            None,
            view! { <p>{lang.request_lead()}</p> }.into_any(),
            form.clone(),
        ),
        Some(Ok(told)) => {
            let standing = Standing::of(told);
            (
                standing.answer(lang).to_owned(),
                Some(standing.sign()),
                answer::answer(told).into_any(),
                form.told(&told.ask),
            )
        }
        Some(Err(error)) => (
            lang.request_bad().to_owned(),
            Some(Sign::Unknown),
            ().into_any(),
            form.clone().wrong(error),
        ),
    };
    let error = loaded.answer.as_ref().and_then(|it| it.as_ref().err());
    let error = error.map(|error| {
        view! { <p class="notice bad" role="alert" id="why-wrong">{wrong(lang, error)}</p> }
    });
    let word = |sign| match sign {
        Sign::Good => lang.request_sign_good(),
        Sign::Warn => lang.request_sign_partly(),
        Sign::Bad => lang.request_sign_bad(),
        Sign::Idle | Sign::Unknown => lang.request_sign_unknown(),
    };
    let asked = matches!(&loaded.answer, Some(Ok(_)));
    // What is neither good nor bad has been said by the heading.
    let sign = sign
        .filter(|sign| asked && *sign != Sign::Idle)
        .map(|sign| pill(sign, word(sign)));
    view! {
        <div class="page">
            <div class="lead"><Heading title=lang.app_title(&lang.nav_why()) answer=answer/>{sign}</div>
            {error}
            {form::draw(lang, &form, &loaded.callers, &loaded.offered)}
            {body}
        </div>
    }
}

/// What is wrong with the question, in terms of the form.
fn wrong(lang: Lang, error: &AppError) -> String {
    match error {
        AppError::BadRequest { field } => match &**field {
            "from" => lang.request_bad_from().into(),
            "method" => lang.request_bad_method().into(),
            "url" => lang.request_bad_url().into(),
            "to" => lang.request_bad_to().into(),
            "headers" => lang.request_bad_headers().into(),
            _ => say::app_error(lang, error),
        },
        AppError::Apply {
            error:
                ApplyError::Refused {
                    refused: Refused::NotFound { namespace, name, .. },
                },
        } => lang.request_nobody(&format!("{namespace}/{name}")),
        AppError::Apply {
            error: ApplyError::Refused {
                refused: Refused::Unknown { whys },
            },
        } => lang.explain_unknown(&say::whys(lang, whys)),
        error => say::app_error(lang, error),
    }
}
