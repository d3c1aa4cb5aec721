//! The graph: inert SVG from the server, in which a click or Enter selects, and a pointer lights up what belongs together.

use super::Stage;
use crate::{
    components::{
        icon::{Icon, icon},
        states::empty,
    },
    graph::{self, Pen, Piece, Selection, edge_key},
    live::Live,
};
use leptos::{ev, html, prelude::*, svg};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use std::collections::BTreeSet;
use wasm_bindgen::JsCast;

/// One step of zooming, and its bounds: text is readable from about a half on, and four times fills a screen with one box.
const STEP: f64 = 1.25;
const BOUNDS: (f64, f64) = (0.1, 4.0);

pub(super) fn canvas(stage: Stage) -> impl IntoView {
    let lang = stage.lang;
    // Ages on the drawing move with its data, once a minute would do; the exact one is in the table.
    let now = Live::here().now;
    let pieces = Memo::new(move |_| {
        let query = stage.query();
        let pen = Pen {
            lang,
            query: &query,
            now: now.get_untracked(),
        };
        stage
            .data
            .with(|it| stage.shown.with(|shown| graph::draw(it, shown, pen)))
    });
    let frame = Memo::new(move |_| {
        stage
            .data
            .with(|it| stage.shown.with(|shown| graph::frame(it, shown)))
    });
    let scale = RwSignal::new(None::<f64>);
    let drawing = NodeRef::<svg::Svg>::new();
    let around = NodeRef::<html::Div>::new();
    let hovered = RwSignal::new(None::<String>);
    light(stage, drawing, hovered);
    let piece = |piece: Piece| view! { <g inner_html=piece.svg></g> };
    let zoom = move |by: f64| {
        let now = scale.get_untracked().unwrap_or_else(|| fitted(drawing, frame));
        scale.set(Some((now * by).clamp(BOUNDS.0, BOUNDS.1)));
    };
    let size = move |of: fn((f32, f32, f32, f32)) -> f32| {
        move || format!("{:.0}", f64::from(of(frame.get())) * scale.get().unwrap_or(1.0))
    };
    let view_box = move || {
        let (x, y, width, height) = frame.get();
        format!("{x} {y} {width} {height}")
    };
    let navigate = use_navigate();
    let choose = move |event: ev::MouseEvent| {
        // With a modifier a link opens elsewhere, as links do.
        if event.ctrl_key() || event.meta_key() || event.shift_key() {
            return;
        }
        if let Some(key) = key_at(&event) {
            event.prevent_default();
            let options = NavigateOptions {
                scroll: false,
                replace: true,
                ..NavigateOptions::default()
            };
            navigate(
                &format!("/topology{}", graph::href(&stage.query(), &key)),
                options,
            );
        }
    };
    let button = move |label: &'static str, it: Icon, act: Box<dyn Fn()>| {
        view! {
            <button type="button" class="ghost" aria-label=label title=label on:click=move |_| act()>{icon(it)}</button>
        }
    };
    view! {
        <section class="card canvas" aria-labelledby="graph-title">
            <header>
                <h2 id="graph-title">{lang.topology_graph()}</h2>
                {move || left_out(stage)}
                <div class="end scripted">
                    {button(lang.topology_zoom_out(), Icon::Minus, Box::new(move || zoom(1.0 / STEP)))}
                    {button(lang.topology_zoom_in(), Icon::Plus, Box::new(move || zoom(STEP)))}
                    {button(lang.topology_fit(), Icon::Fit, Box::new(move || scale.set(None)))}
                </div>
            </header>
            <p class="visually-hidden" id="graph-help">{lang.topology_graph_help()}</p>
            {move || stage.shown.with(|it| it.nodes.is_empty()).then(|| empty(lang.topology_find_none()))}
            <div node_ref=around class="scroll pan" tabindex="0" role="group" aria-label=lang.topology_graph() on:pointerdown=move |event| pan(around, &event)>
                <svg
                    node_ref=drawing
                    class="graph"
                    class:free=move || scale.get().is_some()
                    viewBox=view_box
                    width=size(|it| it.2)
                    height=size(|it| it.3)
                    role="group"
                    aria-labelledby="graph-title"
                    aria-describedby="graph-help"
                    on:click=choose
                    on:pointerover=move |event| hovered.set(key_at(&event))
                    on:pointerleave=move |_| hovered.set(None)
                >
                    <defs inner_html=ARROWS></defs>
                    <For each=move || pieces.get() key=|piece: &Piece| (piece.key.clone(), piece.svg.clone()) children=piece/>
                </svg>
            </div>
            <p class="legend quiet">
                <span><svg class="sample wide" viewBox="0 0 24 12" aria-hidden="true"><rect class="dashed" x="1" y="1" width="22" height="10" rx="3"/></svg>{lang.topology_legend_dashed()}</span>
                <span><svg class="sample wide" viewBox="0 0 24 12" aria-hidden="true"><path class="dotted" d="M0 6h24"/></svg>{lang.topology_legend_dotted()}</span>
                <span><svg class="sample wide" viewBox="0 0 24 12" aria-hidden="true"><path class="faded" d="M0 6h24"/></svg>{lang.topology_legend_faded()}</span>
            </p>
        </section>
    }
}

const ARROWS: &str = concat!(
    r#"<marker id="arrow-ok" class="arrow ok" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0l8 4-8 4z"/></marker>"#,
    r#"<marker id="arrow-warn" class="arrow warn" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0l8 4-8 4z"/></marker>"#,
    r#"<marker id="arrow-bad" class="arrow bad" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="10" markerHeight="10" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0l8 4-8 4z"/></marker>"#,
    r#"<marker id="arrow-idle" class="arrow idle" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0l8 4-8 4z"/></marker>"#,
);

fn left_out(stage: Stage) -> Option<impl IntoView> {
    let n = stage.data.with(|it| it.quiet_left_out);
    (n > 0).then(|| view! { <p class="quiet">{stage.lang.topology_quiet_left_out(u64::from(n))}</p> })
}

/// The scale at which the whole is shown now.
fn fitted(drawing: NodeRef<svg::Svg>, frame: Memo<(f32, f32, f32, f32)>) -> f64 {
    let width = f64::from(frame.get_untracked().2).max(1.0);
    drawing
        .get_untracked()
        .map_or(1.0, |it| it.get_bounding_client_rect().width() / width)
}

/// What the pointer is on.
fn key_at(event: &ev::MouseEvent) -> Option<String> {
    let target = event.target()?.dyn_into::<web_sys::Element>().ok()?;
    target.closest("[data-k]").ok()??.get_attribute("data-k")
}

/// Drags the drawing under a mouse; a finger scrolls it anyway.
fn pan(around: NodeRef<html::Div>, event: &ev::PointerEvent) {
    let Some(around) = around
        .get_untracked()
        .filter(|_| event.button() == 0 && event.pointer_type() == "mouse")
    else {
        return;
    };
    let start = (
        event.client_x() + around.scroll_left(),
        event.client_y() + around.scroll_top(),
    );
    let moving = window_event_listener(ev::pointermove, move |event| {
        if event.buttons() & 1 == 1 {
            around.set_scroll_left(start.0 - event.client_x());
            around.set_scroll_top(start.1 - event.client_y());
        }
    });
    let ending = StoredValue::new_local(None::<WindowListenerHandle>);
    let moving = StoredValue::new_local(Some(moving));
    let end = window_event_listener(ev::pointerup, move |_| {
        for handle in [moving, ending] {
            if let Some(handle) = handle.try_update_value(Option::take).flatten() {
                handle.remove();
            }
        }
    });
    ending.set_value(Some(end));
}

/// Dims what does not belong to what is hovered or, without a pointer, selected. Set on the elements themselves: the pieces are inert.
fn light(stage: Stage, drawing: NodeRef<svg::Svg>, hovered: RwSignal<Option<String>>) {
    Effect::new(move |_| {
        let Some(drawing) = drawing.get() else { return };
        let selected = stage.selected.get();
        let key = hovered
            .get()
            .filter(|key| !key.is_empty())
            .unwrap_or_else(|| selected.clone());
        let lit = stage.data.with(|it| {
            stage.shown.track();
            Selection::of(it, &key).map(|selection| related(it, selection))
        });
        let _ = drawing.class_list().toggle_with_force("dim", lit.is_some());
        let Ok(all) = drawing.query_selector_all("[data-k]") else {
            return;
        };
        for i in 0..all.length() {
            let Some(element) = all.item(i).and_then(|it| it.dyn_into::<web_sys::Element>().ok()) else {
                continue;
            };
            let key = element.get_attribute("data-k").unwrap_or_default();
            let classes = element.class_list();
            let _ = classes.toggle_with_force("lit", lit.as_ref().is_some_and(|lit| lit.contains(&key)));
            let _ = classes.toggle_with_force("chosen", !selected.is_empty() && key == selected);
        }
    });
}

/// A node with its calls and the other ends; a call with both ends.
fn related(it: &naru_view::topology::Topology, selection: Selection) -> BTreeSet<String> {
    let id = |i: u32| it.nodes.get(i as usize).map(|node| node.id.to_string());
    let touches = |i: usize, edge: &naru_view::topology::Edge| match selection {
        Selection::Node(node) => edge.source as usize == node || edge.target as usize == node,
        Selection::Edge(chosen) => i == chosen,
    };
    let mut keys: BTreeSet<String> = match selection {
        Selection::Node(node) => it
            .nodes
            .get(node)
            .map(|node| node.id.to_string())
            .into_iter()
            .collect(),
        Selection::Edge(_) => BTreeSet::new(),
    };
    for (_, edge) in it.edges.iter().enumerate().filter(|(i, edge)| touches(*i, edge)) {
        keys.insert(edge_key(it, edge));
        keys.extend(id(edge.source).into_iter().chain(id(edge.target)));
    }
    keys
}
