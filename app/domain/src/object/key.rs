//! What names an object.

use super::{Kind, Malformed};
use crate::Name;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Kind, namespace (empty for cluster-scoped kinds) and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Key {
    /// What it is.
    pub kind: Kind,
    /// Where; empty for cluster-scoped kinds.
    pub namespace: Name,
    /// How it is called.
    pub name: Name,
}

impl Key {
    /// Names an object.
    pub fn new(kind: Kind, namespace: impl Into<Name>, name: impl Into<Name>) -> Self {
        Self {
            kind,
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Reads the key out of an object's metadata.
    pub fn of(kind: Kind, json: &Value) -> Result<Self, Malformed> {
        let text = |pointer| json.pointer(pointer).and_then(Value::as_str);
        let name = text("/metadata/name")
            .filter(|name| !name.is_empty())
            .ok_or(Malformed("metadata.name is missing"))?;
        Ok(Self::new(kind, text("/metadata/namespace").unwrap_or(""), name))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.name)?;
        if !self.namespace.is_empty() {
            write!(f, " in {}", self.namespace)?;
        }
        Ok(())
    }
}
