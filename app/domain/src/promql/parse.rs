//! Reads the words: what kind of value each part gives, and where the selectors are.

use super::{
    Braces, DEPTH, Hole, LONGEST_S, Odd, SELECTORS,
    token::{Token, tokens, unreadable},
    words::{self, Takes},
};

/// What a part gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A number that is no series'.
    Scalar,
    /// A number of each series.
    Instant,
    /// Samples over a time.
    Range,
    Text,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    kind: Kind,
    /// Series that do not compare are left out.
    filters: bool,
    /// It is a selector, to which a range or an offset belongs.
    selector: bool,
}

impl Part {
    fn of(kind: Kind) -> Self {
        Self {
            kind,
            filters: false,
            selector: false,
        }
    }
}

pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(usize, Token<'a>)>,
    next: usize,
    depth: usize,
    holes: Vec<Hole>,
}

impl<'a> Parser<'a> {
    pub(super) fn of(text: &'a str) -> Result<Self, Odd> {
        Ok(Self {
            text,
            tokens: tokens(text)?,
            next: 0,
            depth: 0,
            holes: Vec::new(),
        })
    }

    /// The places of the selectors of an expression that gives numbers.
    pub(super) fn whole(mut self) -> Result<Vec<Hole>, Odd> {
        let part = self.operands(0)?;
        if self.next < self.tokens.len() {
            return Err(self.odd());
        }
        number(part)?;
        match () {
            () if self.holes.is_empty() => Err(Odd::NoMetric),
            () if part.filters => Err(Odd::Filters),
            () => Ok(self.holes),
        }
    }

    /// Operators that bind at least so strongly, and what they join.
    fn operands(&mut self, least: u8) -> Result<Part, Odd> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Odd::TooLarge);
        }
        let mut left = self.signed()?;
        while let Some((operator, binds)) = self.operator().filter(|(_, binds)| *binds >= least) {
            self.next += 1;
            let bool = self.takes_word("bool");
            self.matching()?;
            // Powers are joined from the right.
            let right = self.operands(binds + u8::from(operator != "^"))?;
            number(left)?;
            number(right)?;
            let kind = match (left.kind, right.kind) {
                (Kind::Scalar, Kind::Scalar) => Kind::Scalar,
                _ => Kind::Instant,
            };
            let drops = matches!(operator, "and" | "unless") || (binds == COMPARES && !bool);
            // A divisor too: whatever it is compared with, the quotient of who is left out is not there.
            let filters = left.filters || right.filters || drops;
            left = Part {
                filters,
                ..Part::of(kind)
            };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operator(&self) -> Option<(&'a str, u8)> {
        let (Token::Sign(it) | Token::Word(it)) = self.peek()? else {
            return None;
        };
        let binds = match it {
            "or" => 1,
            "and" | "unless" => 2,
            "==" | "!=" | ">" | "<" | ">=" | "<=" => COMPARES,
            "+" | "-" => 4,
            "*" | "/" | "%" | "atan2" => 5,
            "^" => 6,
            _ => return None,
        };
        Some((it, binds))
    }

    /// `on (…) group_left (…)`
    fn matching(&mut self) -> Result<(), Odd> {
        if self.takes_word("on") || self.takes_word("ignoring") {
            self.labels()?;
            let group = self.takes_word("group_left") || self.takes_word("group_right");
            if group && self.peek() == Some(Token::Sign("(")) {
                self.labels()?;
            }
        }
        Ok(())
    }

    fn signed(&mut self) -> Result<Part, Odd> {
        let sign = self.takes("-") || self.takes("+");
        // A sign binds weaker than a power, and one is enough.
        let part = if sign {
            self.operands(6)?
        } else {
            self.with_range()?
        };
        if sign {
            number(part)?;
            return Ok(Part {
                selector: false,
                ..part
            });
        }
        Ok(part)
    }

    /// A part with the range and offset that follow it.
    fn with_range(&mut self) -> Result<Part, Odd> {
        let mut part = self.part()?;
        loop {
            if self.peek() == Some(Token::Sign("@")) {
                return Err(Odd::TimeShifted);
            }
            if self.takes("[") {
                let Some(Token::Duration(milliseconds)) = self.take() else {
                    return Err(self.odd_before());
                };
                if self.peek() == Some(Token::Sign(":")) || !part.selector || part.kind == Kind::Range {
                    return Err(Odd::Subquery);
                }
                self.expect("]")?;
                if milliseconds > LONGEST_S * 1_000 {
                    return Err(Odd::RangeTooLong);
                }
                part.kind = Kind::Range;
            } else if self.takes_word("offset") {
                let back = !self.takes("-");
                let Some(Token::Duration(milliseconds)) = self.take() else {
                    return Err(self.odd_before());
                };
                if !part.selector {
                    return Err(self.odd_before());
                }
                if !back || milliseconds > LONGEST_S * 1_000 {
                    return Err(Odd::TimeShifted);
                }
            } else {
                return Ok(part);
            }
        }
    }

    fn part(&mut self) -> Result<Part, Odd> {
        match self.take() {
            Some(Token::Number) => Ok(Part::of(Kind::Scalar)),
            Some(Token::Text(_)) => Ok(Part::of(Kind::Text)),
            Some(Token::Sign("(")) => {
                let inner = self.operands(0)?;
                self.expect(")")?;
                Ok(Part {
                    selector: false,
                    ..inner
                })
            }
            Some(Token::Sign("{")) => {
                self.next -= 1;
                self.selector(self.here(), false)
            }
            Some(Token::Word(word)) => self.word(word),
            _ => Err(self.odd_before()),
        }
    }

    fn word(&mut self, word: &'a str) -> Result<Part, Odd> {
        let follows = self.peek();
        let groups = matches!(follows, Some(Token::Sign("(") | Token::Word("by" | "without")));
        match follows {
            _ if words::number(word) => Ok(Part::of(Kind::Scalar)),
            _ if groups && words::aggregation(word) => self.aggregated(word),
            Some(Token::Sign("(")) => {
                let name = word.into();
                let takes = words::function(word).ok_or(Odd::Function { name })?;
                self.called(word, takes)
            }
            _ if words::keyword(word) => Err(self.odd_before()),
            _ => {
                let at = self.tokens[self.next - 1].0 + word.len();
                self.selector(at, true)
            }
        }
    }

    /// What stands behind an aggregation's name.
    fn aggregated(&mut self, name: &str) -> Result<Part, Odd> {
        let mut grouped = self.grouping()?;
        let parts = self.arguments()?;
        if !grouped {
            grouped = self.grouping()?;
        }
        let of = match &parts[..] {
            [of] => of,
            [with, of] if with.kind == Kind::Scalar => of,
            _ => return Err(self.odd_before()),
        };
        if of.kind != Kind::Instant {
            return Err(self.odd_before());
        }
        Ok(Part {
            // How many compare, and what they come to, is what is asked; but a group of which none does is not there.
            filters: of.filters && (grouped || !matches!(name, "count" | "group" | "sum")),
            ..Part::of(Kind::Instant)
        })
    }

    fn grouping(&mut self) -> Result<bool, Odd> {
        let grouped = self.takes_word("by") || self.takes_word("without");
        if grouped {
            self.labels()?;
        }
        Ok(grouped)
    }

    fn called(&mut self, name: &str, takes: Takes) -> Result<Part, Odd> {
        let parts = self.arguments()?;
        let of = |kind| parts.iter().filter(|it| it.kind == kind).count();
        let ranges = usize::from(takes == Takes::Range);
        if of(Kind::Range) != ranges || of(Kind::Text) > 0 || parts.is_empty() {
            return Err(self.odd_before());
        }
        let kind = if name == "scalar" {
            Kind::Scalar
        } else {
            Kind::Instant
        };
        let one = parts.iter().any(|it| it.filters);
        Ok(Part {
            // Of each series there is as much as before, and of one that was left out as little.
            filters: one && !matches!(name, "absent" | "absent_over_time"),
            ..Part::of(kind)
        })
    }

    fn arguments(&mut self) -> Result<Vec<Part>, Odd> {
        self.expect("(")?;
        let mut parts = Vec::new();
        while !self.takes(")") {
            if !parts.is_empty() {
                self.expect(",")?;
            }
            parts.push(self.operands(0)?);
        }
        Ok(parts)
    }

    fn labels(&mut self) -> Result<(), Odd> {
        self.expect("(")?;
        while !self.takes(")") {
            let Some(Token::Word(_)) = self.take() else {
                return Err(self.odd_before());
            };
            if !self.takes(",") {
                self.expect(")")?;
                return Ok(());
            }
        }
        Ok(())
    }

    /// The matchers of a selector. `at` is where another one goes; `named` if a metric's name stands before them.
    fn selector(&mut self, at: usize, mut named: bool) -> Result<Part, Odd> {
        let mut braces = Braces::None;
        let mut at = at;
        if self.peek() == Some(Token::Sign("{")) {
            at = self.here() + 1;
            self.next += 1;
            braces = Braces::Empty;
            while !self.takes("}") {
                let Some(Token::Word(label)) = self.take() else {
                    return Err(self.odd_before());
                };
                let Some(Token::Sign(sign @ ("=" | "!=" | "=~" | "!~"))) = self.take() else {
                    return Err(self.odd_before());
                };
                let Some(Token::Text(value)) = self.take() else {
                    return Err(self.odd_before());
                };
                braces = Braces::Filled;
                named |= label == "__name__" && sign == "=" && !value.is_empty();
                if !self.takes(",") {
                    self.expect("}")?;
                    break;
                }
            }
        }
        if !named {
            return Err(Odd::NoMetric);
        }
        self.holes.push(Hole { at, braces });
        if self.holes.len() > SELECTORS {
            return Err(Odd::TooManySelectors);
        }
        Ok(Part {
            selector: true,
            ..Part::of(Kind::Instant)
        })
    }

    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.next).map(|(_, token)| *token)
    }

    fn take(&mut self) -> Option<Token<'a>> {
        let token = self.peek();
        self.next += 1;
        token
    }

    fn takes(&mut self, sign: &str) -> bool {
        let there = self.peek() == Some(Token::Sign(sign));
        self.next += usize::from(there);
        there
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let there = self.peek() == Some(Token::Word(word));
        self.next += usize::from(there);
        there
    }

    fn expect(&mut self, sign: &str) -> Result<(), Odd> {
        if self.takes(sign) { Ok(()) } else { Err(self.odd()) }
    }

    fn here(&self) -> usize {
        self.tokens.get(self.next).map_or(self.text.len(), |(at, _)| *at)
    }

    /// What comes next is not read.
    fn odd(&self) -> Odd {
        unreadable(self.text, self.here())
    }

    /// What was taken last is not what it should be.
    fn odd_before(&self) -> Odd {
        let before = self.tokens.get(self.next.saturating_sub(1));
        unreadable(self.text, before.map_or(self.text.len(), |(at, _)| *at))
    }
}

/// How strongly comparisons bind.
const COMPARES: u8 = 3;

fn number(part: Part) -> Result<(), Odd> {
    match part.kind {
        Kind::Scalar | Kind::Instant => Ok(()),
        Kind::Range | Kind::Text => Err(Odd::NotANumber),
    }
}
