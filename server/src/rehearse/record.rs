//! What is kept of finished runs: who, what, how it ended, and what it cost.

use naru_domain::actor::Actor;
use naru_ports::{Clock, SystemClock};
use naru_rehearsal::run::Record as Ended;
use serde::Serialize;
use std::{
    fs::OpenOptions,
    io::Write,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

/// Runs that are kept in memory.
const KEPT: usize = 100;

/// One finished run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Record {
    /// The player: issuer and subject identify, the name is for people.
    issuer: String,
    sub: String,
    name: String,
    /// When it was played, by the wall clock (RFC 3339).
    played: String,
    /// The version of this program, whose scenario it was.
    naru: &'static str,
    #[serde(flatten)]
    run: Ended,
}

impl Record {
    /// Of a run that has just ended.
    pub(super) fn of(who: &Actor, run: Ended) -> Self {
        Self {
            issuer: who.issuer.to_string(),
            sub: who.sub.to_string(),
            name: who.name.to_string(),
            played: SystemClock.now().to_string(),
            naru: env!("CARGO_PKG_VERSION"),
            run,
        }
    }
}

/// The records of this process, and the file that outlives it.
#[derive(Debug, Default)]
pub(super) struct Records {
    kept: Mutex<Vec<Record>>,
    file: Option<PathBuf>,
}

impl Records {
    /// Each is added to this file too, as a line of JSON.
    pub(super) fn new(file: Option<PathBuf>) -> Self {
        Self {
            kept: Mutex::default(),
            file,
        }
    }

    /// Keeps one. A file that cannot be written to is logged: the game goes on.
    pub(super) fn keep(&self, record: Record) {
        if let Some(path) = &self.file {
            let line = serde_json::to_string(&record).map_err(std::io::Error::from);
            let opened = || OpenOptions::new().create(true).append(true).open(path);
            if let Err(error) = line.and_then(|line| writeln!(opened()?, "{line}")) {
                tracing::error!(%error, path = %path.display(), "the record of a run could not be written");
            }
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(record);
    }

    /// All of them as JSON, the youngest last.
    pub(super) fn json(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::to_string_pretty(&*kept).unwrap_or_else(|_| "[]".into())
    }
}
