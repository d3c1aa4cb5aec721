//! The application: contexts, frame, and the table from path to page.

use crate::{context::Frame, layout::Layout, live::Live, pages};
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode,
    components::{Route, Router, Routes},
    path,
};

/// The whole application, on both sides.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let frame = Frame::shared();
    let live = Live::new(&frame);
    let known = frame.known();
    provide_context(frame);
    provide_context(live);
    // Effects run in the browser only.
    Effect::new(move |_| {
        // Nobody has nothing to follow.
        if known {
            live.start();
        }
    });
    view! {
        <Router>
            <Layout>
                <Routes fallback=pages::not_found>
                    <Route path=path!("/") view=pages::overview ssr=SsrMode::Async/>
                    <Route path=path!("/topology") view=pages::topology ssr=SsrMode::Async/>
                    <Route path=path!("/checklist") view=pages::checklist ssr=SsrMode::Async/>
                    <Route path=path!("/checklist/:item") view=pages::checklist_item ssr=SsrMode::Async/>
                    <Route path=path!("/canary") view=pages::canary_list ssr=SsrMode::Async/>
                    <Route path=path!("/canary/:namespace/:name") view=pages::canary ssr=SsrMode::Async/>
                    <Route path=path!("/canary/httproute/:namespace/:name") view=pages::http_route ssr=SsrMode::Async/>
                    <Route path=path!("/why") view=pages::why ssr=SsrMode::Async/>
                    <Route path=path!("/changes") view=pages::changes ssr=SsrMode::Async/>
                    <Route path=path!("/mesh") view=pages::mesh ssr=SsrMode::Async/>
                    <Route path=path!("/login") view=pages::login ssr=SsrMode::Async/>
                </Routes>
            </Layout>
        </Router>
    }
}
