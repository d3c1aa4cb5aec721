//! What the server gives to pages and server functions, and what a page knows about where it is.

#[cfg(feature = "ssr")]
mod request;

use crate::{bar::Bar, lang::Lang, theme::Theme};
use leptos::prelude::{SharedValue, use_context};
use naru_view::{
    Millis, Name,
    freeze::Standstill,
    session::{ReadOnly, SignIn},
    source::SourceState,
    version::Version,
    why::Why,
};
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
    /// How people sign in.
    pub sign_in: SignIn,
}

/// Who is looking, and what they may see. Given anew for each request.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Under whose identity plans are tried and changes are made.
    pub actor: naru_domain::actor::Actor,
    /// Which namespaces they see.
    pub scope: naru_domain::actor::Scope,
    /// Why it is not known whether they may see more.
    pub blind: Option<Why>,
    /// Why they may write nothing, if they may not.
    pub read_only: Option<ReadOnly>,
}

#[cfg(feature = "ssr")]
impl Viewer {
    /// Somebody of whom nothing is in doubt.
    pub fn new(actor: naru_domain::actor::Actor, scope: naru_domain::actor::Scope) -> Self {
        Self {
            actor,
            scope,
            blind: None,
            read_only: None,
        }
    }
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
    /// Why nothing may be written, if nothing may.
    pub read_only: Option<ReadOnly>,
    /// The viewer's name for display; empty for nobody.
    pub who: Name,
    /// How people sign in.
    pub sign_in: SignIn,
    /// What of the cluster this viewer sees.
    pub sight: Sight,
    /// The language of every sentence on the page.
    pub lang: Lang,
    /// The colours chosen.
    pub theme: Theme,
    /// The server's clock at that moment.
    pub now: Millis,
    /// The sources behind the page.
    pub sources: Vec<SourceState>,
    /// Whether everything stands still; None for nobody.
    pub standstill: Option<Standstill>,
    /// The version that the page was rendered from.
    pub version: Option<Version>,
    /// What the bar of a rehearsal shows; None where there is none.
    pub bar: Option<Bar>,
}

/// What of the cluster a viewer sees.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sight {
    /// All of it, or some namespaces.
    #[default]
    Sees,
    /// Nothing: their groups may list pods nowhere.
    Nothing,
    /// Less than may be theirs: it could not be found out.
    Unknown(Why),
}

impl Sight {
    #[cfg(feature = "ssr")]
    fn of(namespaces: Option<&[Name]>, blind: Option<Why>) -> Self {
        match (namespaces, blind) {
            (_, Some(why)) => Self::Unknown(why),
            (Some([]), None) => Self::Nothing,
            _ => Self::Sees,
        }
    }
}

impl Frame {
    /// Whether somebody is looking who was let in.
    pub(crate) fn known(&self) -> bool {
        self.version.is_some()
    }

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
            // Nobody: told where the way in is, and not what is behind it.
            return match use_context::<Backend>() {
                Some(backend) => Self {
                    sign_in: backend.sign_in,
                    now: backend.clock.now().as_millisecond(),
                    ..frame
                },
                None => frame,
            };
        };
        let view = backend.console.view(&viewer.scope);
        Self {
            system: backend.system,
            mode: backend.mode,
            read_only: if backend.console.read_only() {
                Some(ReadOnly::Server)
            } else {
                viewer.read_only
            },
            who: viewer.actor.name,
            sign_in: backend.sign_in,
            sight: Sight::of(viewer.scope.namespaces.as_deref(), viewer.blind),
            now: backend.clock.now().as_millisecond(),
            sources: view.overview.sources.clone(),
            standstill: Some((*view.standstill).clone()),
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
