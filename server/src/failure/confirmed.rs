//! Why it is not said that a change is in force, or what it does.

use naru_app::{Lang, say};
use naru_domain::{Name, Why, canary::InForce};

/// A change that the API server has accepted, and of which what was waited for has not come in time.
#[derive(Clone, Debug)]
pub enum NotConfirmed {
    /// Not every proxy that routes by it has acknowledged it.
    InForce(InForce),
    /// Somebody else has written the rule since.
    Moved {
        /// The weights as they stand, in order; none where the rule is gone.
        now: Vec<u32>,
    },
    /// Too few requests were counted since.
    Observed {
        /// How many were.
        n: u64,
        /// How many had to be.
        wanted: u64,
        /// Why none were, if that is known.
        whys: Vec<Why>,
    },
}

/// So many proxies are named.
const NAMED: usize = 10;

impl NotConfirmed {
    /// Stable, for scripts.
    pub(super) fn key(&self) -> &'static str {
        match self {
            Self::InForce(_) => "not-confirmed",
            Self::Moved { .. } => "moved",
            Self::Observed { .. } => "not-observed",
        }
    }

    /// What has not come, who has not, and why it is not known.
    pub(super) fn sentences(&self, lang: Lang) -> Vec<String> {
        match self {
            Self::InForce(seen) => {
                let mut all = vec![lang.weight_not_confirmed(&seen.acknowledged, &seen.proxies)];
                if seen.proxies == 0 && seen.unknown.is_empty() {
                    all.push(lang.weight_nobody().into());
                }
                let refused = seen.refused.iter().take(NAMED);
                all.extend(refused.map(|(pod, words)| lang.weight_refused(pod, words)));
                if !seen.waiting.is_empty() {
                    all.push(lang.weight_waiting(&names(&seen.waiting)));
                }
                all.extend(seen.unknown.iter().map(|it| say::why(lang, it)));
                all
            }
            Self::Moved { now } => {
                let now: Vec<String> = now.iter().map(u32::to_string).collect();
                vec![lang.weight_moved(&now.join(" : "))]
            }
            Self::Observed { n, wanted, whys } => {
                let mut all = vec![lang.weight_not_observed(n, wanted)];
                all.extend(whys.iter().map(|it| say::why(lang, it)));
                all
            }
        }
    }
}

fn names(all: &[Name]) -> String {
    let mut named: Vec<&str> = all.iter().take(NAMED).map(|it| &**it).collect();
    if all.len() > NAMED {
        named.push("…");
    }
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::NotConfirmed;
    use crate::failure::Failure;
    use naru_app::Lang;
    use naru_domain::{SourceName, Why, canary::InForce};

    #[test]
    fn who_has_not_acknowledged_is_named_and_who_refuses_says_why() {
        let waiting = (0..12).map(|it| format!("shop/web-{it}").into()).collect();
        let seen = InForce {
            proxies: 14,
            acknowledged: 1,
            refused: vec![("shop/odd".into(), "bad regex".into())],
            waiting,
            unknown: vec![Why::NotYet {
                source: SourceName::Istiod,
            }],
        };
        let failure = Failure::NotConfirmed(NotConfirmed::InForce(seen));
        assert_eq!((failure.key(), failure.code()), ("not-confirmed", 3));
        for lang in Lang::ALL {
            let all: String = failure.sentences(lang).iter().map(|(_, text)| &**text).collect();
            for part in ["1", "14", "shop/odd", "bad regex", "shop/web-9, …"] {
                assert!(all.contains(part), "{part}: {all}");
            }
            assert!(!all.contains("shop/web-10"), "{all}");
        }
        let nobody = Failure::NotConfirmed(NotConfirmed::InForce(InForce::default()));
        assert_eq!(nobody.sentences(Lang::En).len(), 2);
    }

    #[test]
    fn what_somebody_else_wrote_since_is_told_as_it_stands() {
        let failure = Failure::NotConfirmed(NotConfirmed::Moved { now: vec![90, 10] });
        assert_eq!((failure.key(), failure.code()), ("moved", 3));
        for lang in Lang::ALL {
            let all = failure.sentences(lang);
            assert!(all.len() == 1 && all[0].1.contains("90 : 10"), "{all:?}");
        }
    }

    #[test]
    fn too_few_requests_are_told_with_how_many_and_why() {
        let whys = vec![Why::HeaderRouted { subset: "v2".into() }];
        let (n, wanted) = (0, 1_000);
        let failure = Failure::NotConfirmed(NotConfirmed::Observed { n, wanted, whys });
        assert_eq!((failure.key(), failure.code()), ("not-observed", 3));
        assert_eq!(failure.sentences(Lang::Ko).len(), 2);
    }
}
