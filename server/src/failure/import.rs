//! Why an exported file was not brought in to its end.

use naru_app::{Lang, say};
use naru_domain::{Name, Why};
use naru_engine::{Stopped, StoppedBy};
use naru_ports::ClusterError;

/// An import that ended before its end.
#[derive(Clone, Debug)]
pub struct NotImported {
    /// Where, and why.
    pub stopped: Stopped,
    /// Who asks, as the API server names them.
    pub user: Name,
}

impl NotImported {
    /// Stable, for scripts.
    pub(super) fn key(&self) -> &'static str {
        match &self.stopped.why {
            StoppedBy::Other => "other-there",
            StoppedBy::Answer(ClusterError::Forbidden(_)) => "forbidden",
            StoppedBy::Answer(ClusterError::Invalid(_)) => "invalid",
            StoppedBy::Answer(ClusterError::NotFound) => "kind-absent",
            StoppedBy::Answer(_) => "unreachable",
        }
    }

    /// 1: the state of things refuses it. 3: no usable answer. 4: a right is missing.
    pub(super) fn code(&self) -> u8 {
        match &self.stopped.why {
            StoppedBy::Other | StoppedBy::Answer(ClusterError::Invalid(_)) => 1,
            StoppedBy::Answer(ClusterError::Forbidden(_)) => 4,
            StoppedBy::Answer(_) => 3,
        }
    }

    /// What stands in the way, and what to do.
    pub(super) fn sentence(&self, lang: Lang) -> String {
        let at = &self.stopped.at;
        match &self.stopped.why {
            StoppedBy::Other => lang.cli_import_other(at),
            StoppedBy::Answer(ClusterError::Forbidden(detail)) => {
                lang.cli_import_forbidden(at, detail, &self.user)
            }
            StoppedBy::Answer(ClusterError::Invalid(detail)) => lang.cli_import_invalid(at, detail),
            StoppedBy::Answer(ClusterError::NotFound) => say::why(
                lang,
                &Why::KindAbsent {
                    kind: at.kind.name().into(),
                },
            ),
            StoppedBy::Answer(error) => lang.cli_import_unanswered(at, error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ClusterError, NotImported, Stopped, StoppedBy};
    use crate::failure::Failure;
    use naru_app::Lang;
    use naru_domain::object::{Key, Kind};

    #[test]
    fn each_way_to_end_early_names_the_object_and_what_to_do() {
        let words = || "WORDS".into();
        for (why, key, code) in [
            (StoppedBy::Other, "other-there", 1),
            (
                StoppedBy::Answer(ClusterError::Forbidden(words())),
                "forbidden",
                4,
            ),
            (StoppedBy::Answer(ClusterError::Invalid(words())), "invalid", 1),
            (StoppedBy::Answer(ClusterError::NotFound), "kind-absent", 3),
            (StoppedBy::Answer(ClusterError::Unsure(words())), "unreachable", 3),
        ] {
            let told = matches!(&why, StoppedBy::Answer(error) if !matches!(error, ClusterError::NotFound));
            let failure = Failure::NotImported(NotImported {
                stopped: Stopped {
                    at: Key::new(Kind::SignOff, "", "000007"),
                    why,
                },
                user: "kim".into(),
            });
            assert_eq!((failure.key(), failure.code()), (key, code));
            for lang in Lang::ALL {
                let (_, text) = &failure.sentences(lang)[0];
                assert!(text.contains("000007") || key == "kind-absent", "{text}");
                assert_eq!(text.contains("WORDS"), told, "{text}");
                assert_eq!(text.contains("--user kim"), key == "forbidden", "{text}");
            }
        }
    }
}
