//! Scrapes, kept small: a large mesh has ten thousands of counters, and a page may look back over hundreds of scrapes.

use super::Count;
use naru_domain::Timestamp;

/// How much each counter grew since the scrape before.
#[derive(Debug)]
pub(super) struct Scrape {
    pub(super) at: Timestamp,
    /// How many counters there were. They are numbered in the order in which they came.
    pub(super) known: usize,
    /// For each counter that grew: how many numbers further it is than the one before it, and its growth; five numbers in LEB128.
    grown: Box<[u8]>,
}

impl Scrape {
    /// Of what has grown since the last one, which is forgotten.
    pub(super) fn of(at: Timestamp, fresh: &mut [Count]) -> Self {
        let (mut bytes, mut before) = (Vec::new(), 0);
        for (number, count) in fresh.iter_mut().enumerate() {
            let Count {
                requests,
                duration_us,
                sent,
                received,
            } = std::mem::take(count);
            if [requests, duration_us, sent, received] == [0; 4] {
                continue;
            }
            let further = u64::try_from(number - before).unwrap_or(u64::MAX);
            for value in [further, requests, duration_us, sent, received] {
                push(&mut bytes, value);
            }
            before = number;
        }
        Self {
            at,
            known: fresh.len(),
            grown: bytes.into(),
        }
    }

    /// Each counter that grew, with its growth, by number.
    pub(super) fn each(&self, mut f: impl FnMut(usize, Count)) {
        let (mut rest, mut number) = (&self.grown[..], 0);
        while !rest.is_empty() {
            let [further, requests, duration_us, sent, received] = [(); 5].map(|()| pull(&mut rest));
            number += usize::try_from(further).unwrap_or(usize::MAX);
            f(
                number,
                Count {
                    requests,
                    duration_us,
                    sent,
                    received,
                },
            );
        }
    }
}

fn push(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            bytes.push(low & 0x7f);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn pull(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    while let Some((&byte, rest)) = bytes.split_first() {
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
        shift += 7;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::{Count, Scrape};
    use naru_domain::Timestamp;

    #[test]
    fn a_scrape_gives_back_what_grew_and_begins_anew() {
        let grown = |n: u64| Count {
            requests: n,
            duration_us: n / 2,
            sent: n.wrapping_mul(3),
            received: u64::MAX - n,
        };
        let mut fresh = vec![Count::default(); 300];
        for (number, n) in [(0, 1), (1, 127), (2, 128), (200, 1 << 20), (299, u64::MAX)] {
            fresh[number] = grown(n);
        }
        let before = fresh.clone();
        let scrape = Scrape::of(Timestamp::UNIX_EPOCH, &mut fresh);
        assert!(fresh.iter().all(|it| *it == Count::default()));
        let mut seen = vec![Count::default(); 300];
        scrape.each(|number, count| seen[number] = count);
        assert_eq!((seen, scrape.known), (before, 300));
        let empty = Scrape::of(Timestamp::UNIX_EPOCH, &mut fresh);
        empty.each(|number, _| panic!("{number} did not grow"));
        assert_eq!(empty.known, 300);
    }
}
