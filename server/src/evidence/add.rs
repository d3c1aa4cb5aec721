//! `naru evidence add`: one report, written with the credentials that the command has, and no others.

use super::{counted, junit};
use crate::{
    cli::{AddEvidence, Telling},
    failure::Failure,
    files, startup,
};
use anyhow::Context;
use naru_app::Lang;
use naru_domain::{
    Name, SourceName, Why,
    crossing::{
        Item,
        report::{Content, Junit, ReportSpec, Sender},
    },
    object::{Kind, Write},
};
use naru_ports::{As, Clock, ClusterError, SystemClock};
use serde_json::json;

/// The field manager of what is handed in.
const MANAGER: &str = "naru-evidence";

/// The longest target and id of a run, in characters; the definition's.
const TARGET: usize = 512;
const RUN: usize = 256;

/// Reads the file, hands it in, and says what was written.
pub(super) async fn run(options: &AddEvidence, lang: Lang) -> Result<(), Failure> {
    // What is wrong with the arguments is told before anybody is asked.
    let item = item(&options.item)?;
    let said = said(options)?;
    let bytes = files::bytes(&options.junit, junit::LARGEST + 1)?;
    let junit = junit::read(&bytes).map_err(|odd| Failure::Junit {
        path: options.junit.clone(),
        odd,
    })?;
    let (cluster, user) = startup::oneself(&options.kubernetes).await?;
    let spec = ReportSpec {
        item: item.id().into(),
        by: Sender {
            user: user.clone(),
            issuer: None,
            sub: None,
        },
        content: Content::Junit(junit),
        at: SystemClock.now(),
        ..said
    };
    let object = spec.object().context("writing the report")?;
    let name = object.key().name.clone();
    let write = Write::Create(object);
    let submitted = cluster
        .submit(As::Oneself(&user), &write, options.dry_run, MANAGER)
        .await;
    submitted.map_err(|error| refused(error, item, &user, &name))?;
    files::print(&match options.output {
        Telling::Text => text(lang, &spec, &name, options.dry_run),
        Telling::Json => {
            let whole = json!({"name": name, "dryRun": options.dry_run, "spec": spec});
            format!("{whole:#}\n")
        }
    })
}

/// Of the items this one is judged by a JUnit report.
fn item(said: &str) -> Result<Item, Failure> {
    let item = said.parse().ok().filter(|it| *it == Item::Regressed);
    item.ok_or_else(|| bad("--item", format!("{said} ≠ {}", Item::Regressed)))
}

/// What the arguments say of the run.
fn said(options: &AddEvidence) -> Result<ReportSpec, Failure> {
    let commit = options.commit.to_ascii_lowercase();
    if !(7..=64).contains(&commit.len()) || !commit.bytes().all(|it| it.is_ascii_hexdigit()) {
        return Err(bad("--commit", "7–64 × [0-9a-f]".into()));
    }
    let target = line("--target", &options.target, TARGET)?;
    let run = options.run.as_deref().map(|it| line("--run", it, RUN));
    if let (Some(started), Some(ended)) = (options.started, options.ended)
        && started > ended
    {
        return Err(bad("--ended", format!("{ended} < {started}")));
    }
    Ok(ReportSpec {
        item: "".into(),
        by: Sender {
            user: "".into(),
            issuer: None,
            sub: None,
        },
        commit: commit.into(),
        target,
        run: run.transpose()?,
        started: options.started,
        ended: options.ended,
        content: Content::Junit(Junit::default()),
        at: SystemClock.now(),
    })
}

/// One line of text that is there and not too long.
fn line(argument: &'static str, said: &str, longest: usize) -> Result<Name, Failure> {
    let said = said.trim();
    let length = said.chars().count();
    if (1..=longest).contains(&length) && !said.chars().any(char::is_control) {
        Ok(said.into())
    } else {
        Err(bad(argument, format!("1–{longest} × [^\\p{{Cc}}]")))
    }
}

fn bad(argument: &'static str, detail: String) -> Failure {
    Failure::BadArgument { argument, detail }
}

fn refused(error: ClusterError, item: Item, user: &str, name: &str) -> Failure {
    match error {
        ClusterError::Forbidden(detail) => Failure::MayNotHandIn {
            user: user.into(),
            item: item.id().into(),
            detail: detail.to_string(),
        },
        ClusterError::Unsure(detail) => Failure::TakenPerhaps {
            name: name.into(),
            detail: detail.to_string(),
        },
        ClusterError::Invalid(detail) => Failure::NotTaken {
            detail: detail.to_string(),
        },
        // The same report again, in the same instant.
        ClusterError::Exists | ClusterError::Conflict => Failure::NotTaken {
            detail: format!("409, {name}"),
        },
        ClusterError::NotFound => Failure::Source(Why::KindAbsent {
            kind: Kind::Report.name().into(),
        }),
        ClusterError::Throttled(_) => Failure::Source(Why::Failed {
            source: SourceName::Kubernetes,
            status: 429,
            detail: "Too Many Requests".into(),
        }),
        ClusterError::Unreachable(detail) => Failure::Source(Why::Unreachable {
            source: SourceName::Kubernetes,
            detail,
        }),
    }
}

fn text(lang: Lang, spec: &ReportSpec, name: &str, dry_run: bool) -> String {
    let Content::Junit(junit) = &spec.content;
    let head = if dry_run {
        lang.evidence_would_add(&spec.item, &name, &spec.by.user)
    } else {
        lang.evidence_added(&spec.item, &name, &spec.by.user)
    };
    let mut lines = vec![
        head,
        lang.evidence_tried(&spec.commit, &spec.target),
        counted(lang, spec),
    ];
    if junit.unshown > 0 {
        lines.push(lang.evidence_unshown(&junit.unshown));
    }
    lines.push(lang.evidence_file(&junit.digest));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::{Item, item, line, refused};
    use naru_app::Lang;
    use naru_ports::ClusterError;

    #[test]
    fn only_the_regression_is_judged_by_a_junit_report() {
        assert_eq!(item("2.4").unwrap(), Item::Regressed);
        for odd in ["2.3", "", "9.9", "2.4 "] {
            assert_eq!(item(odd).unwrap_err().code(), 2, "{odd}");
        }
    }

    #[test]
    fn what_names_a_run_is_one_line() {
        assert_eq!(&*line("--target", " staging ", 512).unwrap(), "staging");
        for odd in ["", "  ", "a\nb", &"x".repeat(513)] {
            assert_eq!(line("--target", odd, 512).unwrap_err().key(), "bad-argument");
        }
    }

    #[test]
    fn a_missing_right_is_named_with_how_to_get_it() {
        let words = "reports.naru.dev \"2.4-x\" is forbidden";
        let failure = refused(
            ClusterError::Forbidden(words.into()),
            Item::Regressed,
            "ci",
            "2.4-x",
        );
        assert_eq!((failure.key(), failure.code()), ("may-not-hand-in", 4));
        for lang in Lang::ALL {
            let (_, text) = &failure.sentences(lang)[0];
            for part in ["submit", "2.4", "--clusterrole naru-report --user ci", words] {
                assert!(text.contains(part), "{text}");
            }
        }
        let unsure = refused(ClusterError::Unsure("cut".into()), Item::Regressed, "ci", "2.4-x");
        assert_eq!((unsure.key(), unsure.code()), ("taken-perhaps", 3));
        let absent = refused(ClusterError::NotFound, Item::Regressed, "ci", "2.4-x");
        assert_eq!((absent.key(), absent.code()), ("source", 3));
    }
}
