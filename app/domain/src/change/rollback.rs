//! Taking back a change and all that came after it on the same object.

use super::{
    plan::{Intent, Plan, patched, plan},
    record::{Phase, Record},
    touched::{Apart, apart},
};
use crate::{
    Refused,
    object::{Key, Kind},
    snapshot::Snapshot,
};
use std::sync::Arc;

/// Which changes must be taken back, the newest first, so that the object is as it was before `first`.
///
/// Of the changes that landed on the object since, one and its own undo cancel each other. The undo of one that was not since then is a
/// change like any other: taking it back brings the older change's state again, which is what stood before `first`.
///
/// # Errors
/// `NotFound` if there is no such change, `NotUndoable` if it has not landed, `NothingToDo` if all was taken back already.
pub fn order<'a>(journal: &'a [Record], first: &Key) -> Result<Vec<&'a Record>, Refused> {
    let from = journal.iter().find(|record| record.key == *first);
    let from = from.ok_or_else(|| Refused::NotFound {
        kind: first.kind.name().into(),
        namespace: first.namespace.clone(),
        name: first.name.clone(),
    })?;
    let landed = |record: &&Record| matches!(record.phase, Phase::Landed { .. });
    if !landed(&from) {
        return Err(Refused::NotUndoable);
    }
    let same = |it: &&Record| it.target == from.target && it.uid == from.uid;
    let mut all: Vec<&Record> = journal.iter().filter(same).filter(landed).collect();
    in_order(&mut all);
    let mut stack: Vec<&Record> = Vec::new();
    for record in all.into_iter().skip_while(|record| record.key != *first) {
        let undone = undone(record).and_then(|key| stack.iter().rposition(|it| it.key == key));
        match undone {
            Some(cancelled) => drop(stack.remove(cancelled)),
            None => stack.push(record),
        }
    }
    if stack.is_empty() {
        return Err(Refused::NothingToDo);
    }
    stack.reverse();
    Ok(stack)
}

fn undone(record: &Record) -> Option<Key> {
    match &record.intent {
        Intent::Undo { namespace, change } => Some(Key::new(Kind::Change, namespace.clone(), change.clone())),
        Intent::SetWeights(_) | Intent::Mend(_) => None,
    }
}

/// The oldest first. Each write to an object demands the resourceVersion that the one before has left or a later one, so these tell the
/// order even where the clocks of those who wrote the entries differ. They are numbers in every cluster that keeps them as Kubernetes does;
/// elsewhere the entries' own times decide.
fn in_order(all: &mut [&Record]) {
    let number = |record: &Record| record.rv.parse::<u64>().ok();
    let counted = all.iter().all(|record| number(record).is_some());
    all.sort_by_cached_key(|record| {
        (
            number(record).filter(|_| counted),
            record.approved_at,
            record.key.name.clone(),
        )
    });
}

/// What a rollback would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Steps {
    /// The plan of each step, made on the object as the steps before leave it. All are guarded by the resourceVersion of the object as it is
    /// now, so that none but the first can be carried out as it stands here.
    pub plans: Vec<Plan>,
    /// Why the next step cannot be planned, if not all can.
    pub refused: Option<Refused>,
    /// Where that is for somebody else's edit: the touched paths as the change left them and as they would stand.
    pub apart: Vec<Apart>,
}

/// Plans a rollback in this order, up to the first step that is refused.
pub fn plan_all(order: &[Key], snapshot: &Snapshot) -> Steps {
    let mut imagined = snapshot.clone();
    let mut steps = Steps {
        plans: Vec::new(),
        refused: None,
        apart: Vec::new(),
    };
    for key in order {
        match step(key, &mut imagined) {
            Ok(plan) => steps.plans.push(plan),
            Err(refused) => {
                if let Refused::ForeignEdit { .. } = refused {
                    steps.apart = apart(key, &imagined.objects.value);
                }
                steps.refused = Some(refused);
                break;
            }
        }
    }
    steps
}

/// Plans one step, and leaves the object as it would be after it.
fn step(key: &Key, imagined: &mut Snapshot) -> Result<Plan, Refused> {
    let intent = Intent::Undo {
        namespace: key.namespace.clone(),
        change: key.name.clone(),
    };
    let plan = plan(&intent, imagined)?;
    let mut objects = (*imagined.objects.value).clone();
    if let Some(live) = objects.whole.get(&plan.target) {
        let after = patched(live, &plan.ops)?;
        objects.whole.insert(plan.target.clone(), after);
    }
    imagined.objects.value = Arc::new(objects);
    Ok(plan)
}

#[cfg(test)]
mod tests;
