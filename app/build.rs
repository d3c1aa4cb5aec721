//! Turns `locales/{en,ko}.json` into one method of `Lang` per sentence.
//!
//! A key that one language lacks, or a placeholder that the two do not share, stops the build: a page can never meet a sentence that
//! is not there. A key is `group` and `name`; its value is a text with `{placeholders}`, or `{"one": …, "other": …}` where the
//! language counts `n`. Some groups are tables instead, see [`TABLES`].

use serde_json::{Map, Value};
use std::{collections::BTreeSet, env, fmt::Write as _, fs, path::Path};

/// The groups whose sentences are looked up by their names, on the server alone: they are many, and come with data. Their placeholders are
/// filled in when they are told.
const TABLES: [&str; 8] = [
    "scenario",
    "item",
    "condition",
    "finding",
    "fact",
    "broken",
    "guard",
    "holdup",
];

fn main() {
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=build.rs");
    let (en, ko) = (read("en"), read("ko"));
    assert_same(&keys(&en), &keys(&ko), "keys");
    let mut out = String::from("impl Lang {\n");
    for (group, name) in keys(&en)
        .into_iter()
        .filter(|(group, _)| !TABLES.contains(&&**group))
    {
        method(&mut out, &group, &name, &en[&group][&name], &ko[&group][&name]);
    }
    for group in TABLES {
        table(&mut out, group, &en, &ko);
    }
    out.push_str("}\n");
    let folder = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&folder).join("sentences.rs"), out).expect("OUT_DIR can be written to");
}

fn table(out: &mut String, group: &str, en: &Map<String, Value>, ko: &Map<String, Value>) {
    let mut line = |text: String| writeln!(out, "{text}").expect("a String takes everything");
    line(format!("    /// A sentence of the group `{group}` by its name."));
    line(format!(
        "    #[cfg(feature = \"ssr\")]\n    pub fn {group}(self, name: &str) -> Option<&'static str> {{"
    ));
    line("        Some(match (self, name) {".into());
    for (lang, locale) in [("En", en), ("Ko", ko)] {
        for (name, value) in locale[group].as_object().expect("a group is an object") {
            let text = value
                .as_str()
                .unwrap_or_else(|| panic!("{group}.{name} is no text"));
            assert_same(
                &placeholders(&en[group][name]),
                &placeholders(&ko[group][name]),
                &format!("placeholders of {group}.{name}"),
            );
            line(format!("            (Self::{lang}, {name:?}) => {text:?},"));
        }
    }
    line("            _ => return None,\n        })\n    }".into());
}

fn read(lang: &str) -> Map<String, Value> {
    let path = format!("locales/{lang}.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn keys(locale: &Map<String, Value>) -> BTreeSet<(String, String)> {
    let names = |(group, names): (&String, &Value)| {
        let names = names.as_object().unwrap_or_else(|| panic!("{group} is no group"));
        names
            .keys()
            .map(|name| (group.clone(), name.clone()))
            .collect::<Vec<_>>()
    };
    locale.iter().flat_map(names).collect()
}

fn assert_same<T: Ord + std::fmt::Debug>(en: &BTreeSet<T>, ko: &BTreeSet<T>, what: &str) {
    let differ: Vec<&T> = en.symmetric_difference(ko).collect();
    assert!(
        differ.is_empty(),
        "{what} that only one of en.json and ko.json has: {differ:?}"
    );
}

fn placeholders(value: &Value) -> BTreeSet<String> {
    let texts: Vec<&str> = match value {
        Value::Object(forms) => forms.values().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    };
    let inside = |text: &str| {
        text.split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}').map(|(name, _)| name.to_owned()))
            .collect::<Vec<_>>()
    };
    texts.into_iter().flat_map(inside).collect()
}

fn method(out: &mut String, group: &str, name: &str, en: &Value, ko: &Value) {
    let names = placeholders(en);
    assert_same(
        &names,
        &placeholders(ko),
        &format!("placeholders of {group}.{name}"),
    );
    let counts = en.is_object() || ko.is_object();
    let doc = en
        .as_str()
        .or_else(|| en["other"].as_str())
        .unwrap_or_else(|| panic!("{group}.{name} is no text"));
    let parameters: String = names
        .iter()
        .map(|name| {
            if counts && name == "n" {
                ", n: u64".into()
            } else {
                format!(", {name}: &dyn std::fmt::Display")
            }
        })
        .collect();
    let result = if names.is_empty() {
        "&'static str"
    } else {
        "String"
    };
    let mut line = |text: String| writeln!(out, "{text}").expect("a String takes everything");
    line(format!("    #[doc = {doc:?}]\n    #[must_use]"));
    line(format!(
        "    pub fn {group}_{name}(self{parameters}) -> {result} {{\n        match self {{"
    ));
    for (lang, value) in [("En", en), ("Ko", ko)] {
        line(format!(
            "            Self::{lang} => {},",
            expression(value, &names)
        ));
    }
    line("        }\n    }".into());
}

fn expression(value: &Value, names: &BTreeSet<String>) -> String {
    let plain = |text: &str| match (names.is_empty(), text.contains('{')) {
        (true, _) => format!("{text:?}"),
        (false, false) => format!("{text:?}.to_owned()"),
        (false, true) => format!("format!({text:?})"),
    };
    match (value.as_str(), value["one"].as_str(), value["other"].as_str()) {
        (Some(text), ..) => plain(text),
        (None, Some(one), Some(other)) => {
            format!("if n == 1 {{ {} }} else {{ {} }}", plain(one), plain(other))
        }
        _ => panic!("{value} is neither a text nor {{one, other}}"),
    }
}
