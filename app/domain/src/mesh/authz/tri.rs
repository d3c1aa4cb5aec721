//! Yes, no, or unknown for a reason; combined so that a sure answer stays sure (Kleene's logic).

use crate::{Name, Why};
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tri {
    Yes,
    No,
    Unknown(BTreeSet<Why>),
}

impl Tri {
    pub(super) fn of(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }

    /// What decides is not judged, or the request does not say it.
    pub(super) fn unknown(what: impl Into<Name>) -> Self {
        Self::Unknown([Why::NotJudged { what: what.into() }].into())
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            unknown @ Self::Unknown(_) => unknown,
        }
    }

    pub(super) fn any(all: impl IntoIterator<Item = Self>) -> Self {
        let mut whys = BTreeSet::new();
        for it in all {
            match it {
                Self::Yes => return Self::Yes,
                Self::No => {}
                Self::Unknown(more) => whys.extend(more),
            }
        }
        if whys.is_empty() {
            Self::No
        } else {
            Self::Unknown(whys)
        }
    }

    pub(super) fn all(all: impl IntoIterator<Item = Self>) -> Self {
        Self::any(all.into_iter().map(Self::not)).not()
    }
}

#[cfg(test)]
mod tests {
    use super::Tri;

    #[test]
    fn a_sure_answer_is_not_made_unsure() {
        let unknown = || Tri::unknown("x");
        assert_eq!(Tri::any([unknown(), Tri::Yes]), Tri::Yes);
        assert_eq!(Tri::any([Tri::No, unknown()]), unknown());
        assert_eq!(Tri::all([unknown(), Tri::No]), Tri::No);
        assert_eq!(Tri::all([Tri::Yes, unknown()]), unknown());
        assert_eq!((Tri::any([]), Tri::all([])), (Tri::No, Tri::Yes));
        assert_eq!(unknown().not(), unknown());
    }
}
