//! What was tried elsewhere and handed in: by a pipeline or a person, as themselves.
//!
//! Naru cannot see a test run. What it can see is who handed in which result about what, and, by the API server's own clock, when. A further
//! kind of what is handed in (an attestation, a drill) is a variant of [`Content`] and a property beside `junit` in the definition.

use super::{act, migration::Unreadable};
use crate::{
    Name, Timestamp,
    object::{Digest, Key, Kind, Malformed, Object},
};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// So many failed tests are named at most; the first ones tell.
pub const FAILED: usize = 50;

/// So many skipped tests are named at most. What is skipped anew beyond them cannot be known.
pub const SKIPPED: usize = 500;

/// The longest name of a test, in characters; what is longer is cut and ends in `…`.
pub const LONGEST_NAME: usize = 256;

/// A Report object.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The object.
    pub key: Key,
    /// Its resourceVersion.
    pub rv: Name,
    /// When the API server got it, to the second; None in files.
    pub received: Option<Timestamp>,
    /// What it says.
    pub spec: ReportSpec,
}

/// `spec` of a Report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReportSpec {
    /// The item that it is about, by its number.
    pub item: Name,
    /// Who handed it in.
    pub by: Sender,
    /// The commit that was tried: 7 to 64 lower-case hexadecimal digits.
    pub commit: Name,
    /// Where it was tried: a URL or the name of an environment.
    pub target: Name,
    /// The run's own id, as its pipeline calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Name>,
    /// When the run began, as its pipeline says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it ended, as its pipeline says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// What came of it.
    pub content: Content,
    /// When it was handed in, by the clock of who did.
    pub at: Timestamp,
}

/// Who handed it in. `user` is held to who asks by the API server, and so are `issuer` and `sub`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sender {
    /// The user, as the API server names them.
    pub user: Name,
    /// Of a person for whom Naru asks: the identity provider's issuer URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Name>,
    /// Of a person for whom Naru asks: the provider's stable subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<Name>,
}

/// What came of it, by kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Content {
    /// A JUnit report.
    Junit(Junit),
}

/// What a JUnit report says, counted by its test cases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Junit {
    /// Test cases, the skipped among them.
    pub tests: u32,
    /// That failed.
    pub failures: u32,
    /// That ended in an error.
    pub errors: u32,
    /// That were skipped.
    pub skips: u32,
    /// Failures and errors, among those above, that the file's own counts claim and no test case shows.
    pub unshown: u32,
    /// Names of the first [`FAILED`] that failed or ended in an error.
    pub failed: Vec<Name>,
    /// Names of the first [`SKIPPED`] that were skipped.
    pub skipped: Vec<Name>,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// The file's size.
    pub bytes: u32,
}

impl Junit {
    /// Test cases that ran.
    pub fn ran(&self) -> u32 {
        self.tests.saturating_sub(self.skips)
    }

    /// Some that were skipped are not named.
    pub fn names_left_out(&self) -> bool {
        self.skips as usize > self.skipped.len()
    }
}

impl ReportSpec {
    /// The object to be created. Its name says item and digest, so that the same report is not written twice.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn object(&self) -> Result<Object, Malformed> {
        let spec = serde_json::to_value(self).map_err(|_| Malformed("it cannot be written as JSON"))?;
        let name = format!("{}-{}", self.item, Digest::of(&spec).short());
        act::object(Kind::Report, &name, &spec)
    }
}

impl Report {
    /// Reads the object.
    ///
    /// # Errors
    /// It is not one, or of a kind that a later version of Naru knows.
    pub fn read(object: &Object) -> Result<Self, Unreadable> {
        Ok(Self {
            key: object.key().clone(),
            rv: object.resource_version(),
            received: object.text("/metadata/creationTimestamp").parse().ok(),
            spec: act::read(object, "/spec")?,
        })
    }

    /// Which of two came later: by the API server's clock, and within its second by what they say of themselves.
    pub fn later(&self, other: &Self) -> Ordering {
        let order = |it: &Self| (it.received, it.spec.at, it.key.name.clone());
        order(self).cmp(&order(other))
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, Junit, Report, ReportSpec, Sender};
    use crate::object::{Kind, Object};
    use serde_json::json;

    fn spec() -> ReportSpec {
        ReportSpec {
            item: "2.4".into(),
            by: Sender {
                user: "system:serviceaccount:ci:pipeline".into(),
                issuer: None,
                sub: None,
            },
            commit: "0123abc".into(),
            target: "https://staging.example".into(),
            run: None,
            started: None,
            ended: None,
            content: Content::Junit(Junit::default()),
            at: "2026-01-01T12:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn it_is_written_and_read_back_and_called_by_what_it_says() {
        let object = spec().object().unwrap();
        let read = Report::read(&object).unwrap();
        assert_eq!((read.spec, read.received), (spec(), None));
        assert!(object.key().name.starts_with("2.4-") && object.key().name.len() == 16);
        let mut other = spec();
        other.commit = "0123abd".into();
        assert_ne!(other.object().unwrap().key(), object.key());
        assert_eq!(object.list("/spec/content/junit/failed").len(), 0);
        assert!(object.get("/spec/run").is_none(), "what is not said is left out");
    }

    #[test]
    fn a_kind_that_is_not_known_is_told() {
        let mut json = spec().object().unwrap().json().clone();
        json["spec"]["content"] = json!({"drill": {"by": "hand"}});
        let odd = Report::read(&Object::new(Kind::Report, json).unwrap()).unwrap_err();
        assert!(odd.detail.contains("drill"), "{}", odd.detail);
    }

    #[test]
    fn the_api_servers_clock_tells_which_is_later() {
        let made = |created: &str, at: &str| {
            let mut json = spec().object().unwrap().json().clone();
            json["metadata"]["creationTimestamp"] = json!(created);
            json["spec"]["at"] = json!(at);
            Report::read(&Object::new(Kind::Report, json).unwrap()).unwrap()
        };
        let early = made("2026-01-01T12:00:00Z", "2027-01-01T00:00:00Z");
        let late = made("2026-01-01T12:00:01Z", "2025-01-01T00:00:00Z");
        assert!(late.later(&early).is_gt());
        let same = made("2026-01-01T12:00:01Z", "2025-01-01T00:00:01Z");
        assert!(same.later(&late).is_gt());
    }
}
