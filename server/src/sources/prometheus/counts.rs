//! What both versions of a canary have answered, from raw samples.
//!
//! ```text
//! requests (callers' proxies) ─┐
//! durations (if asked for)    ─┼─► series ─► births (was it 0 before its first sample?) ─► counted ─► blocks, by scrape and caller's pod
//! requests (called proxies)   ─┘                └─ `up`, for targets that had no series before
//! ```
//!
//! At most four queries; a fifth if no bucket ends at the objective, for where they end. What was counted across `since` is in it, for the
//! first failures of a new version are in there; but not what was counted across a gap in the scrapes, which may be older.

mod births;
mod collect;
mod series;

use super::{garbled, http::Http, on_a_thread_of_its_own, query::Query};
use births::Births;
use futures::future::OptionFuture;
use jiff::SignedDuration;
use naru_domain::{
    Timestamp, Why,
    judge::guardrail::{Counts, CountsQuestion, Slow},
    traffic::{Reporter, ServiceId},
};
use series::Series;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Before `since`, for knowing which series and targets were there: as long as Prometheus itself takes a series to live on without a sample.
const BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// For a time that is shorter than this nothing is asked: a canary that is judged by less is not seen.
const SHORTEST: SignedDuration = SignedDuration::from_mins(15);

/// So long what was answered last is asked for, before all of it is tried again.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(10);

/// For how long a time a service's counts were answered last, and when all of it was too much.
#[derive(Default)]
pub(super) struct Windows(Mutex<BTreeMap<ServiceId, (SignedDuration, Timestamp)>>);

impl Windows {
    fn known(&self, service: &ServiceId, now: Timestamp) -> Option<SignedDuration> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        windows.retain(|_, (_, at)| now.duration_since(*at) < REMEMBERED);
        windows.get(service).map(|(window, _)| *window)
    }

    fn too_much(&self, service: &ServiceId, next: SignedDuration, now: Timestamp) {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        windows.insert(service.clone(), (next, now));
    }
}

/// The answers to a question.
struct Answers {
    requests: Vec<Series>,
    durations: Option<Vec<Series>>,
    attempts: Vec<Series>,
}

/// Counts what is asked. What is too much for Prometheus or for us, or takes too long, is asked for half the time, down to a quarter of an
/// hour: a canary that carries much is judged by what is new all the same. What is left out at the beginning is said. All tries together take
/// no longer than one query may, each half of what is left; what was answered is remembered, so that the next turn begins with it.
pub(super) async fn counts(
    http: &Http,
    windows: &Windows,
    question: &CountsQuestion,
    now: Timestamp,
) -> Result<Counts, Why> {
    let start = question.start(now);
    let whole = now.duration_since(start).max(SignedDuration::ZERO);
    let mut window = windows
        .known(&question.service, now)
        .map_or(whole, |it| it.min(whole));
    let mut left = http.timeout();
    loop {
        // The last try has all that is left.
        let last = window <= SHORTEST;
        let limit = if last { left } else { left / 2 };
        let since = now.checked_sub(window).unwrap_or(start);
        let answer = tokio::time::timeout(limit, self::since(http, question, since, now)).await;
        let answer = answer.unwrap_or_else(|_| Err(http.timed_out_after(limit)));
        match answer {
            Err(Why::TooLarge { .. } | Why::TimedOut { .. } | Why::Failed { status: 422, .. }) if !last => {
                left -= limit;
                window = (window / 2).max(SHORTEST);
                windows.too_much(&question.service, window, now);
            }
            answer => {
                let left_out = (since > start).then_some(since);
                return answer.map(|counts| Counts { left_out, ..counts });
            }
        }
    }
}

async fn since(
    http: &Http,
    question: &CountsQuestion,
    since: Timestamp,
    now: Timestamp,
) -> Result<Counts, Why> {
    let age = now.duration_since(since).max(SignedDuration::ZERO) + BEFORE;
    let seconds = u32::try_from(age.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
    let workloads: Vec<_> = question
        .stable
        .union(&question.canary)
        .map(|it| it.1.clone())
        .collect();
    let requests = Query::requests_to(Reporter::Source, &question.service, &[], seconds);
    let attempts = Query::requests_to(Reporter::Destination, &question.service, &workloads, seconds);
    let durations = question
        .slow_above_ms
        .map(|bound| Query::durations_to(&question.service, bound, seconds));
    let (requests, attempts, durations) = futures::join!(
        http.query(&requests),
        http.query(&attempts),
        OptionFuture::from(durations.as_ref().map(|it| http.query(it)))
    );
    let (requests, attempts, durations) = (requests?, attempts?, durations.transpose()?);
    let asked = question.clone();
    let (answers, births) = on_a_thread_of_its_own(move || {
        let answers = Answers {
            requests: series::read(&requests, &asked)?,
            attempts: series::read(&attempts, &asked)?,
            durations: durations.map(|it| series::read(&it, &asked)).transpose()?,
        };
        let births = Births::of(answers.all());
        Ok((answers, births))
    })
    .await?;
    let unsure = births.unsure(answers.all(), since);
    let scrapes = if unsure.is_empty() {
        None
    } else {
        Some(http.query(&Query::scrapes_of(unsure, seconds)).await?)
    };
    let asked = question.clone();
    let counts = on_a_thread_of_its_own(move || {
        let births = match scrapes {
            Some(body) => births.told(&body)?,
            None => births,
        };
        Ok(collect::collect(&asked, &answers, &births, since).coarse(now))
    })
    .await?;
    let Some(bound) = question.slow_above_ms.filter(|_| counts.slow != Slow::Told) else {
        return Ok(counts);
    };
    // Where buckets end is for people to read: not knowing it keeps nothing else from being counted.
    let body = http.query(&Query::bounds_of(&question.service)).await;
    let ends = body.and_then(|it| series::bounds(&it)).unwrap_or_default();
    Ok(Counts {
        slow: Slow::no_bucket(bound, ends),
        ..counts
    })
}

impl Answers {
    fn all(&self) -> impl Iterator<Item = &Series> {
        self.requests
            .iter()
            .chain(&self.attempts)
            .chain(self.durations.iter().flatten())
    }
}

#[cfg(test)]
mod tests;
