//! What is told of taking changes back: sentences as it goes, or one JSON document at the end.

use crate::{
    changes::{place, plain},
    cli::{TakingBack, Telling},
    failure::Failure,
    files,
};
use naru_app::{Lang, say};
use naru_domain::{Name, change::touched::Apart, object::Key};
use naru_engine::Done;
use naru_view::{
    canary::{DiffLine, DryRun, PlanSheet},
    why::ApplyError,
};
use serde_json::{Value, json};
use std::fmt::Write;

/// Tells.
pub(super) struct Told<'a> {
    lang: Lang,
    output: Telling,
    dry_run: bool,
    user: &'a str,
    steps: Vec<Step>,
}

/// One change, as far as it came.
struct Step {
    change: Key,
    plan: Option<PlanSheet>,
    done: Option<Done>,
    refused: Option<(ApplyError, Vec<Apart>)>,
}

impl<'a> Told<'a> {
    pub(super) fn new(lang: Lang, options: &TakingBack, user: &'a str) -> Self {
        Self {
            lang,
            output: options.output,
            dry_run: options.dry_run,
            user,
            steps: Vec::new(),
        }
    }

    /// What a rollback takes back.
    pub(super) fn order(&self, order: &[Key]) -> Result<(), Failure> {
        self.say(&self.lang.hand_order(&names(order)))
    }

    /// A change's turn, unless it is its turn already.
    pub(super) fn step(&mut self, change: &Key) {
        if self.steps.last().is_none_or(|it| it.change != *change) {
            self.steps.push(Step {
                change: change.clone(),
                plan: None,
                done: None,
                refused: None,
            });
        }
    }

    /// What taking it back would do.
    pub(super) fn plan(&mut self, change: &Key, plan: &PlanSheet) -> Result<(), Failure> {
        self.step(change);
        let (lang, (kind, namespace, name)) = (self.lang, &plan.target);
        let change = place(&change.namespace, &change.name);
        let mut text = lang.plan_undo_title(&change) + "\n";
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {}", lang.plan_target(kind, name, namespace));
        for it in &plan.diff {
            let _ = writeln!(text, "  {}", line(lang, it));
        }
        let _ = write!(
            text,
            "  {}: {}",
            lang.plan_dry_run(),
            dry_run(lang, &plan.dry_run)
        );
        self.say(&text)?;
        if let Some(step) = self.steps.last_mut() {
            step.plan = Some(plan.clone());
        }
        Ok(())
    }

    /// It is taken back.
    pub(super) fn done(&mut self, done: &Done) -> Result<(), Failure> {
        let applied = &done.applied;
        let name = place(&applied.namespace, &applied.change);
        self.say(&self.lang.hand_done(&name, &self.user))?;
        if !done.noted {
            self.say(self.lang.hand_not_noted())?;
        }
        if let Some(step) = self.steps.last_mut() {
            step.done = Some(done.clone());
        }
        Ok(())
    }

    /// It is not. The sentences for that go to standard error.
    pub(super) fn refused(&mut self, error: &ApplyError, apart: &[Apart]) {
        if let Some(step) = self.steps.last_mut() {
            step.refused = Some((error.clone(), apart.to_vec()));
        }
    }

    /// What was not done, and the document.
    pub(super) fn end(&self, order: &[Key]) -> Result<(), Failure> {
        let left: Vec<Key> = order.iter().filter(|key| !self.came(key)).cloned().collect();
        if self.dry_run {
            self.say(self.lang.hand_nothing_written())?;
        } else if !left.is_empty() && order.len() > 1 {
            self.say(&self.lang.hand_left(&names(&left)))?;
        }
        if self.output == Telling::Text {
            return Ok(());
        }
        let left: Vec<String> = left.iter().map(|key| place(&key.namespace, &key.name)).collect();
        let steps: Vec<Value> = self.steps.iter().map(Step::json).collect();
        let whole = json!({"by": self.user, "dryRun": self.dry_run, "steps": steps, "left": left});
        files::print(&format!("{whole:#}\n"))
    }

    /// It is taken back, or may be.
    fn came(&self, key: &Key) -> bool {
        self.steps.iter().any(|step| {
            let unsure = matches!(step.refused, Some((ApplyError::Unsure { .. }, _)));
            step.change == *key && (step.done.is_some() || unsure)
        })
    }

    fn say(&self, text: &str) -> Result<(), Failure> {
        match self.output {
            Telling::Text => files::print(&format!("{text}\n")),
            Telling::Json => Ok(()),
        }
    }
}

impl Step {
    fn json(&self) -> Value {
        let plan = self.plan.as_ref().map(
            |it| json!({"target": it.target, "diff": it.diff, "dryRun": it.dry_run, "kubectl": it.kubectl}),
        );
        let done = self.done.as_ref().map(
            |it| json!({"namespace": it.applied.namespace, "name": it.applied.change, "at": it.applied.at, "noted": it.noted}),
        );
        let apart = |it: &Apart| json!({"path": it.path, "left": it.left, "now": it.now});
        let refused = self.refused.as_ref().map(|(error, all)| {
            let all: Vec<Value> = all.iter().map(apart).collect();
            json!({"error": error, "apart": all})
        });
        json!({"change": place(&self.change.namespace, &self.change.name), "plan": plan, "landed": done, "refused": refused})
    }
}

fn names(keys: &[Key]) -> String {
    let names: Vec<String> = keys.iter().map(|key| place(&key.namespace, &key.name)).collect();
    names.join(", ")
}

/// A touched path, with its value before and after.
pub(crate) fn line(lang: Lang, line: &DiffLine) -> String {
    let value = |it: &Option<Name>| it.as_deref().unwrap_or(lang.plan_absent()).to_owned();
    let (before, after) = (value(&line.before), value(&line.after));
    let label = if line.label.is_empty() {
        String::new()
    } else {
        format!("{} ", line.label)
    };
    plain(&format!("{label}{}: {before} → {after}", line.path))
}

/// What the API server says to a plan.
pub(crate) fn dry_run(lang: Lang, dry_run: &DryRun) -> String {
    match dry_run {
        DryRun::Accepted => lang.plan_dry_accepted().into(),
        DryRun::Differs { paths } => format!("{}: {}", lang.plan_dry_differs(), paths.join(", ")),
        DryRun::Refused { detail } => format!("{}: {detail}", lang.plan_dry_refused()),
        DryRun::Unknown { why } => format!("{}: {}", lang.plan_dry_unknown(), say::why(lang, why)),
    }
}
