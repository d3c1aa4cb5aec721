//! Every sentence stands in both locales, and nowhere else.

use naru_app::{Lang, say};
use naru_view::why::{ApplyError, Refused, Risk, SourceName, Why};
use std::{fs, path::Path};

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
        for code in judge::ALL.iter().flat_map(|check| check.codes) {
            assert!(
                lang.finding(code.name).is_some(),
                "{} in {}",
                code.name,
                lang.tag()
            );
        }
    }
}
