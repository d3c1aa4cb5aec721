//! What is told of a change of weights: sentences as it goes, or one JSON document at the end.

use crate::{
    changes::place,
    cli::{Form, Weight},
    failure::Failure,
    files,
    undo::told::{dry_run, line},
};
use naru_app::{Lang, format, say};
use naru_domain::{Name, canary::InForce};
use naru_engine::Done;
use naru_view::canary::{Destination, Observed, PlanSheet, Prediction, RouteRef, Share};
use serde_json::{Value, json};

/// Tells.
pub(super) struct Told<'a> {
    lang: Lang,
    options: &'a Weight,
    user: &'a str,
    route: RouteRef,
    /// The document's parts, as they come.
    plan: Value,
    proposed: Value,
    landed: Value,
    in_force: Value,
    observed: Value,
}

impl<'a> Told<'a> {
    pub(super) fn new(lang: Lang, options: &'a Weight, user: &'a str, route: RouteRef) -> Self {
        Self {
            lang,
            options,
            user,
            route,
            plan: Value::Null,
            proposed: Value::Null,
            landed: Value::Null,
            in_force: Value::Null,
            observed: Value::Null,
        }
    }

    /// What would be done, and what is against it.
    pub(super) fn plan(&mut self, plan: &PlanSheet) -> Result<(), Failure> {
        let (lang, (kind, namespace, name)) = (self.lang, &plan.target);
        let mut lines = vec![lang.plan_target(kind, name, namespace)];
        lines.extend(plan.diff.iter().map(|it| line(lang, it)));
        lines.push(match &self.options.prometheus.url {
            Some(_) => prediction(lang, &plan.prediction),
            None => lang.weight_no_prometheus().into(),
        });
        lines.extend(plan.quorum.iter().map(|it| match &it.proposed {
            Some(first) => say::proposed(lang, first),
            None => format!("! {}", lang.quorum_wanted(&it.above)),
        }));
        lines.extend(plan.risks.iter().map(|it| format!("! {}", say::risk(lang, it))));
        lines.push(format!(
            "{}: {}",
            lang.plan_dry_run(),
            dry_run(lang, &plan.dry_run)
        ));
        self.plan = json!({"target": plan.target, "digest": plan.digest, "diff": plan.diff,
            "prediction": plan.prediction, "risks": plan.risks, "quorum": plan.quorum, "dryRun": plan.dry_run, "kubectl": plan.kubectl});
        self.say(&lines.join("\n  "))
    }

    /// The API server has accepted it.
    pub(super) fn done(&mut self, done: &Done) -> Result<(), Failure> {
        let applied = &done.applied;
        let name = place(&applied.namespace, &applied.change);
        self.landed = json!({"namespace": applied.namespace, "name": applied.change, "at": applied.at, "noted": done.noted});
        self.say(&self.lang.weight_accepted(&name, &self.user))?;
        if done.noted {
            Ok(())
        } else {
            self.say(self.lang.hand_not_noted())
        }
    }

    /// It waits for a second person.
    pub(super) fn proposed(&mut self, name: &Name) -> Result<(), Failure> {
        let name = place(&self.route.namespace, name);
        self.proposed = json!({"namespace": self.route.namespace, "name": name});
        let lang = self.lang;
        self.say(&format!(
            "{}: {}",
            lang.quorum_done_name(&name),
            lang.quorum_done_text()
        ))
    }

    /// How far proxies have come, when it is the last that is told of it.
    pub(super) fn in_force(&mut self, seen: &InForce, after_ms: i64) -> Result<(), Failure> {
        self.in_force = json!({"whole": seen.whole(), "proxies": seen.proxies, "acknowledged": seen.acknowledged,
            "waiting": seen.waiting, "refused": seen.refused, "unknown": seen.unknown, "afterMs": after_ms});
        if seen.whole() {
            let after = format::duration(ms(after_ms));
            self.say(&self.lang.weight_in_force(&after, seen.proxies as u64))
        } else {
            Ok(())
        }
    }

    /// What was counted since.
    pub(super) fn observed(&mut self, observed: &Observed, of: &[Destination]) -> Result<(), Failure> {
        self.observed = json!(observed);
        let Observed::Known {
            n,
            shares,
            from,
            others,
            ..
        } = observed
        else {
            return Ok(());
        };
        let lang = self.lang;
        let share = |(to, it): (&Destination, &Share)| {
            let interval = lang.canary_observed_value(
                &format::points(it.high),
                &format::points(it.low),
                &format::points(it.percent),
            );
            format!("  {} {interval}", say::destination(&to.host, &to.subset))
        };
        let mut lines = vec![lang.canary_observed_n(&format::count(*n), &format::clock(*from))];
        lines.extend(of.iter().zip(shares).map(share));
        if *others > 0 {
            lines.push(lang.canary_others(&format::count(*others)));
        }
        self.say(&lines.join("\n"))
    }

    /// That nothing was written, and the document.
    pub(super) fn end(&self) -> Result<(), Failure> {
        match self.options.output {
            Form::Json => {
                let whole = json!({"by": self.user, "route": self.route, "dryRun": self.options.dry_run, "plan": self.plan,
                    "proposed": self.proposed, "landed": self.landed, "inForce": self.in_force, "observed": self.observed});
                files::print(&format!("{whole:#}\n"))
            }
            _ if self.options.dry_run => self.say(self.lang.hand_nothing_written()),
            _ => Ok(()),
        }
    }

    fn say(&self, text: &str) -> Result<(), Failure> {
        match self.options.output {
            Form::Json => Ok(()),
            _ => files::print(&format!("{text}\n")),
        }
    }
}

fn prediction(lang: Lang, it: &Prediction) -> String {
    match (it.moved, it.rate) {
        (Some(moved), Some(rate)) => lang.plan_moved(&format::number(moved), &format::number(rate)),
        _ => {
            let known = lang.plan_moved_unknown();
            format!("{known} {}", say::whys(lang, &it.whys))
                .trim_end()
                .to_owned()
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a wait is short of 2^53 ms")]
fn ms(after: i64) -> f64 {
    after as f64
}
