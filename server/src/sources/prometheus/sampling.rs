//! Whether the window holds enough samples for rates, and whether several replicas answer at once.

use super::{
    answer,
    http::Http,
    label::{Label, Names},
    query::Query,
};
use naru_domain::{Name, Timestamp, Why};
use std::sync::{Mutex, PoisonError};

/// A rate needs four samples in its window: with fewer, one missed scrape halves it or leaves nothing.
const NEEDED: u32 = 4;

/// For so long what was found is taken to hold, in seconds: scrape intervals and replicas seldom change.
const HOLDS_S: i64 = 300;

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sampled {
    at: Timestamp,
    window_s: u32,
    /// Of the best sampled counter, in twice the window; None if there is no counter at all.
    samples: Option<u32>,
    /// The one replica to read, if more than one answers.
    pub(super) replica: Option<Name>,
}

impl Sampled {
    fn enough(&self) -> bool {
        // Twice the window is looked at, because at the window's edge a sample more or less is chance; of eight one may be missing.
        self.samples.is_some_and(|it| it >= 2 * NEEDED - 1)
    }

    /// What rates over this window suffer from.
    pub(super) fn gap(&self, window_s: u32) -> Option<Why> {
        match self.samples {
            None => Some(Why::NoTraffic { window_s }),
            Some(_) if self.enough() => None,
            Some(samples) => Some(Why::TooYoung {
                samples: samples.div_ceil(2).min(NEEDED - 1),
                needed: NEEDED,
            }),
        }
    }
}

/// Remembers what was found.
#[derive(Default)]
pub(super) struct Sampling(Mutex<Option<Sampled>>);

impl Sampling {
    /// What was found lately, if it was good: a shortage is asked about again each time, for it passes.
    pub(super) fn known(&self, now: Timestamp, window_s: u32) -> Option<Sampled> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone().filter(|it| {
            it.enough()
                && it.window_s == window_s
                && (0..HOLDS_S).contains(&(now.as_second() - it.at.as_second()))
        })
    }

    /// The one replica to read, as was found last.
    pub(super) fn replica(&self) -> Option<Name> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref()?.replica.clone()
    }

    /// Counts samples. Prometheus's list of targets would tell the interval outright, but Thanos and Mimir have none, and it is megabytes
    /// where there are thousands of pods.
    pub(super) async fn ask(&self, http: &Http, now: Timestamp, window_s: u32) -> Result<Sampled, Why> {
        let seconds = window_s.saturating_mul(2);
        let mut sampled = read(
            &http.query(&Query::most_samples("source", seconds)).await?,
            now,
            window_s,
        )?;
        if sampled.samples.is_none() {
            // No caller has a proxy yet.
            sampled = read(
                &http.query(&Query::most_samples("destination", seconds)).await?,
                now,
                window_s,
            )?;
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sampled.clone());
        Ok(sampled)
    }
}

fn read(body: &[u8], at: Timestamp, window_s: u32) -> Result<Sampled, Why> {
    let mut replicas: Vec<(u32, Name)> = vec![];
    answer::read(body, &mut Names::default(), &mut |row| {
        let samples = row.samples.last().map_or(0.0, |it| it.value);
        replicas.push((samples as u32, row.labels.get(Label::Replica).clone()));
    })?;
    // The best sampled one first; among equals always the same.
    replicas.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let replica = if replicas.len() > 1 {
        replicas.first().map(|it| it.1.clone())
    } else {
        None
    };
    Ok(Sampled {
        at,
        window_s,
        samples: replicas.first().map(|it| it.0),
        replica,
    })
}

#[cfg(test)]
mod tests {
    use super::{Sampling, read};
    use naru_domain::{Timestamp, Why};

    fn answer(rows: &[(&str, u32)]) -> Vec<u8> {
        let rows: Vec<String> = rows
            .iter()
            .map(|(replica, samples)| {
                format!(r#"{{"metric":{{"prometheus_replica":"{replica}"}},"value":[1,"{samples}"]}}"#)
            })
            .collect();
        format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":[{}]}}}}"#,
            rows.join(",")
        )
        .into_bytes()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_window_of_four_scrapes_is_enough() {
        for (samples, gap) in [
            (9, None),
            (8, None),
            (7, None),
            (
                6,
                Some(Why::TooYoung {
                    samples: 3,
                    needed: 4,
                }),
            ),
            (
                3,
                Some(Why::TooYoung {
                    samples: 2,
                    needed: 4,
                }),
            ),
            (
                1,
                Some(Why::TooYoung {
                    samples: 1,
                    needed: 4,
                }),
            ),
        ] {
            let sampled = read(&answer(&[("", samples)]), at(0), 60).unwrap();
            assert_eq!((sampled.gap(60), sampled.replica), (gap, None), "{samples}");
        }
        assert_eq!(
            read(&answer(&[]), at(0), 60).unwrap().gap(60),
            Some(Why::NoTraffic { window_s: 60 })
        );
    }

    #[test]
    fn of_two_replicas_the_better_sampled_is_read_and_of_equals_always_the_same() {
        let chosen = |rows: &[(&str, u32)]| read(&answer(rows), at(0), 60).unwrap().replica;
        assert_eq!(chosen(&[("a", 5), ("b", 8)]).as_deref(), Some("b"));
        assert_eq!(chosen(&[("b", 8), ("a", 8)]).as_deref(), Some("a"));
        // One of the replicas may write without the label.
        assert_eq!(chosen(&[("b", 8), ("", 8)]).as_deref(), Some(""));
    }

    #[test]
    fn only_what_is_good_is_remembered_and_not_for_ever() {
        let sampling = Sampling::default();
        let remember = |samples| {
            *sampling.0.lock().unwrap() = Some(read(&answer(&[("", samples)]), at(100), 60).unwrap())
        };
        remember(8);
        assert!(sampling.known(at(100), 60).is_some() && sampling.known(at(399), 60).is_some());
        assert!(sampling.known(at(400), 60).is_none() && sampling.known(at(99), 60).is_none());
        assert!(sampling.known(at(100), 30).is_none());
        remember(6);
        assert!(sampling.known(at(100), 60).is_none());
    }
}
