//! What a page does that is told that nobody is signed in any more.

use leptos::prelude::window;

/// Loads the page anew, as it is in the address bar: the server leads on, to the provider without a question where that is possible, else to the
/// page where one signs in, and back here. A page that is there already stays.
pub(crate) fn sign_in() {
    let location = window().location();
    if location.pathname().is_ok_and(|path| path != "/login") {
        let _ = location.reload();
    }
}
