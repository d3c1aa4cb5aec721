//! Reads the text format, strictly.

use naru_rehearsal::traffic::SimulatedMetrics;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

impl Series {
    pub(super) fn label(&self, name: &str) -> &str {
        self.labels
            .get(name)
            .unwrap_or_else(|| panic!("{name} of {self:?}"))
    }
}

#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) series: Vec<Series>,
}

impl Page {
    pub(super) fn of(metrics: &SimulatedMetrics) -> Self {
        Self::read(&metrics.exposition().collect::<String>())
    }

    /// Each metric is introduced once by HELP and TYPE, its lines stand together, and no series comes twice.
    pub(super) fn read(text: &str) -> Self {
        assert!(text.is_empty() || text.ends_with('\n'));
        let (mut page, mut metrics, mut seen) = (Self::default(), BTreeSet::new(), BTreeSet::new());
        let (mut now, mut kind, mut helped) = (String::new(), String::new(), String::new());
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                assert!(!help.is_empty());
                helped = name.to_owned();
            } else if let Some(line) = line.strip_prefix("# TYPE ") {
                let (name, line) = line.split_once(' ').unwrap();
                assert_eq!(name, helped);
                assert!(metrics.insert(name.to_owned()), "{name} comes twice");
                (now, kind) = (name.to_owned(), line.to_owned());
            } else {
                let series = series(line);
                let base = match kind.as_str() {
                    "counter" => series.name.as_str(),
                    "histogram" => {
                        let ends = ["_bucket", "_sum", "_count"];
                        ends.iter().find_map(|end| series.name.strip_suffix(end)).unwrap()
                    }
                    kind => panic!("{kind}"),
                };
                assert_eq!(base, now);
                assert_eq!(series.labels.contains_key("le"), series.name.ends_with("_bucket"));
                assert!(
                    seen.insert((series.name.clone(), series.labels.clone())),
                    "{line}"
                );
                page.series.push(series);
            }
        }
        page
    }

    pub(super) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Series> {
        self.series.iter().filter(move |it| it.name == name)
    }
}

fn series(line: &str) -> Series {
    let (name, mut rest) = line.split_once('{').unwrap();
    assert!(name.starts_with("istio_"), "{line}");
    let mut labels = BTreeMap::new();
    loop {
        let (label, after) = rest.split_once("=\"").unwrap();
        assert!(
            label.chars().all(|it| it.is_ascii_lowercase() || it == '_'),
            "{line}"
        );
        let mut value = String::new();
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next().unwrap() {
                (at, '"') => break at + 1,
                (_, '\\') => value.push(match letters.next().unwrap().1 {
                    'n' => '\n',
                    it @ ('\\' | '"') => it,
                    it => panic!("\\{it} in {line}"),
                }),
                (_, letter) => value.push(letter),
            }
        };
        assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
        rest = &after[end..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => break,
        }
    }
    let value = rest.strip_prefix("} ").unwrap().parse().unwrap();
    Series {
        name: name.to_owned(),
        labels,
        value,
    }
}
