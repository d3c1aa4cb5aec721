//! A judgement as shape, word and colour, never colour alone.

use crate::{format, lang::Lang};
use leptos::prelude::*;
use naru_view::{source::Freshness, topology::EdgeHealth};

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Good,
    Warn,
    Bad,
    Idle,
    Unknown,
}

impl Sign {
    pub(crate) const fn shape(self) -> &'static str {
        match self {
            Self::Good => "●",
            Self::Warn => "▲",
            Self::Bad => "◆",
            Self::Idle => "○",
            Self::Unknown => "?",
        }
    }

    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Idle | Self::Unknown => "idle",
        }
    }

    pub(crate) const fn of_health(health: EdgeHealth) -> Self {
        match health {
            EdgeHealth::Good => Self::Good,
            EdgeHealth::Degraded => Self::Warn,
            EdgeHealth::Failing => Self::Bad,
            EdgeHealth::Idle => Self::Idle,
        }
    }

    pub(crate) const fn of_freshness(state: Freshness) -> Self {
        match state {
            Freshness::Fresh => Self::Good,
            Freshness::Partial | Freshness::Stale => Self::Warn,
            Freshness::Unreachable => Self::Bad,
        }
    }

    /// The bounds of `naru_view::topology::EdgeHealth`, for shares that come without a verdict.
    pub(crate) fn of_errors(share: Option<f64>) -> Self {
        match share {
            None => Self::Unknown,
            Some(share) if share >= 0.05 => Self::Bad,
            Some(share) if share >= 0.001 => Self::Warn,
            Some(_) => Self::Good,
        }
    }
}

/// The word for an edge's health.
pub(crate) fn health(lang: Lang, health: EdgeHealth) -> &'static str {
    match health {
        EdgeHealth::Good => lang.health_good(),
        EdgeHealth::Degraded => lang.health_degraded(),
        EdgeHealth::Failing => lang.health_failing(),
        EdgeHealth::Idle => lang.health_idle(),
    }
}

/// The word for a source's state.
pub(crate) fn freshness(lang: Lang, state: Freshness) -> &'static str {
    match state {
        Freshness::Fresh => lang.source_fresh(),
        Freshness::Partial => lang.source_partial(),
        Freshness::Stale => lang.source_stale(),
        Freshness::Unreachable => lang.source_unreachable(),
    }
}

/// A pill: shape, word, colour.
pub(crate) fn pill(sign: Sign, text: impl Into<String>) -> impl IntoView {
    let class = match sign.class() {
        "ok" => "pill ok",
        "warn" => "pill warn",
        "bad" => "pill bad",
        _ => "pill idle",
    };
    let text: String = text.into();
    view! { <span class=class><span aria-hidden="true">{sign.shape()}</span>{text}</span> }
}

/// An error share with its shape.
pub(crate) fn errors(share: Option<f64>) -> impl IntoView {
    let sign = Sign::of_errors(share);
    let class = match sign {
        Sign::Bad => "num text-bad",
        Sign::Warn => "num text-warn",
        _ => "num",
    };
    let shape = matches!(sign, Sign::Bad | Sign::Warn)
        .then(|| view! { <span aria-hidden="true">{sign.shape()}</span>" " });
    view! { <span class=class>{shape}{format::percent_of(share)}</span> }
}
