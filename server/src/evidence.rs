//! `naru evidence`: what was tried elsewhere is handed in, as whoever runs the command.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | handed in (or it would be, with `--dry-run`); listed |
//! | 2 | the arguments are wrong, or the file is no JUnit report |
//! | 3 | the API server gave no usable answer, or did not take it |
//! | 4 | the right is missing; of a list: something had to be left out |

mod add;
pub(crate) mod junit;
mod list;

use crate::{cli::Evidence, failure::Failure};
use naru_app::Lang;
use naru_domain::crossing::report::{Content, ReportSpec};

/// Does the one or the other.
pub(crate) async fn run(options: Evidence, lang: Lang) -> Result<(), Failure> {
    match options {
        Evidence::Add(options) => add::run(&options, lang).await,
        Evidence::List(options) => list::run(&options, lang).await,
    }
}

/// What came of it, in a sentence.
fn counted(lang: Lang, spec: &ReportSpec) -> String {
    match &spec.content {
        Content::Junit(it) => lang.evidence_counted(&it.errors, &it.failures, &it.skips, &it.tests),
    }
}
