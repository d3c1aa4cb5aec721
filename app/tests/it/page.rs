//! Renders a page the way the server does: through the router, with a request in the context.

use any_spawner::Executor;
use async_trait::async_trait;
use axum::{Router, body::Body, response::Response};
use http::Request;
use leptos::prelude::*;
use leptos_axum::{AxumRouteListing, LeptosRoutes, generate_route_list};
use naru_app::{
    App, ShellProps,
    context::{Backend, Mode, Viewer},
    fixtures::{self, Scene},
    shell,
};
use naru_domain::{
    actor::{Actor, Scope},
    change::plan::Intent,
    crossing::Item,
    object::Key,
};
use naru_ports::{Clock, Console, Judged, Sheet, Surveyed};
use naru_view::{
    Name, View,
    canary::{Applied, PlanSheet},
    explanation::{Ask, Explanation},
    in_force::Reached,
    ledger::Deed,
    order::{Begin, Course, Steer},
    version::Version,
    why::{ApplyError, Refused},
};
use std::sync::{Arc, LazyLock};
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// A console that shows one scene. It plans from the fixture and carries nothing out.
pub(crate) struct Fixed {
    pub(crate) scene: Scene,
    pub(crate) read_only: bool,
}

#[async_trait]
impl Console for Fixed {
    fn view(&self, _: &Scope) -> Arc<View> {
        Arc::new(self.scene.view(1))
    }

    fn explain(&self, _: &Scope, ask: &Ask) -> Result<Explanation, Refused> {
        self.scene.explanation(ask)
    }

    fn judged(&self, scope: &Scope) -> Judged {
        self.scene.judged(scope)
    }

    fn surveyed(&self, scope: &Scope) -> Option<Surveyed> {
        self.scene.surveyed(scope)
    }

    async fn sheet(&self, _: &Actor, scope: &Scope, item: Item) -> Result<Sheet, ApplyError> {
        self.scene.sheet(scope, item)
    }

    async fn put(&self, _: &Actor, _: &Deed) -> Result<Name, ApplyError> {
        Err(ApplyError::Conflict { by: None })
    }

    async fn changed(&self, _: Version) -> Version {
        std::future::pending().await
    }

    fn read_only(&self) -> bool {
        self.read_only
    }

    async fn plan(&self, _: &Actor, intent: &Intent) -> Result<PlanSheet, ApplyError> {
        match intent {
            Intent::SetWeights(wish) => Ok(fixtures::plan(wish)),
            Intent::Undo { .. } | Intent::Mend(_) => Err(ApplyError::Refused {
                refused: Refused::NotUndoable,
            }),
        }
    }

    async fn freeze(&self, _: &Actor, _: &str) -> Result<(), ApplyError> {
        Err(ApplyError::Refused {
            refused: Refused::Frozen {
                by: "Kim".into(),
                reason: "night".into(),
            },
        })
    }

    async fn lift(&self, _: &Actor) -> Result<(), ApplyError> {
        Err(ApplyError::Forbidden { detail: "no".into() })
    }

    async fn apply(&self, _: &Actor, intent: &Intent, digest: &str, _: &str) -> Result<Applied, ApplyError> {
        match intent {
            Intent::SetWeights(_) => Err(ApplyError::DigestChanged {
                now: digest.into(),
                by: None,
            }),
            Intent::Undo { .. } | Intent::Mend(_) => Err(ApplyError::Conflict { by: None }),
        }
    }

    async fn reached(&self, _: &Scope, _: &Key) -> Result<Reached, ApplyError> {
        Ok(fixtures::reached())
    }

    async fn steer(&self, _: &Actor, wish: &Steer) -> Result<(), ApplyError> {
        match wish.course {
            Course::Pause => Ok(()),
            _ => Err(ApplyError::Conflict { by: None }),
        }
    }

    async fn propose(&self, _: &Actor, _: &Intent, _: &str, _: &str) -> Result<Name, ApplyError> {
        Err(ApplyError::Refused {
            refused: Refused::OneIsEnough,
        })
    }

    async fn begin(&self, _: &Actor, wish: &Begin) -> Result<Name, ApplyError> {
        Ok(format!("{}-19a", wish.route.name).into())
    }
}

struct Stopped;

#[async_trait]
impl Clock for Stopped {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(fixtures::NOW).unwrap()
    }

    async fn sleep_until(&self, _: jiff::Timestamp) {
        std::future::pending().await
    }
}

/// Listed once, before anything is rendered, as the server does at startup: while Leptos lists routes, no page may be rendered in the
/// same process.
static ROUTES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list(App));

/// The pages and server functions over a console, for a viewer of `scope`.
pub(crate) fn router(console: Fixed, scope: Scope) -> Router {
    let options = LeptosOptions::builder().output_name("naru").build();
    let backend = Backend {
        console: Arc::new(console),
        clock: Arc::new(Stopped),
        system: "buildingbite".into(),
        mode: Mode::Rehearsal,
        rehearsal: None,
        sign_in: Default::default(),
    };
    let context = move || {
        provide_context(backend.clone());
        provide_context(Viewer::new(Actor::loopback(), scope.clone()));
    };
    let document = || {
        shell(ShellProps {
            head: "<link rel=\"icon\" href=\"data:,\">".into(),
        })
    };
    Router::new()
        .leptos_routes_with_context(&options, ROUTES.clone(), context.clone(), document)
        .fallback(leptos_axum::render_app_async_with_context(context, document))
        .with_state(options)
}

/// Every request runs on one runtime, as in the server: Leptos keeps a process-wide executor, and each test's own runtime ends with it.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let _ = Executor::init_tokio();
    runtime
});

pub(crate) async fn answer(router: Router, request: Request<Body>) -> (http::response::Parts, String) {
    let answering = async move {
        let response: Response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 8 << 20).await.unwrap();
        (parts, String::from_utf8(bytes.to_vec()).unwrap())
    };
    RUNTIME.spawn(answering).await.unwrap()
}

/// A page of a scene in one language.
pub(crate) async fn page(scene: Scene, uri: &str, lang: &str) -> String {
    let request = Request::get(uri)
        .header("accept-language", lang)
        .body(Body::empty())
        .unwrap();
    let console = Fixed {
        scene,
        read_only: false,
    };
    answer(router(console, Scope::all()), request).await.1
}

/// The text that people read: no scripts, no tags, white space folded.
pub(crate) fn text(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = if rest.starts_with("<script") {
            "</script>"
        } else if rest.starts_with("<!--") {
            "-->"
        } else {
            ">"
        };
        // Between elements words are apart; comments stand inside sentences.
        if end == ">" {
            text.push(' ');
        }
        rest = rest.find(end).map_or("", |at| &rest[at + end.len()..]);
    }
    text.push_str(rest);
    let text = text
        .replace("&gt;", ">")
        .replace("&lt;", "<")
        .replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The content of the one heading.
pub(crate) fn heading(html: &str) -> String {
    let headings: Vec<&str> = html.split("<h1").skip(1).collect();
    assert_eq!(headings.len(), 1, "one h1 a page");
    text(&format!("<h1{}", headings[0].split("</h1>").next().unwrap()))
}
