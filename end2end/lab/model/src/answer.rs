//! Answers, and whether two of them agree.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What becomes of a request: a workload (`case-b/echo-v1`), a status (`404`), `refused` or `closed`, each with its part in percent.
pub type Gets = BTreeMap<String, f64>;

/// What the model or the mesh says. Both say more than a case promises: what both say must be the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// What becomes of requests.
    pub gets: Gets,
    /// How many requests that is made from; 0 for the model, which counts none.
    pub of: u32,
    /// All else, by name.
    pub facts: Map<String, Value>,
}

impl Answer {
    /// Facts alone.
    pub fn fact(name: &str, value: impl Into<Value>) -> Self {
        Self::default().with(name, value)
    }

    /// With one more fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.into(), value.into());
        self
    }

    /// Where this answer breaks the promise.
    pub fn breaks(&self, promise: &Map<String, Value>) -> Vec<String> {
        let mut broken = Vec::new();
        for (name, promised) in promise {
            let kept = match name.as_str() {
                "gets" => self.keeps(promised),
                name => self.facts.get(name) == Some(promised),
            };
            if !kept {
                broken.push(name.clone());
            }
        }
        broken
    }

    fn keeps(&self, promised: &Value) -> bool {
        match promised {
            Value::Array(several) => several.iter().map(word).eq(self.parts().keys().cloned()),
            Value::Object(shares) => {
                let shares = shares
                    .iter()
                    .map(|(name, share)| (name.clone(), share.as_f64().unwrap_or(0.0)));
                self.like(&shares.collect())
            }
            one => self.parts().keys().eq([&word(one)]),
        }
    }

    fn parts(&self) -> Gets {
        let some = self.gets.iter().filter(|(_, part)| **part > 0.0);
        some.map(|(name, part)| (name.clone(), *part)).collect()
    }

    /// Exactly for the model; for requests that were counted, within four standard deviations.
    fn like(&self, shares: &Gets) -> bool {
        let names = self.parts().keys().eq(shares.keys());
        names
            && shares.iter().all(|(name, share)| {
                let part = share / 100.0;
                let off = match self.of {
                    0 => 0.1,
                    n => 400.0 * (part * (1.0 - part) / f64::from(n)).sqrt() + 0.1,
                };
                (self.gets.get(name).copied().unwrap_or(0.0) - share).abs() <= off
            })
    }

    /// Where two answers differ in what both of them say: for what requests get, in who gets any.
    pub fn differs(&self, other: &Self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        if !self.gets.is_empty() && !other.gets.is_empty() && !self.parts().keys().eq(other.parts().keys()) {
            names.push("gets".into());
        }
        let facts = self
            .facts
            .iter()
            .filter(|(name, value)| other.facts.get(*name).is_some_and(|it| it != *value));
        names.extend(facts.map(|(name, _)| name.clone()));
        names
    }

    /// In one line.
    pub fn line(&self) -> String {
        let mut all = Map::new();
        if !self.gets.is_empty() {
            all.insert("gets".into(), json!(self.gets));
        }
        all.extend(self.facts.clone());
        Value::Object(all).to_string()
    }
}

/// A status may be written as a number.
fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::Answer;
    use serde_json::{Value, json};

    fn answer(gets: &[(&str, f64)], of: u32) -> Answer {
        Answer {
            gets: gets.iter().map(|(name, part)| ((*name).into(), *part)).collect(),
            of,
            ..Answer::default()
        }
    }

    fn broken(answer: &Answer, promise: &Value) -> usize {
        answer.breaks(promise.as_object().unwrap()).len()
    }

    #[test]
    fn one_several_or_shares_are_promised() {
        let split = answer(&[("a", 75.0), ("b", 25.0), ("c", 0.0)], 0);
        assert_eq!(broken(&split, &json!({"gets": ["a", "b"]})), 0);
        assert_eq!(broken(&split, &json!({"gets": {"a": 75, "b": 25}})), 0);
        assert_eq!(broken(&split, &json!({"gets": {"a": 70, "b": 30}})), 1);
        assert_eq!(broken(&split, &json!({"gets": "a"})), 1);
        assert_eq!(broken(&answer(&[("404", 100.0)], 1), &json!({"gets": 404})), 0);
    }

    #[test]
    fn counted_shares_may_be_off_by_chance_alone() {
        let promise = json!({"gets": {"a": 75, "b": 25}});
        assert_eq!(broken(&answer(&[("a", 80.0), ("b", 20.0)], 300), &promise), 0);
        assert_eq!(broken(&answer(&[("a", 88.0), ("b", 12.0)], 300), &promise), 1);
        assert_eq!(broken(&answer(&[("a", 100.0)], 300), &promise), 1);
    }

    #[test]
    fn a_fact_that_is_not_said_breaks_a_promise_and_is_no_difference() {
        let told = Answer::fact("mode", "strict");
        assert_eq!(broken(&Answer::default(), &json!({"mode": "strict"})), 1);
        assert_eq!(broken(&told, &json!({"mode": "strict"})), 0);
        assert_eq!(told.differs(&Answer::default()).len(), 0);
        assert_eq!(told.differs(&Answer::fact("mode", "disable")), ["mode"]);
        assert_eq!(
            answer(&[("a", 100.0)], 0).differs(&answer(&[("b", 100.0)], 1)),
            ["gets"]
        );
    }
}
