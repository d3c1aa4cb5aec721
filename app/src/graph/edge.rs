//! Edges with what they carry, how it fares and how it is protected.

use super::{Pen, Piece, Shown, svg::escape};
use crate::{components::age::ago, components::sign::Sign, format, lang::Lang};
use naru_view::topology::{BOX_HEIGHT, BOX_WIDTH, Edge, Node, Origin, Topology};
use std::{collections::BTreeMap, fmt::Write as _};

/// Pixels between the ends of two edges that reach one box: a label's line must fit between them.
const APART: f32 = 22.0;
/// How far an edge that runs backwards bows out.
const BOW: f32 = 64.0;

/// An edge's name, stable over snapshots.
pub(crate) fn key(topology: &Topology, edge: &Edge) -> String {
    let id = |i: u32| topology.nodes.get(i as usize).map_or("", |node| &*node.id);
    format!("{}>{}>{}", id(edge.source), id(edge.target), edge.protocol)
}

/// How an edge is protected, in a word.
pub(crate) fn mtls(lang: Lang, share: Option<f64>) -> String {
    match share {
        None => lang.topology_mtls_unknown().into(),
        Some(share) if share <= 0.0 => lang.topology_plaintext().into(),
        Some(share) if share >= 1.0 => lang.topology_mtls_full().into(),
        Some(share) => lang.topology_mtls_partly(&format::percent(share)),
    }
}

/// What an edge carries: rate, errors, mean time; or bytes; or why there is no figure.
pub(super) fn label(lang: Lang, edge: &Edge) -> String {
    if edge.origin == Origin::IngressObject {
        return lang.topology_inferred_short().into();
    }
    let mut parts = Vec::new();
    if let Some(rate) = edge.rate {
        parts.push(format!("{}/s", format::number(rate)));
    }
    if edge.error_share.is_some() && edge.rate.is_some_and(|rate| rate > 0.0) {
        parts.push(format::percent_of(edge.error_share));
    }
    match (edge.average_ms, edge.bytes_rate) {
        (Some(ms), _) if edge.rate.is_some_and(|rate| rate > 0.0) => parts.push(format::duration(ms)),
        (_, Some(bytes)) => parts.push(format!("{}/s", format::bytes(bytes))),
        _ => {}
    }
    if parts.is_empty() {
        format::UNKNOWN.into()
    } else {
        parts.join(" · ")
    }
}

pub(super) fn edges(topology: &Topology, shown: &Shown, pen: Pen<'_>) -> Vec<Piece> {
    let arrivals = arrivals(topology, shown);
    let draw = |&i: &usize| {
        let edge = topology.edges.get(i)?;
        let (source, target) = (
            topology.nodes.get(edge.source as usize)?,
            topology.nodes.get(edge.target as usize)?,
        );
        let key = key(topology, edge);
        let svg = one(
            edge,
            (source, target),
            arrivals.get(&i).copied().unwrap_or(0.0),
            &key,
            pen,
        );
        Some(Piece {
            key: format!("e{key}"),
            svg,
        })
    };
    shown.edges.iter().filter_map(draw).collect()
}

/// How far above or below the middle of its target each edge ends: callers further up end further up, so that fewer cross.
fn arrivals(topology: &Topology, shown: &Shown) -> BTreeMap<usize, f32> {
    let mut by_target: BTreeMap<u32, Vec<(f32, usize)>> = BTreeMap::new();
    for &i in &shown.edges {
        if let Some(edge) = topology.edges.get(i) {
            let y = topology
                .nodes
                .get(edge.source as usize)
                .map_or(0.0, |node| node.y);
            by_target.entry(edge.target).or_default().push((y, i));
        }
    }
    let mut offsets = BTreeMap::new();
    for mut ends in by_target.into_values() {
        ends.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        let gaps = (ends.len() - 1) as f32;
        let apart = if gaps > 0.0 {
            APART.min((BOX_HEIGHT - 8.0) / gaps)
        } else {
            0.0
        };
        offsets.extend(
            ends.iter()
                .enumerate()
                .map(|(k, &(_, i))| (i, (k as f32 - gaps / 2.0) * apart)),
        );
    }
    offsets
}

/// The line, and where its label ends.
fn path(source: &Node, target: &Node, offset: f32) -> (String, f32, f32) {
    let half = BOX_WIDTH / 2.0;
    if target.x > source.x {
        let (x0, y0, x1, y1) = (source.x + half, source.y, target.x - half, target.y + offset);
        let bend = ((x1 - x0) / 2.0).max(40.0);
        (
            format!("M{x0} {y0}C{} {y0} {} {y1} {x1} {y1}", x0 + bend, x1 - bend),
            x1 - 28.0,
            y1 - 6.0,
        )
    } else if target.x == source.x {
        // Within a column, or to itself: out at the right and back in.
        let (x, y0) = (source.x + half, source.y - 8.0);
        let y1 = if source.y == target.y {
            target.y + 12.0
        } else {
            target.y + offset
        };
        let out = x + BOW;
        (
            format!("M{x} {y0}C{out} {y0} {out} {y1} {x} {y1}"),
            x + BOW + 60.0,
            y1.midpoint(y0),
        )
    } else {
        let (y0, y1) = (source.y + BOX_HEIGHT / 2.0, target.y + BOX_HEIGHT / 2.0);
        let low = y0.max(y1) + BOW;
        (
            format!(
                "M{} {y0}C{} {low} {} {low} {} {y1}",
                source.x, source.x, target.x, target.x
            ),
            source.x.midpoint(target.x),
            low - 16.0,
        )
    }
}

/// A closed, half or open lock; nothing where it is not known.
fn lock(share: Option<f64>) -> Option<(&'static str, &'static str)> {
    match share? {
        share if share >= 1.0 => Some(("lock ok", "M-3 0v-3a3 3 0 0 1 6 0v3M-5 0h10v7h-10z")),
        share if share > 0.0 => Some((
            "lock warn half",
            "M-3 0v-3a3 3 0 0 1 6 0v3M-5 0h10v7h-10zM-5 3.5h10v3.5h-10z",
        )),
        _ => Some(("lock warn", "M-3 0v-3a3 3 0 0 1 5.6-1.4M-5 0h10v7h-10z")),
    }
}

fn one(edge: &Edge, (source, target): (&Node, &Node), offset: f32, key: &str, pen: Pen<'_>) -> String {
    let lang = pen.lang;
    let (line, x, y) = path(source, target, offset);
    let mut class = format!("edge {}", Sign::of_health(edge.health).class());
    if edge.origin == Origin::IngressObject {
        class.push_str(" inferred");
    }
    if edge.last_seen.is_some() {
        class.push_str(" ageing");
    }
    let mut text = label(lang, edge);
    if let Some(share) = edge.mtls_share.filter(|share| *share > 0.0 && *share < 1.0) {
        let _ = write!(text, " · {} %", format::percent(share));
    }
    if let Some(at) = edge.last_seen {
        text = lang.topology_ageing(&ago(lang, pen.now, at));
    }
    let mut svg = String::new();
    let safe = escape(key);
    let sign = Sign::of_health(edge.health);
    let lock = lock(edge.mtls_share);
    // Where there is no lock the label takes its place.
    let end = if lock.is_some() { x } else { x + 18.0 };
    let _ = write!(
        svg,
        r##"<g class="{class}" data-k="{safe}"><path class="hit" d="{line}"/><path class="wire" d="{line}" marker-end="url(#arrow-{})"/><text class="label" x="{end}" y="{y}" text-anchor="end">{}</text>"##,
        sign.class(),
        escape(&text),
    );
    if let Some((class, shape)) = lock {
        // At a fixed place between label and arrow: how wide the label is depends on the font.
        let at = x + 10.0;
        let _ = write!(
            svg,
            r#"<g class="{class}" transform="translate({at} {})"><path d="{shape}"/></g>"#,
            y - 5.0
        );
    }
    svg.push_str("</g>");
    svg
}

#[cfg(test)]
mod tests {
    use super::{lock, mtls};
    use crate::Lang;

    #[test]
    fn almost_all_under_mtls_is_not_all() {
        assert_eq!(mtls(Lang::En, Some(0.99999)), ">99.99 % mTLS");
        assert_eq!(mtls(Lang::En, Some(1.0)), "mTLS");
        assert_eq!(mtls(Lang::En, None), "mTLS not known");
        assert!(lock(None).is_none());
        assert!(lock(Some(0.5)).is_some_and(|(class, _)| class.contains("half")));
        assert_eq!(lock(Some(1.0)).map(|it| it.0), Some("lock ok"));
    }
}
