//! What a page does that is told that nobody is signed in any more.

use leptos::prelude::window;
use std::cell::Cell;

thread_local! {
    /// The browser is on its way from this page to another.
    static LEAVES: Cell<bool> = const { Cell::new(false) };
}

/// Somebody signs out: from now on the page is only waiting to be left. Loading it anew would call the browser back from its way to the
/// provider, where the session would go on.
pub(crate) fn leave() {
    LEAVES.set(true);
}

/// Loads the page anew, as it is in the address bar: the server leads on, to the provider without a question where that is possible, else to the
/// page where one signs in, and back here. Once: over a slow line a second time would begin the first anew, and so on without an end. A page
/// that is there already stays.
pub(crate) fn sign_in() {
    let location = window().location();
    if location.pathname().is_ok_and(|path| path != "/login") && !LEAVES.replace(true) {
        let _ = location.reload();
    }
}
