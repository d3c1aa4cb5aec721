//! Digests over canonical JSON.

use crate::Name;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeSet, fmt};

/// SHA-256 over [`canonical`] JSON or a file's bytes, as 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Digest(pub Name);

impl Digest {
    /// Of any JSON value; equal values (whatever their keys' order) have equal digests.
    pub fn of(value: &Value) -> Self {
        Self::of_bytes(canonical(value).as_bytes())
    }

    /// Of bytes as they are: a file's.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        use fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in Sha256::digest(bytes) {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text.into())
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// JSON without white space and with keys sorted by code point (the order of RFC 8785, whose number format ours keeps for the
/// integers and short decimals that Kubernetes objects hold).
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            text.push('{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                text.push_str(&Value::String(key.clone()).to_string());
                text.push(':');
                write(&map[key], text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

/// JSON pointers at which two values differ, in order, at most `limit`.
pub fn differences(one: &Value, other: &Value, limit: usize) -> Vec<Name> {
    let mut found = Vec::new();
    differ(Some(one), Some(other), &mut String::new(), limit, &mut found);
    found
}

fn differ(
    one: Option<&Value>,
    other: Option<&Value>,
    path: &mut String,
    limit: usize,
    found: &mut Vec<Name>,
) {
    if one == other || found.len() >= limit {
        return;
    }
    let mut step = |token: &str, one: Option<&Value>, other: Option<&Value>| {
        let length = path.len();
        path.push('/');
        path.push_str(&token.replace('~', "~0").replace('/', "~1"));
        differ(one, other, path, limit, found);
        path.truncate(length);
    };
    match (one, other) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            keys.into_iter()
                .for_each(|key| step(key, one.get(key), other.get(key)));
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            (0..one.len().max(other.len())).for_each(|i| step(&i.to_string(), one.get(i), other.get(i)));
        }
        _ => found.push(path.as_str().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Digest, canonical, differences};
    use serde_json::json;

    #[test]
    fn order_of_keys_does_not_matter_but_order_of_items_does() {
        let one: serde_json::Value =
            serde_json::from_str(r#"{"b": [1, 2], "a": {"d": null, "c": "가"}}"#).unwrap();
        assert_eq!(canonical(&one), r#"{"a":{"c":"가","d":null},"b":[1,2]}"#);
        assert_eq!(
            Digest::of(&one),
            Digest::of(&json!({"a": {"c": "가", "d": null}, "b": [1, 2]}))
        );
        assert_ne!(
            Digest::of(&one),
            Digest::of(&json!({"a": {"c": "가", "d": null}, "b": [2, 1]}))
        );
    }

    #[test]
    fn it_is_plain_sha_256() {
        // printf '{}' | sha256sum
        assert_eq!(
            &*Digest::of(&json!({})).0,
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
    }

    #[test]
    fn differences_are_named_by_pointer_and_bounded() {
        let one = json!({"a": {"b/c": 1, "d": [1, 2]}, "e": 1});
        let other = json!({"a": {"b/c": 2, "d": [1]}, "f": 1});
        let all: Vec<String> = differences(&one, &other, 9)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(all, ["/a/b~1c", "/a/d/1", "/e", "/f"]);
        assert_eq!(differences(&one, &other, 2).len(), 2);
        assert!(differences(&one, &one, 9).is_empty());
    }
}
