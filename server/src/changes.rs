//! `naru changes`: the journal, the latest first, asked for with a kubeconfig alone.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | listed |
//! | 2 | the arguments are wrong |
//! | 3 | the API server gave no usable answer, or has no journal |
//! | 4 | the right is missing, or an entry cannot be read: incomplete |

use crate::{
    cli::{self, Telling},
    failure::Failure,
    files,
    inventory::inventory,
    startup,
    undo::told::line,
};
use naru_app::{Lang, say};
use naru_domain::{
    Name, Why,
    actor::Actor,
    change::{
        record::{Phase, Record, records, undone_by},
        touched,
    },
    object::Kind,
    snapshot::{KindState, Objects},
};
use naru_engine::read_off;
use naru_ports::{Cluster, SystemClock};
use serde_json::{Value, json};

/// An entry, and what else is known of it.
struct Entry {
    record: Record,
    /// How it ended is written down; otherwise it was read off the object, or is open.
    noted: bool,
    undone_by: Option<Name>,
}

/// Prints them; what cannot be read is told.
pub(crate) async fn run(options: &cli::Changes, lang: Lang) -> Result<(), Failure> {
    let cluster = startup::cluster(&options.kubernetes).await?;
    let (mut journal, mut gaps) = journal(&*cluster).await?;
    let asked = |namespace: &str| {
        options.namespaces.is_empty() || options.namespaces.iter().any(|it| *it == *namespace)
    };
    let odd = journal
        .of_kind(Kind::Change)
        .filter(|entry| asked(&entry.key().namespace) && Record::read(entry).is_none());
    gaps.extend(odd.map(|entry| {
        Why::Said {
            detail: lang
                .hand_unreadable(&place(&entry.key().namespace, &entry.key().name))
                .into(),
        }
    }));
    let written = records(&journal);
    read_off(&*cluster, &SystemClock, &mut journal).await;
    let all = records(&journal);
    let mut entries: Vec<Entry> = written
        .iter()
        .zip(all.iter())
        .filter(|(written, _)| asked(&written.key.namespace))
        .map(|(written, record)| Entry {
            noted: written.phase == record.phase,
            undone_by: undone_by(&all, record),
            record: record.clone(),
        })
        .collect();
    entries.sort_by(|a, b| {
        let when = |it: &Entry| (it.record.approved_at, it.record.key.clone());
        when(b).cmp(&when(a))
    });
    files::print(&match options.output {
        Telling::Text if entries.is_empty() => format!("{}\n", lang.changes_empty_answer()),
        Telling::Text => entries.iter().map(|it| text(lang, it)).collect(),
        Telling::Json => {
            let all: Vec<Value> = entries.iter().map(json_of).collect();
            format!("{:#}\n", json!({ "changes": all }))
        }
    })?;
    if gaps.is_empty() {
        Ok(())
    } else {
        Err(Failure::Partial(gaps))
    }
}

/// All entries that may be read, and what is missing. A cluster without the definition has no journal.
pub(crate) async fn journal(cluster: &dyn Cluster) -> Result<(Objects, Vec<Why>), Failure> {
    let (objects, gaps) = inventory(cluster, &[Kind::Change])
        .await
        .map_err(Failure::Source)?;
    if objects.kinds.get(&Kind::Change) == Some(&KindState::Absent) {
        let kind = Kind::Change.name().into();
        return Err(Failure::Source(Why::KindAbsent { kind }));
    }
    Ok((objects, gaps))
}

/// As `naru undo` takes it.
pub(crate) fn place(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

/// What [`place`] writes, read: `form` is what the argument should have been.
pub(crate) fn placed(argument: &'static str, form: &str, text: &str) -> Result<(Name, Name), Failure> {
    let whole =
        |(namespace, name): &(&str, &str)| !namespace.is_empty() && !name.is_empty() && !name.contains('/');
    let parts = text.split_once('/').filter(whole);
    let (namespace, name) = parts.ok_or_else(|| Failure::BadArgument {
        argument,
        detail: format!("{text} ≠ {form}"),
    })?;
    Ok((namespace.into(), name.into()))
}

/// What is shown, and what tells two of that name apart.
fn who(actor: &Actor) -> String {
    if actor.name == actor.sub {
        format!("{} ({})", actor.sub, actor.issuer)
    } else {
        format!("{} ({}, {})", actor.name, actor.sub, actor.issuer)
    }
}

fn text(lang: Lang, entry: &Entry) -> String {
    let record = &entry.record;
    let (key, target) = (&record.key, &record.target);
    let mut lines = vec![
        format!("{} {}", record.approved_at, place(&key.namespace, &key.name)),
        format!(
            "  {} {}, {}",
            target.kind.name(),
            place(&target.namespace, &target.name),
            who(&record.actor)
        ),
        format!("  {}: {}", lang.changes_why(), record.reason),
    ];
    let touched = touched::of(record);
    lines.extend(touched.iter().map(|it| format!("  {}", line(lang, it))));
    lines.extend(
        record
            .undoes()
            .map(|it| format!("  {}", lang.changes_undoes(&it))),
    );
    lines.push(format!("  {}", ended(lang, entry)));
    let by = entry.undone_by.as_ref();
    lines.extend(by.map(|it| format!("  {}", lang.changes_undone_by(it))));
    lines.iter().map(|it| plain(it) + "\n").collect()
}

/// One line as it may be printed: whoever writes an entry may write what moves a terminal's cursor, or what looks like lines of ours.
pub(crate) fn plain(text: &str) -> String {
    let shown = |it: char| {
        if it.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            it
        }
    };
    text.chars().map(shown).collect()
}

/// How it ended, and whether that is written down.
fn ended(lang: Lang, entry: &Entry) -> String {
    let ended = match &entry.record.phase {
        Phase::Intended => return format!("{}: {}", lang.changes_intended(), lang.hand_open()),
        // When somebody who reads it off learns of it says nothing.
        Phase::Landed { at, .. } if entry.noted => format!("{} {at}", lang.changes_landed()),
        Phase::Landed { .. } => lang.changes_landed().into(),
        Phase::NotCarriedOut { why } => {
            format!("{}: {}", lang.changes_not_carried_out(), say::why(lang, why))
        }
        Phase::Stopped { why } => format!(
            "{}: {} {}",
            lang.changes_stopped(),
            say::why(lang, why),
            lang.changes_stopped_text()
        ),
    };
    if entry.noted {
        ended
    } else {
        format!("{ended}. {}", lang.hand_unwritten())
    }
}

fn json_of(entry: &Entry) -> Value {
    let record = &entry.record;
    let (at, why) = match &record.phase {
        Phase::Landed { at, .. } => (entry.noted.then_some(at), None),
        Phase::NotCarriedOut { why } | Phase::Stopped { why } => (None, Some(why)),
        Phase::Intended => (None, None),
    };
    json!({
        "namespace": record.key.namespace, "name": record.key.name, "approvedAt": record.approved_at, "by": record.actor,
        "target": record.target, "reason": record.reason, "touched": touched::of(record), "phase": record.phase.name(),
        "at": at, "why": why, "noted": entry.noted, "undoes": record.undoes(), "undoneBy": entry.undone_by,
    })
}
