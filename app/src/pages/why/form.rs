//! The question: a plain form, so it works before any script runs and without one.

use crate::{
    AppError,
    graph::{escape, link},
    lang::Lang,
    routes,
};
use leptos::prelude::*;
use leptos_router::params::ParamsMap;
use naru_view::{
    Name,
    explanation::Ask,
    why::{ApplyError, Refused},
};

/// The methods that are offered; the URL may name another.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// Characters of another method that the list shows.
const METHOD: usize = 32;

/// What the form holds, as the URL says it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Form {
    /// The URL asks; else it only fills in.
    asks: bool,
    from: String,
    method: String,
    url: String,
    to: String,
    /// One a line.
    headers: String,
    /// The field that cannot be used.
    wrong: Option<Field>,
}

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    From,
    Method,
    Url,
    Headers,
}

impl Form {
    /// `?from=…&method=…&url=…&h=name:value&h=…`. A text of several lines in `h` is several headers: so a form without scripts sends them.
    pub(super) fn of(url: &ParamsMap) -> Self {
        let get = |name: &str| url.get(name).unwrap_or_default();
        let headers = url.get_all("h").unwrap_or_default();
        let lines: Vec<&str> = headers.iter().flat_map(|it| it.lines()).collect();
        let lines = lines.into_iter().filter(|line| !line.trim().is_empty());
        Self {
            asks: url.get("from").is_some(),
            from: get("from"),
            method: Some(get("method"))
                .filter(|it| !it.is_empty())
                .unwrap_or_else(|| "GET".into()),
            url: get("url"),
            to: get("to"),
            headers: lines.collect::<Vec<_>>().join("\n"),
            wrong: None,
        }
    }

    pub(super) fn ask(&self) -> Option<Ask> {
        // A line without a colon has no name, and is refused as such.
        let header = |line: &str| match line.split_once(':') {
            Some((name, value)) => (Name::from(name.trim()), Name::from(value.trim())),
            None => (Name::from(""), Name::from(line)),
        };
        self.asks.then(|| Ask {
            from: self.from.as_str().into(),
            method: self.method.as_str().into(),
            url: self.url.as_str().into(),
            to: self.to.as_str().into(),
            headers: self.headers.lines().map(header).collect(),
        })
    }

    /// With the URL that was found.
    pub(super) fn told(&self, ask: &Ask) -> Self {
        Self {
            url: ask.url.to_string(),
            method: ask.method.to_string(),
            to: String::new(),
            ..self.clone()
        }
    }

    pub(super) fn wrong(self, error: &AppError) -> Self {
        let field = match error {
            AppError::BadRequest { field } => match &**field {
                "from" => Some(Field::From),
                "method" => Some(Field::Method),
                "url" | "to" => Some(Field::Url),
                "headers" => Some(Field::Headers),
                _ => None,
            },
            AppError::Apply {
                error:
                    ApplyError::Refused {
                        refused: Refused::NotFound { .. },
                    },
            } => Some(Field::From),
            _ => None,
        };
        Self { wrong: field, ..self }
    }
}

pub(super) fn draw(
    lang: Lang,
    form: &Form,
    callers: &[String],
    offered: &[(String, String)],
) -> impl IntoView + use<> {
    let invalid = |field| (form.wrong == Some(field)).then_some("true");
    let described = |field| (form.wrong == Some(field)).then_some("why-wrong");
    let proposals = callers
        .iter()
        .map(|name| view! { <option value=name.clone()></option> })
        .collect_view();
    let towards = form.url.is_empty() && !form.to.is_empty();
    let hint = if towards {
        form.to.clone()
    } else {
        "http://user-service.user-service/".to_owned()
    };
    let to = towards.then(|| view! { <input type="hidden" name="to" value=form.to.clone()/> });
    let other = !METHODS.contains(&&*form.method) && form.method.chars().count() <= METHOD;
    let methods = METHODS
        .iter()
        .map(|it| (*it).to_owned())
        .chain(other.then(|| form.method.clone()));
    let methods = methods
        .map(|it| view! { <option value=it.clone() selected=it == form.method>{it.clone()}</option> })
        .collect_view();
    let offers = offered
        .iter()
        .map(|(from, to)| {
            let href = routes::why(from, to);
            // A page of its own: the keyboard then begins anew with the answer.
            view! { <a class="chip" href=href rel="external">{format!("{from} → {to}")}</a> }
        })
        .collect_view();
    let offers = (!offered.is_empty()).then(|| {
        view! {
            <div class="chips" role="group" aria-labelledby="why-offers">
                <span class="quiet" id="why-offers">{lang.request_offers()}</span>
                {offers}
            </div>
        }
    });
    view! {
        <section class="card" aria-labelledby="why-form">
            <header><h2 id="why-form">{lang.request_form()}</h2></header>
            <form method="get" action="/why" class="question">
                <label class="from">
                    <span>{lang.request_from()}</span>
                    <input
                        class="field"
                        name="from"
                        list="why-callers"
                        required=true
                        autocomplete="off"
                        spellcheck="false"
                        placeholder=lang.request_from_hint()
                        value=form.from.clone()
                        aria-invalid=invalid(Field::From)
                        aria-describedby=described(Field::From)
                    />
                </label>
                <datalist id="why-callers">{proposals}</datalist>
                <label class="method">
                    <span>{lang.request_method()}</span>
                    <select
                        class="field"
                        name="method"
                        aria-invalid=invalid(Field::Method)
                        aria-describedby=described(Field::Method)
                    >
                        {methods}
                    </select>
                </label>
                <label class="url">
                    <span>{lang.request_url()}</span>
                    <input
                        class="field"
                        name="url"
                        required=!towards
                        maxlength="2048"
                        autocomplete="off"
                        spellcheck="false"
                        placeholder=hint
                        value=form.url.clone()
                        aria-invalid=invalid(Field::Url)
                        aria-describedby=described(Field::Url)
                    />
                </label>
                <label class="headers">
                    <span>{lang.request_headers()}</span>
                    {headers(form)}
                </label>
                {to}
                <button class="button go">{lang.request_go()}</button>
            </form>
            {offers}
        </section>
    }
}

/// Leptos writes what is inside a `<textarea>` as it is, so it is escaped here; a browser that runs scripts sets the value besides. An empty
/// text has no node, which hydration would look for.
fn headers(form: &Form) -> AnyView {
    let wrong = form.wrong == Some(Field::Headers);
    let (invalid, described) = (wrong.then_some("true"), wrong.then_some("why-wrong"));
    let safe = form.headers.lines().map(escape).collect::<Vec<_>>().join("\n");
    if form.headers.is_empty() {
        view! {
            <textarea
                class="field"
                name="h"
                rows="2"
                spellcheck="false"
                placeholder="canary: true"
                aria-invalid=invalid
                aria-describedby=described
            ></textarea>
        }
        .into_any()
    } else {
        view! {
            <textarea
                class="field"
                name="h"
                rows="2"
                spellcheck="false"
                aria-invalid=invalid
                aria-describedby=described
                prop:value=form.headers.clone()
            >
                {safe}
            </textarea>
        }
        .into_any()
    }
}

/// The link that asks this again.
pub(super) fn again(ask: &Ask) -> String {
    let headers: Vec<String> = ask
        .headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}"))
        .collect();
    let mut pairs = vec![("from", &*ask.from), ("method", &*ask.method), ("url", &*ask.url)];
    pairs.extend(headers.iter().map(|it| ("h", &**it)));
    format!("/why{}", link(&pairs))
}
