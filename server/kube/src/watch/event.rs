//! One line of a watch.

use crate::answer::{Status, garbled, shorten};
use naru_domain::{
    Name, SourceName, Why,
    fact::Fact,
    object::{Key, Kind},
};
use naru_ports::Seen;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Objects of more JSON than this are left out: the API server stores at most 1.5 MB, so that this is no object of ours.
const OBJECT_LIMIT: usize = 4 << 20;

/// What a line says.
pub(super) enum Event {
    /// Something to tell, and the resourceVersion to go on from.
    Change(Seen, Option<Name>),
    /// Nothing changed up to this resourceVersion.
    Bookmark(Option<Name>),
    /// The resourceVersion is too old to go on from.
    Expired,
    /// The watch cannot go on.
    Broken(Why),
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// What every object has.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    name: String,
    namespace: String,
    resource_version: String,
}

pub(super) fn read(kind: Kind, line: &[u8]) -> Event {
    let line: Line<'_> = match serde_json::from_slice(line) {
        Ok(line) => line,
        Err(error) => return Event::Broken(garbled(&format!("no watch event: {error}"))),
    };
    if line.r#type == "ERROR" {
        let status: Status = serde_json::from_str(line.object.get()).unwrap_or_default();
        return match status.code {
            410 => Event::Expired,
            code => Event::Broken(Why::Failed {
                source: SourceName::Kubernetes,
                status: code,
                detail: shorten(&status.message),
            }),
        };
    }
    let named: Named = serde_json::from_str(line.object.get()).unwrap_or_default();
    let version = Some(named.metadata.resource_version.as_str())
        .filter(|version| !version.is_empty())
        .map(Name::from);
    match &*line.r#type {
        "ADDED" | "MODIFIED" => {
            let seen = match object(kind, line.object) {
                Ok(fact) => Seen::Applied(fact),
                Err((key, why)) => Seen::Unreadable(key, why),
            };
            Event::Change(seen, version)
        }
        "DELETED" => Event::Change(Seen::Deleted(named.key(kind)), version),
        "BOOKMARK" => Event::Bookmark(version),
        _ => Event::Broken(garbled("a watch event of an unknown type")),
    }
}

/// Reads one object, and lets go of its JSON.
pub(super) fn object(kind: Kind, json: &RawValue) -> Result<Fact, (Key, Why)> {
    let json = json.get();
    let key = || serde_json::from_str::<Named>(json).unwrap_or_default().key(kind);
    if json.len() > OBJECT_LIMIT {
        let key = key();
        let (bytes, limit) = (json.len() as u64, OBJECT_LIMIT as u64);
        let why = Why::TooLarge {
            kind: kind.name().into(),
            name: key.name.clone(),
            bytes,
            limit,
        };
        return Err((key, why));
    }
    let value = serde_json::from_str(json).map_err(|error| (key(), garbled(&error.to_string())))?;
    Fact::read(kind, value).map_err(|error| (key(), garbled(&error.to_string())))
}

impl Named {
    fn key(self, kind: Kind) -> Key {
        Key::new(kind, self.metadata.namespace, self.metadata.name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Kind, OBJECT_LIMIT, Seen, Why, read};

    fn line(text: &str) -> Event {
        read(Kind::VirtualService, text.as_bytes())
    }

    #[test]
    fn a_deleted_object_needs_only_its_name() {
        let text = r#"{"type":"DELETED","object":{"spec":7,"metadata":{"name":"a","namespace":"n","resourceVersion":"9"}}}"#;
        let Event::Change(Seen::Deleted(key), Some(version)) = line(text) else {
            panic!()
        };
        assert_eq!((&*key.namespace, &*key.name, &*version), ("n", "a", "9"));
    }

    #[test]
    fn only_410_lists_anew_in_silence() {
        assert!(matches!(
            line(r#"{"type":"ERROR","object":{"kind":"Status","code":410}}"#),
            Event::Expired
        ));
        let other = line(r#"{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd"}}"#);
        assert!(matches!(other, Event::Broken(Why::Failed { status: 500, .. })));
        for garbage in [
            "",
            "<html>",
            "{}",
            "[]",
            r#"{"type":"NEW","object":{}}"#,
            "{\"type\":\"ADDED\"",
            "\u{0}",
        ] {
            assert!(
                matches!(line(garbage), Event::Broken(Why::Garbled { .. })),
                "{garbage}"
            );
        }
    }

    #[test]
    fn an_object_that_cannot_be_read_is_named_and_the_watch_goes_on() {
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        let text = format!(
            r#"{{"type":"ADDED","object":{{"metadata":{{"name":"a","namespace":"n"}},"spec":{deep}}}}}"#
        );
        assert!(
            matches!(line(&text), Event::Change(Seen::Unreadable(key, Why::Garbled { .. }), None) if &*key.name == "a")
        );
        let nameless = line(r#"{"type":"ADDED","object":{"metadata":{}}}"#);
        assert!(matches!(
            nameless,
            Event::Change(Seen::Unreadable(_, Why::Garbled { .. }), None)
        ));
        let large = "x".repeat(OBJECT_LIMIT);
        let text =
            format!(r#"{{"type":"MODIFIED","object":{{"spec":"{large}","metadata":{{"name":"a"}}}}}}"#);
        let Event::Change(Seen::Unreadable(_, Why::TooLarge { bytes, .. }), _) = line(&text) else {
            panic!()
        };
        assert!(bytes > OBJECT_LIMIT as u64);
    }
}
