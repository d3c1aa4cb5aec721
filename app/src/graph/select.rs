//! What is selected, and the links that select.

use super::edge;
use naru_view::topology::Topology;
use std::fmt::Write as _;

/// A selected thing, by position in the topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    Node(usize),
    Edge(usize),
}

impl Selection {
    /// Finds what `?sel=` names, if it is there.
    pub(crate) fn of(topology: &Topology, key: &str) -> Option<Self> {
        if key.is_empty() {
            return None;
        }
        let node = topology
            .nodes
            .iter()
            .position(|node| &*node.id == key)
            .map(Self::Node);
        node.or_else(|| {
            topology
                .edges
                .iter()
                .position(|it| edge::key(topology, it) == key)
                .map(Self::Edge)
        })
    }
}

/// A query of these pairs, without those that are empty; ends with `&` if there is one, so that another can follow. Starts with `?`.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let mut query = String::from("?");
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(query, "{name}={}&", encode(value));
    }
    query
}

/// The link to these pairs.
pub(crate) fn link(pairs: &[(&str, &str)]) -> String {
    query(pairs).trim_end_matches('&').to_owned()
}

/// The link that selects `key`.
pub(crate) fn href(query: &str, key: &str) -> String {
    format!("{query}sel={}", encode(key))
}

/// Percent-encoding (RFC 3986, 2.1) of everything but unreserved characters and `/`, `:`, `,`, which a query may hold as they are.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' | b',' => {
                encoded.push(char::from(byte))
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::{href, query};

    #[test]
    fn links_carry_the_rest_of_the_query_along() {
        assert_eq!(
            query(&[("ns", "a,b"), ("find", ""), ("x", "!mtls 가")]),
            "?ns=a,b&x=%21mtls%20%EA%B0%80&"
        );
        assert_eq!(href(&query(&[]), "workload//n/a>b"), "?sel=workload//n/a%3Eb");
    }
}
