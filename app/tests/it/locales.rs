//! Every sentence stands in both locales, and nowhere else.

use naru_app::{Lang, say};
use naru_view::{
    order::{Arg, Said},
    why::{ApplyError, Refused, Risk, SourceName, Why},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

#[test]
fn no_sentence_stands_in_the_code_of_a_view() {
    let mut found = Vec::new();
    for folder in ["src/pages", "src/components", "src/layout"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    }
    assert_eq!(found, Vec::<String>::new());
}

/// Text nodes of `view!`: literals right behind the end of a tag or of a block, or alone on a line that does not end an expression.
/// Units and separators have no word of three letters.
fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
            continue;
        }
        let code = fs::read_to_string(&path).unwrap();
        let code = code.split("#[cfg(test)]").next().unwrap();
        let code = code.split("#[cfg(all(test").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let mut parts = line.split('"');
            let mut before = parts.next().unwrap_or("");
            while let (Some(literal), Some(after)) = (parts.next(), parts.next()) {
                let behind = before.trim_end();
                let text_node = (behind.ends_with('>') && !behind.ends_with("=>")) || behind.ends_with('}');
                let alone = behind.is_empty() && after.trim().is_empty();
                let word = literal
                    .split(|c: char| !c.is_alphabetic())
                    .any(|word| word.chars().count() > 2);
                if (text_node || alone) && word {
                    found.push(format!("{}: {literal:?}", path.display()));
                }
                before = after;
            }
        }
    }
}

#[test]
fn the_search_for_sentences_finds_one() {
    let folder = std::env::temp_dir().join(format!("naru-sentence-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("page.rs"),
        "view! { <p class=\"a b\">\"Not here\"</p> {x}\" words\" \" · \" }",
    )
    .unwrap();
    let mut found = Vec::new();
    sources(&folder, &mut found);
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
}

fn names() -> (naru_view::Name, naru_view::Name) {
    ("v2".into(), "user-service".into())
}

#[test]
fn reasons_are_sentences_in_both_languages() {
    let (subset, host) = names();
    let refused = Refused::NoReadyPods {
        host,
        subset: subset.clone(),
        weight: 10,
    };
    assert_eq!(
        say::refused(Lang::En, &refused),
        "user-service (v2) would get 10 % and has no ready pod."
    );
    assert_eq!(
        say::refused(Lang::Ko, &refused),
        "user-service (v2)에 10 %를 보내게 되지만 준비된 파드가 없습니다."
    );
    let why = Why::TimedOut {
        source: SourceName::Prometheus,
        after_ms: 10_000,
    };
    assert_eq!(
        say::why(Lang::En, &why),
        "Prometheus did not answer within 10.0 s."
    );
    assert_eq!(
        say::why(Lang::Ko, &why),
        "Prometheus이(가) 10.0 s 안에 응답하지 않았습니다."
    );
    let risk = Risk::Load {
        subset,
        pods: 1,
        factor: 2.5,
    };
    assert_eq!(
        say::risk(Lang::En, &risk),
        "The 1 ready pod of v2 would carry 2.50 times what the busiest pod of this route carries now."
    );
    let unsure = ApplyError::Unsure {
        change: "set-1".into(),
        detail: "timeout".into(),
    };
    assert!(say::apply_error(Lang::En, &unsure).contains("may have landed"));
    assert!(say::apply_error(Lang::Ko, &unsure).contains("반영되었을 수 있습니다"));
    let unknown = Refused::Unknown {
        whys: vec![Why::NoTraffic { window_s: 60 }, Why::NoMoment],
    };
    let said = say::refused(Lang::En, &unknown);
    assert!(
        said.contains("No request was seen in the last 60 s.") && said.contains("no moment to count from"),
        "{said}"
    );
}

#[test]
fn each_item_and_each_code_of_a_check_has_its_sentence_in_both_languages() {
    use naru_domain::{crossing::Item, judge};
    for lang in Lang::ALL {
        for item in Item::ALL {
            assert!(
                lang.item(item.id()).is_some() && lang.condition(item.id()).is_some(),
                "{item}"
            );
        }
        for code in judge::codes() {
            assert!(
                lang.finding(code.name).is_some(),
                "{} in {}",
                code.name,
                lang.tag()
            );
        }
    }
}

/// Every `Said::new("code", [("name", …)])` of what decides about canaries: the code and the names of what its sentence is built from.
fn codes_in(folder: &Path, codes: &mut BTreeMap<String, BTreeSet<String>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            codes_in(&path, codes);
            continue;
        }
        let name = path.file_name().and_then(|it| it.to_str()).unwrap();
        if name == "tests.rs" || !name.ends_with(".rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let judged = name == "judged.rs";
        let calls = ["Said::new(", "Self::new("];
        for call in &calls[..if judged { 2 } else { 1 }] {
            for rest in text.split(call).skip(1) {
                // A code that is no literal is named elsewhere: the verdicts are.
                let Some((code, rest)) = rest
                    .trim_start()
                    .strip_prefix('"')
                    .and_then(|it| it.split_once('"'))
                else {
                    continue;
                };
                let list = rest.split(']').next().unwrap_or_default();
                let names = list
                    .split('(')
                    .skip(1)
                    .filter_map(|it| it.strip_prefix('"')?.split('"').next());
                let names = names.filter(|it| it.chars().all(|c| c.is_ascii_lowercase()));
                codes
                    .entry(code.to_owned())
                    .or_default()
                    .extend(names.map(str::to_owned));
            }
        }
    }
}

#[test]
fn each_reason_of_a_canary_has_its_sentence_in_both_languages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut codes = BTreeMap::new();
    for folder in [
        "domain/src/canary",
        "domain/src/judge/guardrail",
        "../server/engine/src",
    ] {
        codes_in(&root.join(folder), &mut codes);
    }
    assert!(
        codes.len() >= 28 && codes.contains_key("few-requests"),
        "{codes:?}"
    );
    assert_eq!(
        codes["stable-too-small"],
        BTreeSet::from(["needed".into(), "ready".into()])
    );
    // What the controller tells beside what the domain decides.
    for (code, names) in [
        ("refused", &["detail"][..]),
        ("freeze-unknown", &["detail"]),
        ("two-canaries", &["name"]),
        ("unreadable", &["detail"]),
        ("other-rules", &[]),
    ] {
        let names = names.iter().map(|it| (*it).to_owned());
        codes.entry(code.into()).or_default().extend(names);
    }
    for (code, names) in codes {
        let args = names.into_iter().map(|name| {
            let value = match &*name {
                "until" | "at" => Arg::Time(0),
                other => Arg::Text(format!("<{other}>").into()),
            };
            (name.into(), value)
        });
        let said = Said {
            code: code.clone().into(),
            args: args.collect(),
        };
        let sentences = Lang::ALL.map(|lang| say::said(lang, &said));
        for (lang, sentence) in Lang::ALL.into_iter().zip(&sentences) {
            assert_ne!(*sentence, lang.said_other(&code), "{code} has no sentence");
            assert!(
                !sentence.contains('–'),
                "{code} is built from what is not told: {sentence}"
            );
            for (name, value) in &said.args {
                let told = match value {
                    Arg::Time(_) => sentence.contains("1970-01-01 00:00:00 UTC"),
                    Arg::Text(text) => sentence.contains(&**text),
                    Arg::Refused(refused) => sentence.contains(&say::refused(lang, refused)),
                };
                assert!(told, "{code} does not tell {name}: {sentence}");
            }
        }
        assert_ne!(sentences[0], sentences[1], "{code}");
    }
}

#[test]
fn a_reason_that_nobody_knows_says_its_name_and_roles_and_metrics_are_words() {
    let said = |code: &str, name: &str, value: &str| Said {
        code: code.into(),
        args: [(name.into(), Arg::Text(value.into()))].into(),
    };
    for (reason, sentence) in [
        (
            said("new-code", "x", "y"),
            "new-code: Naru has no sentence for this.",
        ),
        (
            said("readiness-unknown", "role", "canary"),
            "It is not known how many pods of the new version are ready.",
        ),
        (
            said("worse", "metric", "errors"),
            "Failed requests: more than allowed, and not by chance.",
        ),
        (
            said("touched", "by", ""),
            "Somebody else changed the weights, so Naru has stopped.",
        ),
    ] {
        assert_eq!(say::said(Lang::En, &reason), sentence);
    }
}
