//! The search box of the graph: `ns:user-service !mtls error>1`. All terms must hold; `!` in front of one negates it.

use super::Shown;
use naru_view::topology::{Edge, Node, Topology};

/// A parsed search.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Find {
    terms: Vec<(bool, Term)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    /// Part of the name of either end, in lower case.
    Word(String),
    /// Namespace of either end.
    Namespace(String),
    /// All of it under mutual TLS. What is not known is not.
    Mtls,
    /// Failed share in percent, as caller or called side counts, is above.
    Errors(f64),
    /// Requests per second are above.
    Rate(f64),
    /// Mean milliseconds are above.
    Average(f64),
}

/// A search has no more terms than this: it comes from a URL.
const TERMS: usize = 16;

impl Find {
    /// Parses; gives back the first term that is not understood.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let terms = text.split_whitespace().take(TERMS).map(|word| {
            let (positive, rest) = word.strip_prefix('!').map_or((true, word), |rest| (false, rest));
            Self::term(rest)
                .map(|term| (positive, term))
                .ok_or_else(|| word.to_owned())
        });
        Ok(Self {
            terms: terms.collect::<Result<_, _>>()?,
        })
    }

    fn term(text: &str) -> Option<Term> {
        let number = |text: &str| text.parse::<f64>().ok().filter(|x| x.is_finite());
        if let Some((name, value)) = text.split_once('>') {
            return match name {
                "error" => number(value).map(Term::Errors),
                "rate" => number(value).map(Term::Rate),
                "avg" => number(value).map(Term::Average),
                _ => None,
            };
        }
        match text.split_once(':') {
            Some(("ns", name)) if !name.is_empty() => Some(Term::Namespace(name.to_owned())),
            Some(_) => None,
            None if text.is_empty() => None,
            None if text.eq_ignore_ascii_case("mtls") => Some(Term::Mtls),
            None => Some(Term::Word(text.to_lowercase())),
        }
    }

    fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    fn edge(&self, edge: &Edge, ends: [&Node; 2]) -> bool {
        self.terms
            .iter()
            .all(|(positive, term)| *positive == term.edge(edge, ends))
    }

    /// A node alone: terms that speak of calls never hold for it.
    fn node(&self, node: &Node) -> bool {
        self.terms.iter().all(|(positive, term)| match term {
            Term::Word(_) | Term::Namespace(_) => *positive == term.node(node),
            Term::Mtls | Term::Errors(_) | Term::Rate(_) | Term::Average(_) => false,
        })
    }
}

impl Term {
    fn node(&self, node: &Node) -> bool {
        match self {
            Self::Word(word) => {
                let names = [&node.workload, &node.app, &node.version];
                names
                    .into_iter()
                    .chain(&node.services)
                    .any(|name| name.to_lowercase().contains(word.as_str()))
            }
            Self::Namespace(name) => &*node.namespace == name.as_str(),
            _ => false,
        }
    }

    fn edge(&self, edge: &Edge, ends: [&Node; 2]) -> bool {
        let above = |value: Option<f64>, limit: f64| value.is_some_and(|value| value > limit);
        match self {
            Self::Word(_) | Self::Namespace(_) => ends.into_iter().any(|node| self.node(node)),
            Self::Mtls => edge.mtls_share.is_some_and(|share| share >= 1.0),
            Self::Errors(percent) => [edge.error_share, edge.attempt_error_share]
                .into_iter()
                .any(|share| above(share, percent / 100.0)),
            Self::Rate(limit) => above(edge.rate, *limit),
            Self::Average(limit) => above(edge.average_ms, *limit),
        }
    }
}

/// What is left of a topology: edges that touch one of `namespaces` (all if none is named) and match, with their ends; and nodes that
/// match by themselves.
pub(crate) fn shown(topology: &Topology, namespaces: &[&str], find: &Find) -> Shown {
    let inside = |node: &Node| namespaces.is_empty() || namespaces.contains(&&*node.namespace);
    let mut keep = vec![false; topology.nodes.len()];
    for (kept, node) in keep.iter_mut().zip(&topology.nodes) {
        *kept = inside(node) && (find.is_empty() || find.node(node));
    }
    let mut edges = Vec::new();
    for (i, edge) in topology.edges.iter().enumerate() {
        let (source, target) = (edge.source as usize, edge.target as usize);
        let (Some(from), Some(to)) = (topology.nodes.get(source), topology.nodes.get(target)) else {
            continue;
        };
        if (inside(from) || inside(to)) && find.edge(edge, [from, to]) {
            edges.push(i);
            keep[source] = true;
            keep[target] = true;
        }
    }
    Shown {
        nodes: keep
            .iter()
            .enumerate()
            .filter_map(|(i, kept)| kept.then_some(i))
            .collect(),
        edges,
    }
}

#[cfg(test)]
mod tests {
    use super::{Find, Term};

    #[test]
    fn terms_are_understood_or_named() {
        let find = Find::parse("ns:user-service !mtls error>1.5 Gateway").unwrap();
        let expected = [
            (true, Term::Namespace("user-service".into())),
            (false, Term::Mtls),
            (true, Term::Errors(1.5)),
            (true, Term::Word("gateway".into())),
        ];
        assert_eq!(find.terms, expected);
        assert_eq!(Find::parse("  "), Ok(Find::default()));
        for bad in ["error>", "error>x", "p99>3", "pod:x", "ns:", "!", "rate>inf"] {
            assert_eq!(Find::parse(bad), Err(bad.to_owned()));
        }
    }
}
