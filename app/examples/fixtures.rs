//! Serves the pages over fixtures, to look at them in states that a healthy system does not show:
//! `cargo run -p naru-app --features ssr,fixtures --example fixtures -- 3999 ~/.cache/naru/target/site stale`.

use async_trait::async_trait;
use axum::{
    Router,
    extract::Path,
    http::header,
    response::{IntoResponse, sse},
    routing::get,
};
use leptos::prelude::*;
use leptos_axum::{LeptosRoutes, generate_route_list};
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
    order::{Begin, Steer},
    version::Version,
    why::{ApplyError, Refused},
};
use std::{convert::Infallible, sync::Arc};

struct Fixed(Scene);

#[async_trait]
impl Console for Fixed {
    fn view(&self, _: &Scope) -> Arc<View> {
        Arc::new(self.0.view(1))
    }
    fn explain(&self, _: &Scope, ask: &Ask) -> Result<Explanation, Refused> {
        self.0.explanation(ask)
    }
    fn judged(&self, scope: &Scope) -> Judged {
        self.0.judged(scope)
    }
    fn surveyed(&self, scope: &Scope) -> Option<Surveyed> {
        self.0.surveyed(scope)
    }
    async fn sheet(&self, _: &Actor, scope: &Scope, item: Item) -> Result<Sheet, ApplyError> {
        self.0.sheet(scope, item)
    }
    async fn put(&self, _: &Actor, _: &Deed) -> Result<Name, ApplyError> {
        Ok("000008".into())
    }
    async fn changed(&self, _: Version) -> Version {
        std::future::pending().await
    }
    fn read_only(&self) -> bool {
        self.0 == Scene::Partial
    }
    async fn plan(&self, _: &Actor, intent: &Intent) -> Result<PlanSheet, ApplyError> {
        match intent {
            Intent::SetWeights(wish) => Ok(fixtures::plan(wish)),
            Intent::Undo { .. } | Intent::Mend(_) => Err(ApplyError::Refused {
                refused: Refused::ForeignEdit {
                    manager: "kubectl-edit".into(),
                },
            }),
        }
    }
    async fn freeze(&self, _: &Actor, _: &str) -> Result<(), ApplyError> {
        Ok(())
    }
    async fn lift(&self, _: &Actor) -> Result<(), ApplyError> {
        Err(ApplyError::Forbidden {
            detail: "freezes.naru.dev \"naru\" is forbidden".into(),
        })
    }
    async fn apply(&self, _: &Actor, intent: &Intent, _: &str, _: &str) -> Result<Applied, ApplyError> {
        match intent {
            Intent::SetWeights(wish) => Ok(Applied {
                change: "set-weights-0nw3d".into(),
                namespace: wish.route.namespace.clone(),
                at: fixtures::NOW,
            }),
            Intent::Undo { .. } | Intent::Mend(_) => Err(ApplyError::ReadOnly),
        }
    }
    async fn reached(&self, _: &Scope, _: &Key) -> Result<Reached, ApplyError> {
        Ok(fixtures::reached())
    }

    async fn steer(&self, _: &Actor, _: &Steer) -> Result<(), ApplyError> {
        Ok(())
    }
    async fn propose(&self, _: &Actor, _: &Intent, _: &str, _: &str) -> Result<Name, ApplyError> {
        Err(ApplyError::Refused {
            refused: Refused::OneIsEnough,
        })
    }

    async fn begin(&self, _: &Actor, wish: &Begin) -> Result<Name, ApplyError> {
        Ok(format!("{}-19aaf", wish.route.name).into())
    }
}

struct Stopped;

#[async_trait]
impl Clock for Stopped {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(fixtures::NOW).unwrap_or_default()
    }
    async fn sleep_until(&self, _: jiff::Timestamp) {
        std::future::pending().await
    }
}

/// The inner `<head>` that trunk built, with this page's nonce in it.
fn head(site: &str) -> String {
    let html = std::fs::read_to_string(format!("{site}/index.html")).unwrap_or_default();
    let head = html
        .split_once("<head>")
        .and_then(|it| it.1.split_once("</head>"))
        .map_or("", |it| it.0);
    let nonce = leptos::nonce::use_nonce()
        .map(|it| it.to_string())
        .unwrap_or_default();
    head.replace("{{nonce}}", &nonce)
}

async fn part(scene: Scene, Path(part): Path<String>) -> impl IntoResponse {
    let view = scene.view(1);
    let json = match &*part {
        "overview" => serde_json::to_string(&*view.overview),
        "topology" => serde_json::to_string(&*view.topology),
        "canaries" => serde_json::to_string(&*view.canaries),
        _ => serde_json::to_string(&*view.changes),
    };
    (
        [(header::CONTENT_TYPE, "application/json")],
        json.unwrap_or_default(),
    )
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let port = args.next().unwrap_or_else(|| "3999".into());
    let site = args.next().unwrap_or_else(|| "target/site".into());
    let scene = match args.next().as_deref() {
        Some("empty") => Scene::Empty,
        Some("stale") => Scene::Stale,
        Some("unreachable") => Scene::Unreachable,
        Some("partial") => Scene::Partial,
        Some("steps") => Scene::Steps,
        _ => Scene::Busy,
    };
    let options = LeptosOptions::builder()
        .output_name("naru")
        .site_root(site.clone())
        .build();
    let backend = Backend {
        console: Arc::new(Fixed(scene)),
        clock: Arc::new(Stopped),
        system: "buildingbite".into(),
        mode: if scene == Scene::Partial {
            Mode::Cluster("prod-seoul".into())
        } else {
            Mode::Rehearsal
        },
        rehearsal: None,
        sign_in: Default::default(),
    };
    let context = move || {
        provide_context(backend.clone());
        provide_context(Viewer::new(Actor::loopback(), Scope::all()));
    };
    let files = tower_http::services::ServeDir::new(&site);
    let doorbell = || async {
        let event = Ok::<_, Infallible>(sse::Event::default().data("7:1"));
        let stream = futures::StreamExt::chain(futures::stream::iter([event]), futures::stream::pending());
        sse::Sse::new(stream)
    };
    let document = move || shell(ShellProps { head: head(&site) });
    let app = Router::new()
        .route("/live", get(doorbell))
        .route("/live/{part}", get(move |path| part(scene, path)))
        .leptos_routes_with_context(
            &options,
            generate_route_list(App),
            context.clone(),
            document.clone(),
        )
        .fallback(leptos_axum::render_app_async_with_context(context, document))
        .nest_service("/pkg", files)
        .with_state(options);
    match tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await {
        Ok(listener) => {
            let _ = axum::serve(listener, app).await;
        }
        Err(error) => eprintln!("{error}"),
    }
}
