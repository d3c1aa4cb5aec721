//! The pages and their server functions, as the app crate has them, with what a page needs from here: the inside, the viewer, the assets'
//! head, a nonce.

use super::{security::page_policy, site::Site};
use crate::sessions::Viewer;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::{StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use leptos::{
    config::LeptosOptions,
    nonce::use_nonce,
    prelude::{provide_context, use_context},
};
use leptos_axum::{
    AxumRouteListing, LeptosRoutes, ResponseOptions, generate_route_list, render_app_async_with_context,
};
use naru_app::{App, AppError, ShellProps, context::Backend, shell};
use std::sync::LazyLock;

/// Listed once in a process: Leptos switches resources off for all threads while it lists, and a page that is rendered meanwhile waits
/// for ever.
static ROUTES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list(App));

/// Every page, every server function, and the page that says that there is no such page.
pub(super) fn router(backend: Backend, site: Site, form_target: Option<String>) -> Router {
    let options = LeptosOptions::builder().output_name("naru").build();
    let document = move || {
        let head = use_nonce().map(|nonce| site.head(&nonce)).unwrap_or_default();
        shell(ShellProps { head })
    };
    let context = move || provide(&backend, form_target.as_deref());
    let missing = {
        let context = context.clone();
        move || {
            context();
            if let Some(response) = use_context::<ResponseOptions>() {
                response.set_status(StatusCode::NOT_FOUND);
            }
        }
    };
    Router::new()
        .leptos_routes_with_context(&options, ROUTES.clone(), context, document.clone())
        .fallback(render_app_async_with_context(missing, document))
        .layer(middleware::from_fn(refusals))
        .layer(middleware::from_fn(to_the_end))
        .with_state(options)
}

/// Runs once for each page and each call of a server function.
fn provide(backend: &Backend, form_target: Option<&str>) {
    provide_context(backend.clone());
    // The listing of the routes at startup has no viewer.
    if let Some(viewer) = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Viewer>().cloned()) {
        provide_context(naru_app::context::Viewer {
            actor: viewer.actor,
            scope: viewer.scope,
            blind: viewer.blind,
            read_only: viewer.read_only,
        });
    }
    let policy = use_nonce().and_then(|nonce| page_policy(&nonce, form_target));
    if let (Some(policy), Some(response)) = (policy, use_context::<ResponseOptions>()) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// A change that was begun goes on when the browser goes away or loses patience: it has a task of its own.
async fn to_the_end(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    // Only a panic ends the task early; it is logged where it happens.
    tokio::spawn(next.run(request))
        .await
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// Leptos answers 500 whenever a server function could not be called as it was sent. Whose fault it was stands in the error itself.
async fn refusals(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR
        || !response.headers().contains_key("serverfnerror")
    {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, super::body::LIMIT).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let status = serde_json::from_slice::<AppError>(&body)
        .ok()
        .and_then(|error| StatusCode::from_u16(error.status()).ok());
    parts.status = status.unwrap_or(parts.status);
    Response::from_parts(parts, Body::from(body))
}
