//! A JUnit report, read: bytes in, counts and names out.
//!
//! There is no one format (Ant's, Surefire's, pytest's, GoogleTest's differ), so that test cases are counted one by one, wherever suites are
//! nested, and what the file's own counts say of failures and errors is believed only where it is worse. Entities are never expanded, and what
//! is not known is passed over. (<https://github.com/testmoapp/junitxml> describes what is common.)

use naru_domain::{
    Name,
    crossing::report::{FAILED, Junit, LONGEST_NAME, SKIPPED},
    object::Digest,
};
use quick_xml::{
    Reader, XmlVersion,
    errors::IllFormedError,
    events::{BytesStart, Event},
};

/// The largest file, in bytes: 16 MiB.
pub(crate) const LARGEST: u64 = 16 << 20;

/// The most test cases.
pub(crate) const MOST: u32 = 100_000;

/// How deep elements may be nested; what is common is five.
pub(crate) const DEEPEST: usize = 64;

/// No count of failures is believed beyond this; the definition's.
const BELIEVED: u32 = 1_000_000;

/// It is no report that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Odd {
    /// Larger than [`LARGEST`].
    TooLarge,
    /// There is no element in it.
    Nothing,
    /// It is no XML; the parser's words.
    NotXml(String),
    /// It is XML of another sort: its outermost element.
    Other(String),
    /// More than [`MOST`] test cases.
    TooMany,
    /// Deeper than [`DEEPEST`].
    TooDeep,
}

/// Reads a report.
///
/// # Errors
/// See [`Odd`].
pub(crate) fn read(bytes: &[u8]) -> Result<Junit, Odd> {
    if bytes.len() as u64 > LARGEST {
        return Err(Odd::TooLarge);
    }
    // Names in another encoding are told as well as they can be; what is around them is ASCII.
    let text = String::from_utf8_lossy(bytes);
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().expand_empty_elements = true;
    let mut reading = Reading::default();
    loop {
        match reader
            .read_event()
            .map_err(|error| Odd::NotXml(error.to_string()))?
        {
            Event::Start(tag) => reading.open(&tag)?,
            Event::End(_) => reading.close(),
            Event::Eof => break,
            _ => {}
        }
    }
    reading.end(bytes)
}

/// An open element.
enum Element {
    /// `testsuites` or `testsuite`.
    Suite(Suite),
    /// `testcase`.
    Case(Case),
    /// Any other.
    Other,
}

#[derive(Default)]
struct Suite {
    name: String,
    /// As its attributes say.
    claimed: Bad,
    /// As what is in it shows, or claims.
    within: Bad,
}

struct Case {
    name: Name,
    failed: bool,
    erred: bool,
    skipped: bool,
}

/// Failures and errors.
#[derive(Clone, Copy, Default)]
struct Bad {
    failures: u32,
    errors: u32,
}

impl Bad {
    fn add(&mut self, more: Self) {
        self.failures = self.failures.saturating_add(more.failures);
        self.errors = self.errors.saturating_add(more.errors);
    }

    /// The larger of each.
    fn worse(self, other: Self) -> Self {
        Self {
            failures: self.failures.max(other.failures),
            errors: self.errors.max(other.errors),
        }
    }
}

#[derive(Default)]
struct Reading {
    open: Vec<Element>,
    junit: Junit,
    /// With what the file claims.
    bad: Bad,
    begun: bool,
}

impl Reading {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), Odd> {
        if self.open.len() == DEEPEST {
            return Err(Odd::TooDeep);
        }
        let name = tag.local_name();
        let name: &str = name.as_ref();
        let element = match (name, self.open.last_mut()) {
            ("testsuites" | "testsuite", None | Some(Element::Suite(_))) => Element::Suite(Suite {
                name: attribute(tag, "name"),
                claimed: Bad {
                    failures: number(tag, "failures"),
                    errors: number(tag, "errors"),
                },
                within: Bad::default(),
            }),
            (other, None) => return Err(Odd::Other(cut(other).to_string())),
            ("testcase", Some(Element::Suite(suite))) => Element::Case(case(tag, suite)),
            (what, Some(Element::Case(case))) => {
                case.failed |= what == "failure";
                case.erred |= what == "error";
                case.skipped |= what == "skipped";
                Element::Other
            }
            _ => Element::Other,
        };
        if matches!(element, Element::Case(_)) && self.junit.tests == MOST {
            return Err(Odd::TooMany);
        }
        if let Element::Case(_) = element {
            self.junit.tests += 1;
        }
        self.begun = true;
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) {
        let bad = match self.open.pop() {
            Some(Element::Suite(suite)) => suite.claimed.worse(suite.within),
            Some(Element::Case(case)) => self.count(case),
            Some(Element::Other) | None => return,
        };
        match self.open.last_mut() {
            Some(Element::Suite(around)) => around.within.add(bad),
            _ => self.bad.add(bad),
        }
    }

    fn count(&mut self, case: Case) -> Bad {
        let bad = Bad {
            failures: case.failed.into(),
            errors: case.erred.into(),
        };
        self.junit.failures += bad.failures;
        self.junit.errors += bad.errors;
        if case.failed || case.erred {
            if self.junit.failed.len() < FAILED {
                self.junit.failed.push(case.name);
            }
        } else if case.skipped {
            self.junit.skips += 1;
            if self.junit.skipped.len() < SKIPPED {
                self.junit.skipped.push(case.name);
            }
        }
        bad
    }

    fn end(mut self, bytes: &[u8]) -> Result<Junit, Odd> {
        if !self.begun {
            return Err(Odd::Nothing);
        }
        if !self.open.is_empty() {
            return Err(Odd::NotXml(
                IllFormedError::MissingEndTag("testsuite".into()).to_string(),
            ));
        }
        let shown = (self.junit.failures, self.junit.errors);
        self.junit.failures = self.bad.failures.min(BELIEVED);
        self.junit.errors = self.bad.errors.min(BELIEVED);
        self.junit.unshown = self.junit.failures - shown.0 + self.junit.errors - shown.1;
        self.junit.digest = Digest::of_bytes(bytes);
        // No file is larger than LARGEST.
        self.junit.bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        Ok(self.junit)
    }
}

/// A test case is called by its class, or else its suite, and its own name. GoogleTest says in attributes what it did not run.
fn case(tag: &BytesStart<'_>, suite: &Suite) -> Case {
    let (class, name) = (attribute(tag, "classname"), attribute(tag, "name"));
    let class = if class.is_empty() { &suite.name } else { &class };
    let whole = if class.is_empty() {
        name
    } else {
        format!("{class}.{name}")
    };
    let is = |attribute: &str, words: &[&str]| words.iter().any(|it| attribute.eq_ignore_ascii_case(it));
    Case {
        name: cut(&whole),
        failed: false,
        erred: false,
        skipped: is(
            &attribute(tag, "status"),
            &["notrun", "skipped", "disabled", "ignored"],
        ) || is(&attribute(tag, "result"), &["notrun", "skipped", "suppressed"]),
    }
}

/// An attribute's value, without what it refers to where that is not one of XML's own five; empty if there is none.
fn attribute(tag: &BytesStart<'_>, name: &str) -> String {
    match tag.try_get_attribute(name) {
        Ok(Some(it)) => match it.normalized_value(XmlVersion::Implicit1_0) {
            Ok(text) => text.into_owned(),
            Err(_) => it.value.into_owned(),
        },
        _ => String::new(),
    }
}

fn number(tag: &BytesStart<'_>, name: &str) -> u32 {
    attribute(tag, name).trim().parse().unwrap_or(0)
}

/// On one line, and no longer than is kept.
fn cut(text: &str) -> Name {
    let line = text
        .trim()
        .chars()
        .map(|it| if it.is_control() { ' ' } else { it });
    let mut kept: String = line.clone().take(LONGEST_NAME).collect();
    if line.count() > LONGEST_NAME {
        kept.pop();
        kept.push('…');
    }
    kept.into()
}

#[cfg(test)]
mod tests;
