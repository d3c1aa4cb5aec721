//! The browser's side of `GET /live`: one EventSource, closed while the tab is hidden, opened again after a break.

use super::{Link, Live, Passing};
use leptos::{ev, prelude::*};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{EventSource, MessageEvent, VisibilityState};

/// First wait after a break; doubled with each, up to [`LONGEST`]. Short, because most breaks are a restarted server.
const SHORTEST: u32 = 1_000;
/// A console that is looked at should not be more than this behind a server that is back.
const LONGEST: u32 = 15_000;

/// An open line with the callbacks that it calls; closed when dropped.
struct Bell {
    line: EventSource,
    _rung: Closure<dyn FnMut(MessageEvent)>,
    _opened: Closure<dyn FnMut()>,
    _broken: Closure<dyn FnMut()>,
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.line.set_onmessage(None);
        self.line.set_onopen(None);
        self.line.set_onerror(None);
        self.line.close();
    }
}

#[derive(Clone, Copy)]
struct Doorbell {
    live: Live,
    bell: StoredValue<Option<Bell>, LocalStorage>,
    wait: StoredValue<u32>,
    // Counts openings, so that a timer of an earlier one does nothing.
    turn: StoredValue<u32>,
}

pub(super) fn start(live: Live) {
    let first = Passing {
        server: live.now.get_untracked(),
        here: response_start(),
        pace: 1,
    };
    // A rehearsal may have said by now how its time goes.
    live.time.update_value(|it| *it = it.or(Some(first)));
    let tick = move || {
        if let Some(Some(passing)) = live.time.try_get_value() {
            let _ = live.now.try_set(passing.at(js_sys::Date::now()));
        }
    };
    tick();
    let door = Doorbell {
        live,
        bell: StoredValue::new_local(None),
        wait: StoredValue::new(SHORTEST),
        turn: StoredValue::new(0),
    };
    let visible = || document().visibility_state() == VisibilityState::Visible;
    let _ = set_interval_with_handle(
        move || {
            if visible() {
                tick()
            }
        },
        Duration::from_secs(1),
    );
    let _ = window_event_listener(ev::visibilitychange, move |_| {
        if visible() {
            tick();
            door.open();
        } else {
            door.close();
            live.link.set(Link::Still);
        }
    });
    if visible() {
        door.open();
    }
}

impl Doorbell {
    fn close(self) {
        self.turn.update_value(|turn| *turn = turn.wrapping_add(1));
        self.bell.set_value(None);
    }

    fn open(self) {
        self.close();
        let Ok(line) = EventSource::new("/live") else {
            return;
        };
        let live = self.live;
        let rung = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(version) = event.data().as_string().and_then(|text| text.parse().ok()) {
                live.wanted.set(Some(version));
            }
        });
        let opened = Closure::<dyn FnMut()>::new(move || {
            self.wait.set_value(SHORTEST);
            live.link.set(Link::Open);
        });
        let broken = Closure::<dyn FnMut()>::new(move || self.broken());
        line.set_onmessage(Some(rung.as_ref().unchecked_ref()));
        line.set_onopen(Some(opened.as_ref().unchecked_ref()));
        line.set_onerror(Some(broken.as_ref().unchecked_ref()));
        self.bell.set_value(Some(Bell {
            line,
            _rung: rung,
            _opened: opened,
            _broken: broken,
        }));
    }

    fn broken(self) {
        // Stops the browser's own attempts; the callbacks live on until the next opening, as we are inside one of them.
        self.bell.with_value(|bell| {
            if let Some(bell) = bell {
                bell.line.close();
            }
        });
        let now = self.live.now.get_untracked();
        self.live.link.update(|link| {
            if !matches!(link, Link::Lost(_)) {
                *link = Link::Lost(now);
            }
        });
        // An EventSource does not say why it broke: if nobody is signed in any more, asking for a part tells, and leads to the way in.
        leptos::task::spawn_local(async {
            let _ = super::load::<naru_view::overview::Overview>().await;
        });
        let (wait, turn) = (self.wait.get_value(), self.turn.get_value());
        self.wait.set_value((wait * 2).min(LONGEST));
        set_timeout(
            move || {
                if self.turn.get_value() == turn {
                    self.open();
                }
            },
            Duration::from_millis(u64::from(wait)),
        );
    }
}

/// When the document began to arrive, by this machine's clock: the server's `now` was taken just before.
fn response_start() -> f64 {
    let get = |from: &JsValue, name: &str| js_sys::Reflect::get(from, &name.into()).ok();
    let timing = get(&window(), "performance").and_then(|it| get(&it, "timing"));
    let start = timing
        .and_then(|it| get(&it, "responseStart"))
        .and_then(|it| it.as_f64());
    start
        .filter(|start| *start > 0.0)
        .unwrap_or_else(js_sys::Date::now)
}
