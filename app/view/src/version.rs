//! The version of what a page shows: which server process, and how far it has come.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// `(epoch, seq)`: `epoch` is drawn at random when a server process starts, `seq` counts its published snapshots. A viewer that sees
/// a foreign epoch starts anew; within an epoch a higher `seq` is later. Written `epoch:seq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Version {
    /// Random, non-zero, one per server process. Below 2^53, so that a browser can hold it as a number.
    pub epoch: u64,
    /// Counts from 1.
    pub seq: u64,
}

impl Version {
    /// Whether `self` replaces what a viewer holds at `held`.
    pub fn replaces(self, held: Self) -> bool {
        self.epoch != held.epoch || self.seq > held.seq
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.seq)
    }
}

impl FromStr for Version {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (epoch, seq) = text.split_once(':').ok_or(())?;
        Ok(Self {
            epoch: epoch.parse().map_err(|_| ())?,
            seq: seq.parse().map_err(|_| ())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn reads_back_what_it_writes_and_refuses_nonsense() {
        let version = Version {
            epoch: 9_007_199_254_740_991,
            seq: 42,
        };
        assert_eq!(version.to_string().parse(), Ok(version));
        for nonsense in ["", ":", "1", "1:", "a:b", "1:2:3", "-1:2"] {
            assert_eq!(nonsense.parse::<Version>(), Err(()), "{nonsense:?}");
        }
    }

    #[test]
    fn a_foreign_epoch_always_replaces() {
        let held = Version { epoch: 5, seq: 10 };
        assert!(Version { epoch: 6, seq: 1 }.replaces(held));
        assert!(Version { epoch: 5, seq: 11 }.replaces(held));
        assert!(!Version { epoch: 5, seq: 10 }.replaces(held));
        assert!(!Version { epoch: 5, seq: 9 }.replaces(held));
    }
}
