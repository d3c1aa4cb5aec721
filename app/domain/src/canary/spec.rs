//! What a person orders: the `spec` of a Canary object (`naru.dev/v1alpha1`), in the namespace of the VirtualService that it moves.

use crate::{Name, crossing::migration::Unreadable, object::Object};
use jiff::{SignedDuration, fmt::serde::duration::friendly::compact};
use serde::{Deserialize, Serialize};

/// The most steps that a canary takes.
pub const STEPS: usize = naru_view::order::STEPS as usize;

/// The longest that one step, the warm-up or blindness may last: a day.
pub const LONGEST: SignedDuration = SignedDuration::from_secs(naru_view::order::LONGEST_S as i64);

/// `spec` of a Canary. Durations are written such as `10m` or `1h 30m`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// The rule whose weights are moved. It must name no other destination with a weight than the two below.
    pub route: Route,
    /// The version that serves now.
    pub stable: Target,
    /// The version that is tried.
    pub canary: Target,
    /// What it goes through, 1 to [`STEPS`], weights strictly rising.
    pub steps: Vec<Step>,
    /// What must not get worse.
    #[serde(default)]
    pub guardrail: Guardrail,
    /// For so long after the canary's first request, and after the start of each of its pods, it does not advance and its latency does not
    /// count: a cold JVM looks worse than it is. 3 minutes if left out.
    #[serde(default = "warm_up", serialize_with = "compact::required")]
    pub warm_up: SignedDuration,
    /// After so long without sight, [`when_blind`](Self::when_blind) is done and an alarm is given. 10 minutes if left out.
    #[serde(default = "max_blind", serialize_with = "compact::required")]
    pub max_blind: SignedDuration,
    /// What is done when the canary is found worse; rolled back if left out.
    #[serde(default)]
    pub on_failure: Answer,
    /// What is done after [`max_blind`](Self::max_blind); held if left out, since nothing was seen that speaks against the canary either.
    #[serde(default = "hold")]
    pub when_blind: Answer,
    /// For so long after it was promoted the old version is still needed to take it back, and the canary is not finished. A day if left
    /// out.
    #[serde(default = "keep_old", serialize_with = "compact::required")]
    pub keep_old: SignedDuration,
    /// What a person wants of it now; to run if left out.
    #[serde(default)]
    pub course: Course,
    /// Who let it begin.
    pub approved_by: Person,
}

/// One rule of a VirtualService in the Canary's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Route {
    /// The VirtualService's name.
    pub name: Name,
    /// Position in `spec.http`.
    pub rule: u32,
}

/// A destination, as written in the rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Target {
    /// The host.
    pub host: Name,
    /// The subset; empty for none.
    #[serde(default)]
    pub subset: Name,
}

/// One weight, and what it takes to leave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Step {
    /// Points of 100 that the canary gets.
    pub weight: u32,
    /// It stays at least so long.
    #[serde(serialize_with = "compact::required")]
    pub dwell: SignedDuration,
    /// It stays until the canary has answered so many requests at this weight.
    pub requests: u64,
}

/// What must not get worse, and by how much it may. Shares are 0 to 1; differences are the canary's minus the stable version's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Guardrail {
    /// Allowed difference of the share of failed requests; 0.01 if left out.
    pub errors: f64,
    /// Requests above an objective; not looked at if left out.
    pub latency: Option<Latency>,
    /// Allowed difference of attempts per request; 0.1 if left out.
    pub amplification: f64,
    /// Whether answers 400 to 499 count, with the same allowed difference as failed requests; true if left out. Both versions are asked the
    /// same, so that a 401 which both give says nothing, and one that only the canary gives does.
    pub client_errors: bool,
}

/// An objective of latency: not a quantile, which moves by a whole bucket or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// Slower than this is slow, in milliseconds: a bucket's boundary.
    pub above_ms: f64,
    /// Allowed difference of the share of slow requests.
    pub difference: f64,
}

/// What is done about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// The weights stay as they are, and people are told.
    Hold,
    /// All requests go to the stable version again.
    #[default]
    RollBack,
}

/// What a person wants of a canary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Course {
    /// It goes through its steps.
    #[default]
    Run,
    /// It does not advance. What is found worse is rolled back all the same.
    Pause,
    /// It gets all requests now, whatever the steps say.
    Promote,
    /// It gets no requests any more. Also takes back what was promoted, until it is finished.
    Abort,
}

/// A person: issuer and subject are who it is, the name is for display.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Person {
    /// The identity provider's issuer.
    pub issuer: Name,
    /// The provider's stable subject.
    pub subject: Name,
    /// Shown to people.
    pub name: Name,
}

impl Default for Guardrail {
    fn default() -> Self {
        Self {
            errors: 0.01,
            latency: None,
            amplification: 0.1,
            client_errors: true,
        }
    }
}

fn warm_up() -> SignedDuration {
    SignedDuration::from_mins(3)
}

fn max_blind() -> SignedDuration {
    SignedDuration::from_mins(10)
}

fn keep_old() -> SignedDuration {
    SignedDuration::from_hours(24)
}

fn hold() -> Answer {
    Answer::Hold
}

/// How the reason of a Canary object's moves begins.
pub(crate) const REASON: &str = "Canary/";

impl Spec {
    /// Why its moves are made, as the journal has it: the kind, the name, and the person who let it. The moves of one object have the same.
    pub fn reason(&self, name: &str) -> String {
        format!("{REASON}{name} ({})", self.approved_by.name)
    }

    /// Reads `spec` of a Canary object.
    ///
    /// # Errors
    /// A field is of another type, or says what cannot be meant; the detail names the field.
    pub fn read(object: &Object) -> Result<Self, Unreadable> {
        let unreadable = |detail: String| Unreadable {
            name: object.key().name.clone(),
            detail: detail.into(),
        };
        let json = object.get("/spec").cloned().unwrap_or_default();
        let spec: Self = serde_json::from_value(json).map_err(|error| unreadable(error.to_string()))?;
        spec.check().map_err(unreadable)?;
        Ok(spec)
    }

    /// What no type says.
    fn check(&self) -> Result<(), String> {
        let said = |wrong: bool, what: &str| if wrong { Err(what.to_owned()) } else { Ok(()) };
        let steps = &self.steps;
        said(self.stable == self.canary, "canary: the same as stable")?;
        said(
            steps.is_empty() || steps.len() > STEPS,
            "steps: there must be 1 to 20",
        )?;
        for (at, step) in steps.iter().enumerate() {
            let field = format!("steps[{at}]");
            said(
                step.weight > 100,
                &format!("{field}.weight: must be 0 to 100, is {}", step.weight),
            )?;
            bounded(&format!("{field}.dwell"), step.dwell)?;
        }
        let falls = steps.windows(2).position(|two| two[0].weight >= two[1].weight);
        if let Some(at) = falls {
            return Err(format!("steps[{}].weight: must be above the step before", at + 1));
        }
        bounded("warmUp", self.warm_up)?;
        bounded("maxBlind", self.max_blind)?;
        said(self.keep_old.is_negative(), "keepOld: must not be negative")?;
        let guardrail = &self.guardrail;
        share("guardrail.errors", guardrail.errors)?;
        share("guardrail.amplification", guardrail.amplification)?;
        let Some(latency) = guardrail.latency else {
            return Ok(());
        };
        share("guardrail.latency.difference", latency.difference)?;
        said(
            !latency.above_ms.is_finite() || latency.above_ms <= 0.0,
            "guardrail.latency.aboveMs: must be above 0",
        )
    }
}

fn bounded(field: &str, duration: SignedDuration) -> Result<(), String> {
    if duration.is_negative() || duration > LONGEST {
        return Err(format!("{field}: must be 0s to 24h, is {duration:#}"));
    }
    Ok(())
}

/// A difference of nothing would find any canary worse in the end.
fn share(field: &str, value: f64) -> Result<(), String> {
    if value > 0.0 && value <= 1.0 {
        Ok(())
    } else {
        Err(format!("{field}: must be above 0 and at most 1, is {value}"))
    }
}

#[cfg(test)]
mod tests;
