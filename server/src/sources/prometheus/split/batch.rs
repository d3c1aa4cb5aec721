//! Which questions are asked together, and how far back.

use crate::sources::prometheus::query::{Measure, Query};
use jiff::SignedDuration;
use naru_domain::{Timestamp, Why, traffic::SplitQuestion};
use std::collections::{BTreeMap, BTreeSet};

/// No sample older than this is read: six hours of a busy service are a few hundred thousand samples.
const LIMIT_S: i64 = 6 * 3600;

/// Before `since`, for knowing which series were there: as long as Prometheus itself takes a series to live on without a sample. What was before a
/// change is counted of the same samples.
const BEFORE_S: i64 = 300;

/// Questions of like length go together, so that a young question does not read hours. At most one query for each class.
const CLASSES_S: [i64; 3] = [15 * 60, 3600, LIMIT_S];

/// Questions that one query answers.
#[derive(Clone, Debug)]
pub(in crate::sources::prometheus) struct Batch {
    /// For all of them; its answer may hold more.
    pub(in crate::sources::prometheus) query: Query,
    /// How long those requests took.
    pub(in crate::sources::prometheus) durations: Query,
    /// Their places.
    pub(in crate::sources::prometheus) questions: Vec<usize>,
}

/// From when a question is counted, and a gap if that is later than asked.
pub(super) fn start(question: &SplitQuestion, now: Timestamp) -> (Timestamp, Option<Why>) {
    let earliest = now
        .checked_sub(SignedDuration::from_secs(LIMIT_S))
        .unwrap_or(Timestamp::UNIX_EPOCH);
    if question.since >= earliest {
        return (question.since, None);
    }
    // No words: this is shown to people of any language.
    (
        earliest,
        Some(Why::Said {
            detail: format!("{} → {earliest:.0}", question.since).into(),
        }),
    )
}

/// Sorts questions into batches.
pub(in crate::sources::prometheus) fn batches(questions: &[SplitQuestion], now: Timestamp) -> Vec<Batch> {
    let mut classes = BTreeMap::<i64, (Vec<usize>, i64)>::new();
    for (at, question) in questions.iter().enumerate() {
        let age = now.duration_since(start(question, now).0).as_secs().max(0) + 1;
        let class = CLASSES_S
            .into_iter()
            .find(|class| age <= *class)
            .unwrap_or(LIMIT_S);
        let (places, oldest) = classes.entry(class).or_default();
        places.push(at);
        *oldest = age.max(*oldest);
    }
    classes
        .into_values()
        .map(|(questions_of, oldest)| {
            let services: BTreeSet<_> = questions_of
                .iter()
                .flat_map(|&at| &questions[at].services)
                .collect();
            let names: BTreeSet<String> = services.iter().map(|it| it.name.to_string()).collect();
            let namespaces: BTreeSet<String> = services.iter().map(|it| it.namespace.to_string()).collect();
            let seconds = u32::try_from(oldest + BEFORE_S).unwrap_or(u32::MAX);
            let samples = |measure| {
                let all = |it: &BTreeSet<String>| it.iter().cloned().collect();
                Query::samples(measure, all(&names), all(&namespaces), seconds)
            };
            Batch {
                query: samples(Measure::Requests),
                durations: samples(Measure::Duration),
                questions: questions_of,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{batches, start};
    use naru_domain::{
        Timestamp, Why,
        traffic::{ServiceId, SplitQuestion},
    };

    const NOW: i64 = 1_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn question(name: &str, age: i64) -> SplitQuestion {
        SplitQuestion {
            services: [ServiceId {
                namespace: "n".into(),
                name: name.into(),
            }]
            .into(),
            since: at(NOW - age),
            changed: None,
        }
    }

    #[test]
    fn questions_of_like_age_are_one_query() {
        let questions = [
            question("b", 60),
            question("c", 7200),
            question("a", 120),
            question("d", 100_000),
            question("b", -5),
        ];
        let batches = batches(&questions, at(NOW));
        let texts: Vec<_> = batches
            .iter()
            .map(|it| (it.query.to_string(), it.questions.clone()))
            .collect();
        let durations = batches[0].durations.to_string();
        assert!(durations.starts_with("istio_request_duration_milliseconds_sum{reporter=\"source\""));
        let query = |names: &str, seconds: u32| {
            format!(
                "istio_requests_total{{reporter=\"source\",destination_service_name=~\"{names}\",\
                 destination_service_namespace=\"n\"}}[{seconds}s]"
            )
        };
        assert_eq!(
            texts,
            [
                (query("a|b", 421), vec![0, 2, 4]),
                (query("c|d", 21_901), vec![1, 3])
            ]
        );
    }

    #[test]
    fn no_question_is_no_query() {
        assert!(batches(&[], at(NOW)).is_empty());
    }

    #[test]
    fn what_is_too_long_ago_starts_later_and_says_so() {
        assert_eq!(start(&question("a", 21_600), at(NOW)), (at(NOW - 21_600), None));
        let (since, gap) = start(&question("a", 21_601), at(NOW));
        assert_eq!(since, at(NOW - 21_600));
        assert_eq!(
            gap,
            Some(Why::Said {
                detail: "1970-01-12T07:46:39Z → 1970-01-12T07:46:40Z".into()
            })
        );
    }
}
