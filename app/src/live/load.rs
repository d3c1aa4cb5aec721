//! One part of the view: from memory on the server, from `GET /live/<part>` in the browser.

use super::Part;
use crate::AppError;
use std::sync::Arc;

#[cfg(feature = "ssr")]
pub(crate) async fn load<T: Part>() -> Result<Arc<T>, AppError> {
    let (backend, viewer) = crate::context::backend()?;
    Ok(T::of(&backend.console.view(&viewer.scope)))
}

#[cfg(not(feature = "ssr"))]
pub(crate) async fn load<T: Part>() -> Result<Arc<T>, AppError> {
    // JavaScript's promises stay on their thread; a Resource asks for Send.
    send_wrapper::SendWrapper::new(async {
        let text = fetch(&format!("/live/{}", T::PATH))
            .await
            .map_err(|_| AppError::Lost)??;
        serde_json::from_str(&text).map_err(|_| AppError::Lost)
    })
    .await
}

#[cfg(not(feature = "ssr"))]
async fn fetch(path: &str) -> Result<Result<String, AppError>, wasm_bindgen::JsValue> {
    use wasm_bindgen::JsCast;
    use wasm_bindgen_futures::JsFuture;
    let answer = JsFuture::from(leptos::prelude::window().fetch_with_str(path)).await?;
    let answer: web_sys::Response = answer.dyn_into()?;
    match answer.status() {
        200 => {}
        404 => return Ok(Err(AppError::NotFound)),
        401 => {
            super::sign_in();
            return Ok(Err(AppError::SignedOut));
        }
        _ => return Ok(Err(AppError::Lost)),
    }
    Ok(JsFuture::from(answer.text()?)
        .await?
        .as_string()
        .ok_or(AppError::Internal))
}
