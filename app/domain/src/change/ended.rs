//! How changes ended whose end nobody has written down yet, as far as an object shows it.
//!
//! Between a change's write and its journal entry's status a server may die, and whoever takes a change back by hand may lack the right to
//! write the status at all. What recovery would write down without touching anything is known to whoever looks; the rest stays open.

use super::{
    record::{Phase, Record, records},
    recovery::{GRACE, Next, step},
};
use crate::{
    Timestamp,
    object::{Kind, Object, Write},
    snapshot::Objects,
};

/// Gives each open entry about `live` the end that the object and the rest of the journal prove. In `objects` alone: nothing is written.
pub fn settle(objects: &mut Objects, live: &Object, now: Timestamp) {
    let mut journal = records(objects);
    // How a later change ended tells about earlier ones.
    journal.sort_by_key(|record| std::cmp::Reverse(record.approved_at));
    for i in 0..journal.len() {
        let record = &journal[i];
        if record.phase != Phase::Intended || record.target != *live.key() {
            continue;
        }
        let Next::Settle(phase @ (Phase::Landed { .. } | Phase::NotCarriedOut { .. })) =
            step(record, &journal, Some(live), now, GRACE)
        else {
            continue;
        };
        if let Some(entry) = ending(objects, record, &phase) {
            objects.whole.insert(record.key.clone(), entry);
            journal[i].phase = phase;
        }
    }
}

/// The entry as it would be with this end.
fn ending(objects: &Objects, record: &Record, phase: &Phase) -> Option<Object> {
    let Write::PatchStatus { ops, .. } = record.settle(phase) else {
        return None;
    };
    let mut json = objects.whole.get(&record.key)?.json().clone();
    json_patch::patch(&mut json, &ops).ok()?;
    Object::new(Kind::Change, json).ok()
}
