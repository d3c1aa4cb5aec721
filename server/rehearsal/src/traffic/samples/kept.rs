//! Scrapes, kept small: a large mesh has ten thousands of counters, and a page may look back over hundreds of scrapes.

use super::{Count, Durations};
use naru_domain::Timestamp;

/// How much each counter grew since the scrape before.
#[derive(Debug)]
pub(super) struct Scrape {
    pub(super) at: Timestamp,
    /// How many counters there were. They are numbered in the order in which they came.
    pub(super) known: usize,
    /// For each counter that grew: how many numbers further it is than the one before it, and its growth: five numbers in LEB128, then
    /// which buckets of durations grew, as a set of bits, and by how much each, the last one aside: it is what is left of the requests.
    grown: Box<[u8]>,
}

impl Scrape {
    /// Of what has grown since the last one, which is forgotten.
    pub(super) fn of(at: Timestamp, fresh: &mut [(Count, Durations)]) -> Self {
        let (mut bytes, mut before) = (Vec::new(), 0);
        for (number, fresh) in fresh.iter_mut().enumerate() {
            let (count, durations) = std::mem::take(fresh);
            let Count {
                requests,
                duration_us,
                sent,
                received,
            } = count;
            if [requests, duration_us, sent, received] == [0; 4] {
                continue;
            }
            let further = u64::try_from(number - before).unwrap_or(u64::MAX);
            for value in [further, requests, duration_us, sent, received] {
                push(&mut bytes, value);
            }
            push_durations(&mut bytes, &durations);
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
        self.each_with_durations(|number, count, _| f(number, count));
    }

    /// The same, with how long the requests took.
    pub(super) fn each_with_durations(&self, mut f: impl FnMut(usize, Count, &Durations)) {
        let (mut rest, mut number) = (&self.grown[..], 0);
        while !rest.is_empty() {
            let [further, requests, duration_us, sent, received] = [(); 5].map(|()| pull(&mut rest));
            let durations = pull_durations(&mut rest, requests);
            number += usize::try_from(further).unwrap_or(usize::MAX);
            let count = Count {
                requests,
                duration_us,
                sent,
                received,
            };
            f(number, count, &durations);
        }
    }
}

fn push_durations(bytes: &mut Vec<u8>, durations: &Durations) {
    let grown = durations.0.iter().enumerate().filter(|(_, n)| **n > 0);
    push(bytes, grown.clone().fold(0, |set, (place, _)| set | 1 << place));
    let mut numbers: Vec<u32> = grown.map(|(_, n)| *n).collect();
    numbers.pop();
    for n in numbers {
        push(bytes, u64::from(n));
    }
}

fn pull_durations(bytes: &mut &[u8], requests: u64) -> Durations {
    let mut durations = Durations::default();
    let (mut set, mut left) = (pull(bytes), requests);
    for place in &mut durations.0 {
        let grew = set & 1 == 1;
        set >>= 1;
        if grew {
            let n = if set == 0 { left } else { pull(bytes) };
            left = left.saturating_sub(n);
            *place = u32::try_from(n).unwrap_or(u32::MAX);
        }
    }
    durations
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
    use super::{Count, Durations, Scrape};
    use naru_domain::Timestamp;

    #[test]
    fn a_scrape_gives_back_what_grew_and_begins_anew() {
        let grown = |n: u64| Count {
            requests: n,
            duration_us: n / 2,
            sent: n.wrapping_mul(3),
            received: u64::MAX - n,
        };
        let mut fresh = vec![(Count::default(), Durations::default()); 300];
        for (number, n) in [(0, 1), (1, 127), (2, 128), (200, 1 << 20), (299, u64::MAX)] {
            fresh[number].0 = grown(n);
        }
        fresh[0].1.0[0] = 1;
        fresh[1].1.0[19] = 127;
        (fresh[2].1.0[3], fresh[2].1.0[7], fresh[2].1.0[19]) = (100, 27, 1);
        fresh[200].1.0[6] = 1 << 20;
        let before = fresh.clone();
        let scrape = Scrape::of(Timestamp::UNIX_EPOCH, &mut fresh);
        assert!(fresh.iter().all(|it| *it == Default::default()));
        let mut seen = vec![(Count::default(), Durations::default()); 300];
        scrape.each_with_durations(|number, count, durations| seen[number] = (count, *durations));
        assert_eq!((seen, scrape.known), (before, 300));
        let empty = Scrape::of(Timestamp::UNIX_EPOCH, &mut fresh);
        empty.each(|number, _| panic!("{number} did not grow"));
        assert_eq!(empty.known, 300);
    }
}
