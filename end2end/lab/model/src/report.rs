//! What came out: a line for each case that differs, and whether there are cases enough.

use crate::{Asks, By, Document};
use std::collections::BTreeMap;

/// Each function has at least so many cases.
pub const LEAST: usize = 10;

/// All together.
pub const LEAST_OF_ALL: usize = 120;

/// At least this part of them, in percent, by requests through real proxies.
pub const LEAST_BY_REQUEST: usize = 60;

/// Cases that may differ for a reason of Istio's own.
pub const MOST_KNOWN: usize = 5;

/// How many cases must agree, by function and by how the mesh is asked.
pub fn counts(documents: &[Document]) -> BTreeMap<(Asks, By), usize> {
    let mut counts = BTreeMap::new();
    for document in documents {
        *counts.entry((document.asks, document.by)).or_default() +=
            document.cases.iter().filter(|it| it.known.is_none()).count();
    }
    counts
}

/// What is too few or too many.
pub fn too_few(documents: &[Document]) -> Vec<String> {
    let counts = counts(documents);
    let sum = |wanted: &dyn Fn(Asks, By) -> bool| -> usize {
        let some = counts.iter().filter(|((asks, by), _)| wanted(*asks, *by));
        some.map(|(_, n)| n).sum()
    };
    let mut short: Vec<String> = Asks::ALL
        .into_iter()
        .filter(|asks| sum(&|it, _| it == *asks) < LEAST)
        .map(|asks| format!("{asks:?} has fewer than {LEAST} cases"))
        .collect();
    let all = sum(&|_, _| true);
    if all < LEAST_OF_ALL {
        short.push(format!("{all} cases are fewer than {LEAST_OF_ALL}"));
    }
    if sum(&|_, by| by == By::Request) * 100 < all * LEAST_BY_REQUEST {
        short.push(format!(
            "fewer than {LEAST_BY_REQUEST} % of the cases are asked by requests"
        ));
    }
    let known = documents.iter().flat_map(|it| &it.cases);
    if known.filter(|it| it.known.is_some()).count() > MOST_KNOWN {
        short.push(format!("more than {MOST_KNOWN} cases may differ"));
    }
    short
}
