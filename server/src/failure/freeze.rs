//! Why everything was not stopped, or does not go on.

use naru_app::{Lang, say};
use naru_domain::Name;
use naru_view::why::{ApplyError, Refused};

/// A freeze that was not made, or not lifted.
#[derive(Clone, Debug)]
pub struct NotFrozen {
    /// Why.
    pub error: ApplyError,
    /// Who asks, as the API server names them.
    pub user: Name,
}

impl NotFrozen {
    /// Stable, for scripts.
    pub(super) fn key(&self) -> &'static str {
        match &self.error {
            ApplyError::Refused { refused } => match refused {
                Refused::Frozen { .. } => "already-frozen",
                Refused::NotFrozen => "not-frozen",
                Refused::Unknown { .. } => "kind-absent",
                _ => "refused",
            },
            ApplyError::Forbidden { .. } | ApplyError::ReadOnly => "forbidden",
            ApplyError::Invalid { .. } => "invalid",
            ApplyError::Conflict { .. } | ApplyError::DigestChanged { .. } => "conflict",
            ApplyError::Unreachable { .. } | ApplyError::NoJournal { .. } => "unreachable",
            ApplyError::Unsure { .. } | ApplyError::Lost { .. } => "unsure",
        }
    }

    /// 1: the state of things refuses it. 3: no usable answer, or the cluster does not know the kind. 4: a right is missing.
    pub(super) fn code(&self) -> u8 {
        match self.key() {
            "forbidden" => 4,
            "kind-absent" | "unreachable" | "unsure" => 3,
            _ => 1,
        }
    }

    /// Why, and what to do.
    pub(super) fn sentences(&self, lang: Lang) -> Vec<(String, String)> {
        let mut all = vec![say::apply_error(lang, &self.error)];
        if self.code() == 4 {
            all.push(lang.freeze_rights(&self.user));
        }
        all.into_iter()
            .map(|text| (self.key().to_owned(), text))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{ApplyError, NotFrozen, Refused};
    use crate::failure::Failure;
    use naru_app::Lang;
    use naru_view::why::Why;

    #[test]
    fn each_has_a_key_a_code_and_says_what_to_do() {
        let refused = |refused| ApplyError::Refused { refused };
        let words = || "WORDS".into();
        let already = Refused::Frozen {
            by: words(),
            reason: "night".into(),
        };
        let absent = Refused::Unknown {
            whys: vec![Why::KindAbsent { kind: words() }],
        };
        for (error, key, code, said) in [
            (refused(already), "already-frozen", 1, "WORDS"),
            (refused(Refused::NotFrozen), "not-frozen", 1, ""),
            (refused(absent), "kind-absent", 3, "WORDS"),
            (
                ApplyError::Forbidden { detail: words() },
                "forbidden",
                4,
                "--user alice",
            ),
            (ApplyError::Invalid { detail: words() }, "invalid", 1, "WORDS"),
            (ApplyError::Conflict { by: None }, "conflict", 1, ""),
            (
                ApplyError::Unreachable { detail: words() },
                "unreachable",
                3,
                "WORDS",
            ),
            (ApplyError::Lost { detail: words() }, "unsure", 3, "WORDS"),
        ] {
            let user = "alice".into();
            let failure = Failure::NotFrozen(NotFrozen { error, user });
            assert_eq!((failure.key(), failure.code()), (key, code));
            for lang in Lang::ALL {
                let all = failure.sentences(lang);
                let told: String = all.iter().map(|(_, text)| &**text).collect();
                assert!(
                    told.contains(said) && all.iter().all(|(it, _)| it == key),
                    "{key}: {told}"
                );
            }
        }
    }
}
