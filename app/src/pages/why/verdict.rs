//! The whole answer in one word.

use crate::{components::sign::Sign, lang::Lang};
use naru_view::explanation::{Agreed, Behind, End, Explanation, Outcome, Verdict};

/// How a request fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Arrives,
    /// Some of such requests fail.
    Partly,
    Fails,
    /// The caller's proxy answers.
    Itself,
    /// It goes where the mesh does not know.
    Leaves,
    Unknown,
}

impl Standing {
    pub(super) fn of(told: &Explanation) -> Self {
        match &told.outcome {
            Outcome::ByDns | Outcome::Passthrough if told.legs.is_empty() => Self::Leaves,
            Outcome::Sent | Outcome::ByDns | Outcome::Passthrough => {
                // What has no weight gets nothing.
                let all: Vec<Self> = told
                    .legs
                    .iter()
                    .filter(|leg| leg.weight > 0)
                    .map(|leg| Self::behind(&leg.behind))
                    .collect();
                Self::together(&all)
            }
            Outcome::NoVirtualHost
            | Outcome::NoRoute
            | Outcome::NoListener
            | Outcome::NoFilterChain
            | Outcome::BlackHole => Self::Fails,
            Outcome::Redirect { .. } | Outcome::Direct { .. } => Self::Itself,
            Outcome::Elsewhere | Outcome::Unknown { .. } => Self::Unknown,
        }
    }

    pub(super) fn behind(behind: &Behind) -> Self {
        match behind {
            Behind::NoCluster => Self::Fails,
            Behind::Elsewhere | Behind::Unknown { .. } => Self::Unknown,
            // Endpoints that are not ready get nothing.
            Behind::Ends { ends } => {
                let ready: Vec<Self> = ends.iter().filter(|it| it.ready > 0).map(Self::end).collect();
                Self::together(&ready)
            }
        }
    }

    fn end(end: &End) -> Self {
        let verdict = end.authorization.as_ref().map(|it| &it.verdict);
        match (&end.tls.agreed, verdict) {
            (Agreed::Refused, _) | (_, Some(Verdict::Deny)) => Self::Fails,
            _ if end.deaf => Self::Fails,
            (Agreed::Unknown { .. }, _) | (_, Some(Verdict::Unknown { .. })) => Self::Unknown,
            _ => Self::Arrives,
        }
    }

    /// Nothing at all fails: nobody is there.
    fn together(all: &[Self]) -> Self {
        let any = |it| all.contains(&it);
        match (
            any(Self::Arrives),
            any(Self::Fails),
            any(Self::Unknown),
            any(Self::Partly),
        ) {
            (.., true) | (true, true, ..) | (_, true, true, _) => Self::Partly,
            (_, _, true, _) => Self::Unknown,
            (true, ..) => Self::Arrives,
            _ => Self::Fails,
        }
    }

    pub(super) fn answer(self, lang: Lang) -> &'static str {
        match self {
            Self::Arrives => lang.request_arrives(),
            Self::Partly => lang.request_partly(),
            Self::Fails => lang.request_fails(),
            Self::Itself => lang.request_itself(),
            Self::Leaves => lang.request_leaves(),
            Self::Unknown => lang.request_unknown(),
        }
    }

    pub(super) fn sign(self) -> Sign {
        match self {
            Self::Arrives => Sign::Good,
            Self::Partly => Sign::Warn,
            Self::Fails => Sign::Bad,
            Self::Itself | Self::Leaves => Sign::Idle,
            Self::Unknown => Sign::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Standing::{self, Arrives, Fails, Partly, Unknown};

    #[test]
    fn one_failing_part_spoils_the_whole_and_nothing_is_good_by_ignorance() {
        for (all, whole) in [
            (&[][..], Fails),
            (&[Arrives, Arrives], Arrives),
            (&[Arrives, Fails], Partly),
            (&[Fails, Fails], Fails),
            (&[Arrives, Unknown], Unknown),
            (&[Fails, Unknown], Partly),
            (&[Arrives, Partly], Partly),
        ] {
            assert_eq!(Standing::together(all), whole, "{all:?}");
        }
    }
}
