//! The model against what the cases promise, without a mesh. `./dev lab model` asks the mesh too.

use naru_lab_model::{ask, case, report, standing};
use std::path::Path;

fn cases() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases")
}

#[test]
fn the_model_keeps_what_the_cases_promise() {
    let documents = case::load(&cases()).unwrap();
    let standing = standing::made_up(&cases()).unwrap();
    let mut wrong = Vec::new();
    for document in &documents {
        for case in document.cases.iter().filter(|case| case.known.is_none()) {
            match ask::model(&standing, &document.objects, document, case) {
                Ok(answer) if answer.breaks(&case.expect).is_empty() => {}
                Ok(answer) => wrong.push(format!("{}: {}", case.name, answer.line())),
                Err(why) => wrong.push(format!("{}: {why:#}", case.name)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{} differ", wrong.join("\n"), wrong.len());
}

#[test]
fn there_are_cases_enough() {
    let documents = case::load(&cases()).unwrap();
    assert_eq!(report::too_few(&documents), Vec::<String>::new());
}
