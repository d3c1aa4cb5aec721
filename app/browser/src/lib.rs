//! The WebAssembly entry: `hydrate()` and nothing else.

use wasm_bindgen::prelude::wasm_bindgen;

/// Takes over the page that the server rendered. Called once trunk's loader has started this module.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(naru_app::App);
}
