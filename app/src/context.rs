//! What the server gives to pages and server functions, and what a page knows about where it is.

#[cfg(feature = "ssr")]
mod request;

use crate::{bar::Bar, lang::Lang, theme::Theme};
use leptos::prelude::{SharedValue, use_context};
use naru_view::{Millis, Name, source::SourceState, version::Version};
use serde::{Deserialize, Serialize};
#[cfg(feature = "ssr")]
use std::sync::Arc;

#[cfg(feature = "ssr")]
pub use request::{Preferences, preferences};

/// Which system this console stands before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", content = "cluster", rename_all = "kebab-case")]
pub enum Mode {
    /// A world inside the process: nothing real can be touched.
    #[default]
    Rehearsal,
    /// A real cluster, by the name that people know it by.
    Cluster(Name),
}

/// The inside. Given once to `leptos_routes_with_context`; pages and server functions find it in their context.
#[cfg(feature = "ssr")]
#[derive(Clone)]
pub struct Backend {
    /// Views, plans, changes.
    pub console: Arc<dyn naru_ports::Console>,
    /// Ages are told by this clock.
    pub clock: Arc<dyn naru_ports::Clock>,
    /// The system's name, for the top bar.
    pub system: Name,
    /// Rehearsal or a cluster.
    pub mode: Mode,
    /// The hand on the rehearsal, where it is one.
    pub rehearsal: Option<Arc<dyn naru_ports::Rehearsing>>,
}

/// Who is looking, and what they may see. Given anew for each request.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Under whose identity plans are tried and changes are made.
    pub actor: naru_domain::actor::Actor,
    /// Which namespaces they see.
    pub scope: naru_domain::actor::Scope,
}

/// Both contexts; an error instead of a panic where the server gave none (the listing of routes at startup is such a place).
#[cfg(feature = "ssr")]
pub fn backend() -> Result<(Backend, Viewer), crate::AppError> {
    match (use_context::<Backend>(), use_context::<Viewer>()) {
        (Some(backend), Some(viewer)) => Ok((backend, viewer)),
        _ => Err(crate::AppError::Internal),
    }
}

/// The frame around every page, as it was when the server rendered it. Crosses to the browser with the page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// The system's name.
    pub system: Name,
    /// Rehearsal or a cluster.
    pub mode: Mode,
    /// Whether nothing may be written through this server.
    pub read_only: bool,
    /// The viewer's name for display.
    pub who: Name,
    /// The language of every sentence on the page.
    pub lang: Lang,
    /// The colours chosen.
    pub theme: Theme,
    /// The server's clock at that moment.
    pub now: Millis,
    /// The sources behind the page.
    pub sources: Vec<SourceState>,
    /// The version that the page was rendered from.
    pub version: Option<Version>,
    /// What the bar of a rehearsal shows; None where there is none.
    pub bar: Option<Bar>,
}

impl Frame {
    /// The server's frame on the server; the same one, carried over, in the browser.
    pub(crate) fn shared() -> Self {
        SharedValue::new(Self::here).into_inner()
    }

    #[cfg(feature = "ssr")]
    fn here() -> Self {
        let chosen = preferences();
        let frame = Self {
            lang: chosen.lang,
            theme: chosen.theme,
            ..Self::default()
        };
        let Ok((backend, viewer)) = backend() else {
            return frame;
        };
        let view = backend.console.view(&viewer.scope);
        Self {
            system: backend.system,
            mode: backend.mode,
            read_only: backend.console.read_only(),
            who: viewer.actor.name,
            now: backend.clock.now().as_millisecond(),
            sources: view.overview.sources.clone(),
            version: Some(view.version),
            bar: Bar::here(),
            ..frame
        }
    }

    #[cfg(not(feature = "ssr"))]
    fn here() -> Self {
        Self::default()
    }
}

/// The frame of this page.
pub(crate) fn frame() -> Frame {
    use_context::<Frame>().unwrap_or_default()
}

/// The language of this page.
pub(crate) fn lang() -> Lang {
    frame().lang
}
