//! PromQL that a person has written: parsed and bounded before anybody is asked.
//!
//! What is read is a part of the language (<https://prometheus.io/docs/prometheus/latest/querying/basics/>): numbers and selectors, operators
//! with their matching, the functions and aggregations of [`words`]. What is not read is refused, so that whatever passes has a metric's name
//! in each selector, looks back no further than [`LONGEST_S`], and costs what [`SELECTORS`] queries over such a time cost at most.
//!
//! It is a reader of our own: `promql-parser` brings chrono, which `deny.toml` bans, and an unmaintained bincode; `promql` has neither a bound
//! of nesting nor the places of selectors, which are needed to ask one of two replicas.

mod parse;
#[cfg(test)]
mod tests;
mod token;
mod words;

use crate::Name;
use parse::Parser;

/// The longest expression, in characters.
pub const LONGEST: usize = 1_000;

/// So many selectors at most.
pub const SELECTORS: usize = 8;

/// Parentheses, calls and signs are nested so deep at most.
pub const DEPTH: usize = 16;

/// The longest range of a selector, and the longest `offset`, in seconds: a day.
pub const LONGEST_S: u64 = 86_400;

/// An expression that has been read: it gives numbers at each moment that it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expression {
    text: Name,
    selectors: Vec<Hole>,
}

/// Where another matcher goes into a selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Hole {
    /// In bytes from the beginning.
    at: usize,
    braces: Braces,
}

/// What a selector has of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Braces {
    None,
    Empty,
    Filled,
}

/// Why an expression is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Odd {
    /// It is longer than [`LONGEST`], or nested deeper than [`DEPTH`].
    TooLarge,
    /// It is not read on from here.
    Unreadable {
        /// In characters from the beginning, the first being 1.
        at: usize,
    },
    /// A selector names no metric, or there is no selector at all.
    NoMetric,
    /// It gives samples over a time, or a text, and no number.
    NotANumber,
    /// It has a subquery.
    Subquery,
    /// A range is longer than [`LONGEST_S`].
    RangeTooLong,
    /// It has `@`, or an `offset` into the future or longer than [`LONGEST_S`].
    TimeShifted,
    /// It has more than [`SELECTORS`] selectors.
    TooManySelectors,
    /// It calls something that is not among [`words`].
    Function {
        /// What it is called.
        name: Name,
    },
    /// What does not compare is left out of the answer (a comparison without `bool`, `and`, `unless`), and would not be seen.
    Filters,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn read(text: &str) -> Result<Self, Odd> {
        let text = text.trim();
        if text.chars().count() > LONGEST {
            return Err(Odd::TooLarge);
        }
        let selectors = Parser::of(text)?.whole()?;
        Ok(Self {
            text: text.into(),
            selectors,
        })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// With one more matcher, such as `replica="a"`, in each of its selectors.
    #[must_use]
    pub fn with(&self, matcher: &str) -> String {
        let mut out = String::with_capacity(self.text.len() + self.selectors.len() * (matcher.len() + 2));
        let mut from = 0;
        for hole in &self.selectors {
            out.push_str(&self.text[from..hole.at]);
            from = hole.at;
            match hole.braces {
                Braces::None => out.extend(["{", matcher, "}"]),
                Braces::Empty => out.push_str(matcher),
                Braces::Filled => out.extend([matcher, ","]),
            }
        }
        out.push_str(&self.text[from..]);
        out
    }
}
