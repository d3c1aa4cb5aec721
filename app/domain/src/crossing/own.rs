//! Items of a team's own: a threshold that something which Prometheus has counted must hold.

use super::{Item, Migration, item::OwnItem};
use crate::{
    Name,
    inquiry::{Threshold, Worst},
    mesh::subset::duration::millis,
    promql::{Expression, Odd},
    snapshot::Objects,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// So many of a crossing at most; what comes after them is not judged.
pub const MOST: usize = 32;

/// The longest title, in characters.
pub const LONGEST_TITLE: usize = 200;

/// The longest unit, in characters.
pub const LONGEST_UNIT: usize = 32;

/// The shortest and the longest time that a threshold is looked at, in seconds: a minute and a day. Prometheus is asked at most 721 times
/// over it, so that a longer one would have gaps that nobody looks into.
pub const WINDOW_S: std::ops::RangeInclusive<u32> = 60..=86_400;

/// An item of a team's own, as the Migration has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OwnSpec {
    /// The phase that it belongs to, 1 to 4.
    pub phase: u8,
    /// What it is called beside the phase: a DNS label of at most 40 characters that begins with a letter.
    pub name: Name,
    /// What it is, in the team's words.
    pub title: Name,
    /// What is asked: PromQL that gives a number of each series.
    pub query: Name,
    /// No series may be less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// No series may be more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// Each series is less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    /// Each series is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// For how long it must have held; a duration such as `30m`, from a minute to a day.
    #[serde(rename = "for")]
    pub held_for: Name,
    /// The number's unit, for people.
    #[serde(default)]
    pub unit: Name,
}

/// What must hold of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// It is no less.
    AtLeast(f64),
    /// It is no more.
    AtMost(f64),
    /// It is less.
    Below(f64),
    /// It is more.
    Above(f64),
}

impl Bound {
    /// A number holds it. What is no number holds nothing.
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::Below(bound) => value < bound,
            Self::Above(bound) => value > bound,
        }
    }

    /// Which of several numbers is the first not to hold it.
    pub fn worst(self) -> Worst {
        match self {
            Self::AtLeast(_) | Self::Above(_) => Worst::Lowest,
            Self::AtMost(_) | Self::Below(_) => Worst::Highest,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(f, "≥ {bound}"),
            Self::AtMost(bound) => write!(f, "≤ {bound}"),
            Self::Below(bound) => write!(f, "< {bound}"),
            Self::Above(bound) => write!(f, "> {bound}"),
        }
    }
}

impl OwnSpec {
    /// The item; None if its phase or name is none.
    pub fn item(&self) -> Option<OwnItem> {
        OwnItem::new(self.phase, &self.name)
    }

    /// The one comparison; None if there is none, or several, or one with what is no finite number.
    pub fn bound(&self) -> Option<Bound> {
        let all = [
            self.at_least.map(Bound::AtLeast),
            self.at_most.map(Bound::AtMost),
            self.below.map(Bound::Below),
            self.above.map(Bound::Above),
        ];
        let said = [self.at_least, self.at_most, self.below, self.above];
        let mut all = all.into_iter().flatten();
        let one = all.next().filter(|_| all.next().is_none());
        one.filter(|_| said.into_iter().flatten().all(f64::is_finite))
    }

    /// For how many seconds it must have held; None for what is no duration within [`WINDOW_S`].
    pub fn window_s(&self) -> Option<u32> {
        let seconds = u32::try_from(millis(&self.held_for)? / 1_000).ok()?;
        WINDOW_S.contains(&seconds).then_some(seconds)
    }

    /// What Prometheus is asked; None where something else than the query is written wrongly.
    ///
    /// # Errors
    /// The rule that the query breaks.
    pub fn threshold(&self) -> Result<Option<Threshold>, Odd> {
        let query = Expression::read(&self.query)?;
        let asked = self.bound().zip(self.window_s());
        Ok(asked.map(|(bound, window_s)| Threshold {
            query,
            window_s,
            worst: bound.worst(),
        }))
    }

    /// All that a signature is given for: when this is another, it was signed for something else.
    pub fn asked(&self) -> String {
        let bound = self.bound().map_or_else(String::new, |it| it.to_string());
        format!("{} {bound} · {}", self.query.trim(), self.held_for)
    }

    /// The title as far as it may be long; the name where there is none.
    pub fn shown(&self) -> String {
        let title = self.title.trim();
        let words = if title.is_empty() { &*self.name } else { title };
        words.chars().take(LONGEST_TITLE).collect()
    }
}

/// The items of a team's own, as the Migration has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct OwnItems(pub Vec<OwnSpec>);

impl OwnItems {
    /// Those of a cluster, or of files; none where no Migration can be read, which is told where it is needed.
    pub fn of(objects: &Objects) -> Self {
        let migration = Migration::of(objects).ok().flatten();
        migration.map(|(_, it)| it.items).unwrap_or_default()
    }

    /// All items of the crossing, in order: the sixteen, and the team's own last in their phase, each once.
    pub fn all(&self) -> Vec<Item> {
        let own = self.judged().filter_map(|(_, it)| it.item()).map(Item::Own);
        let mut all: Vec<Item> = Item::ALL.into_iter().chain(own).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// What is written of an item: the first of its name, with its place in the list. None for the sixteen.
    pub fn written(&self, item: Item) -> Option<(usize, &OwnSpec)> {
        let mut all = self.judged();
        all.find(|(_, it)| it.item().is_some_and(|own| Item::Own(own) == item))
    }

    /// So many as are judged, each with its place in the list.
    pub fn judged(&self) -> impl Iterator<Item = (usize, &OwnSpec)> {
        self.0.iter().enumerate().take(MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bound, MOST, OwnItems, OwnSpec};
    use crate::{
        crossing::Item,
        inquiry::{Threshold, Worst},
        promql::{Expression, Odd},
    };
    use serde_json::{Value, json};

    fn spec(changes: &Value) -> OwnSpec {
        let mut json = json!({"phase": 2, "name": "checkout", "title": "Checkout works", "query": "up", "atLeast": 1, "for": "30m"});
        for (field, value) in changes.as_object().unwrap() {
            json[field] = value.clone();
        }
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn one_comparison_with_a_number_is_one() {
        for (changes, bound) in [
            (json!({}), Some(Bound::AtLeast(1.0))),
            (json!({"atLeast": null, "atMost": 0.5}), Some(Bound::AtMost(0.5))),
            (json!({"atLeast": null, "below": -3}), Some(Bound::Below(-3.0))),
            (json!({"atLeast": null, "above": 0}), Some(Bound::Above(0.0))),
            (json!({"atLeast": null}), None),
            (json!({"atMost": 2}), None),
        ] {
            assert_eq!(spec(&changes).bound(), bound);
        }
        let endless = OwnSpec {
            at_least: Some(f64::INFINITY),
            ..spec(&json!({}))
        };
        assert_eq!(endless.bound(), None);
    }

    #[test]
    fn a_bound_holds_what_it_says_and_never_what_is_no_number() {
        for (bound, less, same, more) in [
            (Bound::AtLeast(1.0), false, true, true),
            (Bound::AtMost(1.0), true, true, false),
            (Bound::Below(1.0), true, false, false),
            (Bound::Above(1.0), false, false, true),
        ] {
            let told = [0.5, 1.0, 2.0].map(|it| bound.holds(it));
            assert_eq!(told, [less, same, more], "{bound}");
            assert!(!bound.holds(f64::NAN));
            assert_eq!(bound.worst() == Worst::Highest, bound.holds(f64::NEG_INFINITY));
        }
    }

    #[test]
    fn a_time_is_from_a_minute_to_a_day() {
        for (said, seconds) in [
            ("1m", Some(60)),
            ("90s", Some(90)),
            ("24h", Some(86_400)),
            ("59s", None),
            ("24h1s", None),
            ("1d", None),
            ("", None),
            ("-5m", None),
        ] {
            assert_eq!(spec(&json!({"for": said})).window_s(), seconds, "{said}");
        }
    }

    #[test]
    fn what_is_asked_is_what_is_written() {
        let asked = Threshold {
            query: Expression::read("up").unwrap(),
            window_s: 1_800,
            worst: Worst::Lowest,
        };
        assert_eq!(spec(&json!({})).threshold(), Ok(Some(asked)));
        assert_eq!(spec(&json!({"for": ""})).threshold(), Ok(None));
        assert_eq!(spec(&json!({"query": "1"})).threshold(), Err(Odd::NoMetric));
        assert_eq!(spec(&json!({})).asked(), "up ≥ 1 · 30m");
        assert_eq!(spec(&json!({"title": " "})).shown(), "checkout");
        assert_eq!(
            spec(&json!({"title": "가".repeat(300)})).shown(),
            "가".repeat(200)
        );
    }

    #[test]
    fn own_items_come_last_in_their_phase_each_once() {
        let own = [
            spec(&json!({})),
            spec(&json!({"title": "Twice"})),
            spec(&json!({"phase": 4, "name": "a"})),
            spec(&json!({"phase": 9})),
            spec(&json!({"name": "3"})),
        ];
        let items = OwnItems(own.to_vec());
        let all = items.all();
        let ids: Vec<&str> = all
            .iter()
            .map(Item::id)
            .filter(|it| it.len() > 3 || it.ends_with('a'))
            .collect();
        assert_eq!((all.len(), ids), (18, vec!["2.checkout", "4.a"]));
        assert!(all.is_sorted() && all[8].id() == "2.checkout");
        let (at, first) = items.written("2.checkout".parse().unwrap()).unwrap();
        assert_eq!((at, &*first.title), (0, "Checkout works"));
        assert_eq!(items.written(Item::Ready), None);
        assert_eq!(OwnItems::default().all(), Item::ALL);
        let many = (0..=MOST).map(|at| spec(&json!({"name": format!("a{at}")})));
        assert_eq!(OwnItems(many.collect()).all().len(), 16 + MOST);
    }
}
