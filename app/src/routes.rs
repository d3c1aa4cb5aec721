//! Every page: its path, its name, its key. A page is one file in `pages/`, one line here and one in `app.rs`.

use crate::{components::icon::Icon, graph::link, lang::Lang};
use naru_view::canary::{RouteRef, RuleList};

/// A page of the rail.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Where it is.
    pub path: &'static str,
    /// The second key of its shortcut, after `g`.
    pub key: char,
    /// Its picture in the rail.
    pub(crate) icon: Icon,
    /// Its name.
    pub name: fn(Lang) -> &'static str,
}

/// Every page of the rail, in its order. Pages that do not exist yet are not here: no link leads nowhere.
pub const PAGES: [Page; 7] = [
    Page {
        path: "/",
        key: 'o',
        icon: Icon::Overview,
        name: Lang::nav_overview,
    },
    Page {
        path: "/topology",
        key: 't',
        icon: Icon::Topology,
        name: Lang::nav_topology,
    },
    Page {
        path: "/checklist",
        key: 'l',
        icon: Icon::Checklist,
        name: Lang::nav_checklist,
    },
    Page {
        path: "/canary",
        key: 'c',
        icon: Icon::Canary,
        name: Lang::nav_canary,
    },
    Page {
        path: "/why",
        key: 'w',
        icon: Icon::Why,
        name: Lang::nav_why,
    },
    Page {
        path: "/changes",
        key: 'h',
        icon: Icon::Changes,
        name: Lang::nav_changes,
    },
    Page {
        path: "/mesh",
        key: 'm',
        icon: Icon::Mesh,
        name: Lang::nav_mesh,
    },
];

/// The question what becomes of a request from one workload to another (`namespace/name` each); an empty `from` is left to be filled in.
pub(crate) fn why(from: &str, to: &str) -> String {
    format!("/why{}", link(&[("from", from), ("to", to)]))
}

/// The path of one item of the checklist.
pub fn item(id: &str) -> String {
    format!("/checklist/{id}")
}

/// The path of the page with a rule's weights: its VirtualService's, or its HTTPRoute's, which may have the same name.
pub fn canary(route: &RouteRef) -> String {
    let (namespace, name) = (&route.namespace, &route.name);
    match route.list {
        RuleList::HttpRoute => format!("/canary/httproute/{namespace}/{name}"),
        RuleList::Http | RuleList::Tls | RuleList::Tcp => format!("/canary/{namespace}/{name}"),
    }
}
