//! Why a change was not taken back, for people who have no page to look at.

use naru_app::{Lang, say};
use naru_domain::{
    Name,
    change::{owner, touched::Apart},
    object::Kind,
};
use naru_view::why::{ApplyError, Refused, Why};

/// A change that was not taken back.
#[derive(Clone, Debug)]
pub struct NotChanged {
    /// As the desk refuses.
    pub error: ApplyError,
    /// After somebody else's edit: what the change left, and what stands now.
    pub apart: Vec<Apart>,
    /// Who asks, as the API server names them.
    pub user: Name,
    /// The change's namespace.
    pub namespace: Name,
}

/// The right to read is missing.
fn unread(why: &Why) -> bool {
    matches!(why, Why::Forbidden { .. })
}

impl NotChanged {
    /// Stable, for scripts.
    pub(super) fn key(&self) -> &'static str {
        match &self.error {
            ApplyError::Refused { refused } => match refused {
                Refused::NotFound { .. } => "not-found",
                Refused::ForeignEdit { .. } => "foreign-edit",
                Refused::NotUndoable => "not-undoable",
                Refused::NothingToDo => "nothing-to-do",
                Refused::Unknown { .. } => "unknown",
                _ => "refused",
            },
            ApplyError::DigestChanged { .. } => "digest-changed",
            ApplyError::Forbidden { .. } => "forbidden",
            ApplyError::Invalid { .. } => "invalid",
            ApplyError::Conflict { .. } => "conflict",
            ApplyError::Unreachable { .. } => "unreachable",
            ApplyError::Unsure { .. } | ApplyError::Lost { .. } => "unsure",
            ApplyError::NoJournal { .. } => "no-journal",
            ApplyError::ReadOnly => "read-only",
        }
    }

    /// 1: the state of things refuses it. 2: there is no such change. 3: no usable answer, or nobody knows yet. 4: a right is missing, to read
    /// what must be known too.
    pub(super) fn code(&self) -> u8 {
        match &self.error {
            ApplyError::Refused { refused } => match refused {
                Refused::NotFound { kind, .. } if **kind == *Kind::Change.name() => 2,
                Refused::Unknown { whys } if whys.iter().any(unread) => 4,
                Refused::Unknown { .. } => 3,
                _ => 1,
            },
            ApplyError::DigestChanged { .. } | ApplyError::Invalid { .. } | ApplyError::Conflict { .. } => 1,
            ApplyError::Unreachable { .. }
            | ApplyError::Unsure { .. }
            | ApplyError::Lost { .. }
            | ApplyError::NoJournal { .. } => 3,
            ApplyError::Forbidden { .. } | ApplyError::ReadOnly => 4,
        }
    }

    /// What was refused and why, both states where somebody else edited, and what to do.
    pub(super) fn sentences(&self, lang: Lang) -> Vec<(String, String)> {
        let mut all = vec![say::apply_error(lang, &self.error)];
        match &self.error {
            ApplyError::Refused {
                refused: Refused::ForeignEdit { .. },
            } => {
                let value = |it: &Option<Name>| it.as_deref().unwrap_or(lang.plan_absent()).to_owned();
                let line = |it: &Apart| lang.hand_apart(&value(&it.left), &value(&it.now), &it.path);
                all.extend(self.apart.iter().map(line));
                if !self.apart.is_empty() && self.apart.iter().all(|it| it.left == it.now) {
                    all.push(lang.hand_elsewhere().into());
                }
            }
            ApplyError::Refused {
                refused: Refused::Owned { owner, .. },
            } if owner::takes_files(owner) => all.push(lang.hand_over(owner)),
            ApplyError::Refused {
                refused: Refused::Unknown { whys },
            } if whys.iter().any(unread) => all.push(lang.hand_reading(&self.user)),
            ApplyError::Forbidden { .. } => all.push(lang.hand_rights(&self.namespace, &self.user)),
            ApplyError::Unsure { .. } => all.push(lang.hand_unsure().into()),
            _ => {}
        }
        all.into_iter()
            .map(|text| (self.key().to_owned(), text))
            .collect()
    }
}
