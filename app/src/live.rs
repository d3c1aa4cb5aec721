//! Keeping a page up to date: the doorbell `GET /live` says `epoch:seq`, the page then takes its body from `GET /live/<part>`.

mod doorbell;
mod load;
mod sign_in;
mod told;

pub(crate) use load::load;
pub(crate) use sign_in::{leave, sign_in};
pub(crate) use told::{Told, told};

use crate::{AppError, components::states, context::Frame};
use leptos::prelude::*;
use naru_view::{
    Millis, canary::Canaries, change::Changes, freeze::Standstill, overview::Overview, source::SourceState,
    topology::Topology, version::Version,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{sync::Arc, time::Duration};

/// A page takes a new body at most this often; the server publishes no faster.
const PACE: Duration = Duration::from_secs(1);

/// How the line to the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// The page stands as the server rendered it: no script is running yet, or the tab is hidden.
    Still,
    /// The doorbell is connected.
    Open,
    /// It broke at this time (server's clock); what is shown is the last that was known.
    Lost(Millis),
}

/// A moment of the server's clock and of this machine's, and how fast the one goes by the other.
#[derive(Clone, Copy, Debug)]
struct Passing {
    server: Millis,
    here: f64,
    pace: u32,
}

impl Passing {
    fn at(self, here: f64) -> Millis {
        // Milliseconds since the epoch fit into both.
        self.server + ((here - self.here) * f64::from(self.pace)) as Millis
    }
}

/// The live state that all pages share.
#[derive(Clone, Copy)]
pub(crate) struct Live {
    /// What the doorbell last said.
    pub(crate) wanted: RwSignal<Option<Version>>,
    /// How the line is.
    pub(crate) link: RwSignal<Link>,
    /// The server's clock, moving once a second in the browser.
    pub(crate) now: RwSignal<Millis>,
    /// How `now` moves on.
    time: StoredValue<Option<Passing>>,
    /// The sources of what is shown now.
    pub(crate) sources: RwSignal<Vec<SourceState>>,
    /// Rings again where a page fell behind while it was fetching.
    nudge: RwSignal<u32>,
}

impl Live {
    pub(crate) fn new(frame: &Frame) -> Self {
        Self {
            wanted: RwSignal::new(frame.version),
            link: RwSignal::new(Link::Still),
            now: RwSignal::new(frame.now),
            time: StoredValue::new(None),
            sources: RwSignal::new(frame.sources.clone()),
            nudge: RwSignal::new(0),
        }
    }

    /// Starts clock and doorbell. Browser only.
    pub(crate) fn start(self) {
        doorbell::start(self);
    }

    /// The server's clock is there now, and goes on at this pace: a rehearsal's time stands still or runs. Browser only.
    pub(crate) fn pass(self, now: Millis, pace: u32) {
        let passing = Passing {
            server: now,
            here: js_sys::Date::now(),
            pace,
        };
        if self.time.try_update_value(|it| *it = Some(passing)).is_some() {
            self.now.set(now);
        }
    }

    pub(crate) fn here() -> Self {
        use_context::<Self>().unwrap_or_else(|| Self::new(&Frame::default()))
    }
}

/// What a page shows: a part of the view with a path of its own.
pub(crate) trait Part: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `GET /live/<path>`.
    #[cfg(not(feature = "ssr"))]
    const PATH: &'static str;
    fn version(&self) -> Version;
    fn sources(&self) -> &[SourceState];
    #[cfg(feature = "ssr")]
    fn of(view: &naru_view::View) -> Arc<Self>;
}

macro_rules! part {
    ($type:ty, $field:ident) => {
        impl Part for $type {
            #[cfg(not(feature = "ssr"))]
            const PATH: &'static str = stringify!($field);

            fn version(&self) -> Version {
                self.version
            }

            fn sources(&self) -> &[SourceState] {
                &self.sources
            }

            #[cfg(feature = "ssr")]
            fn of(view: &naru_view::View) -> Arc<Self> {
                view.$field.clone()
            }
        }
    };
}

part!(Overview, overview);
part!(Topology, topology);
part!(Canaries, canaries);
part!(Changes, changes);
part!(Standstill, standstill);

/// A page made of one part: drawn once, then followed. The drawing reads the signal where it needs it, so what did not change stays
/// as it is on the screen.
pub(crate) fn part<T: Part>(draw: fn(RwSignal<Arc<T>>) -> AnyView) -> impl IntoView {
    let first = Resource::new(|| (), |()| load::<T>());
    let shown = move || {
        Suspend::new(async move {
            match first.await {
                Ok(value) => {
                    let data = RwSignal::new(value);
                    follow(data);
                    draw(data)
                }
                Err(error) => states::failed(&error, move || first.refetch()).into_any(),
            }
        })
    };
    view! { <Suspense fallback=states::skeleton>{shown}</Suspense> }
}

/// Takes a new body whenever the doorbell has rung for one.
pub(crate) fn follow<T: Part>(data: RwSignal<Arc<T>>) {
    let live = Live::here();
    let busy = StoredValue::new(false);
    // A page that is reached by a link brings newer sources than the document did.
    Effect::new(move |_| data.with(|data| live.sources.set(data.sources().to_vec())));
    Effect::new(move |_| {
        live.nudge.track();
        let behind = move || {
            let wanted = live.wanted.try_get_untracked().flatten();
            wanted.is_some_and(|wanted| {
                data.try_with_untracked(|held| wanted.replaces(held.version()))
                    .unwrap_or(false)
            })
        };
        live.wanted.track();
        if busy.get_value() || !behind() {
            return;
        }
        busy.set_value(true);
        leptos::task::spawn_local(async move {
            let answer: Result<Arc<T>, AppError> = load().await;
            let failed = answer.is_err();
            // The page may be gone by now, and its signals with it.
            if let Ok(body) = answer {
                let _ = data.try_set(body);
            }
            let _ = busy.try_set_value(false);
            if failed || behind() {
                set_timeout(
                    move || {
                        let _ = live.nudge.try_update(|n| *n = n.wrapping_add(1));
                    },
                    PACE,
                );
            }
        });
    });
}
