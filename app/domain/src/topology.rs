//! Who calls whom: the graph, its memory of edges that went quiet, its layout.

use crate::{Timestamp, traffic::FlowKey};
use std::collections::BTreeMap;

/// When each flow was last seen with requests.
pub type Memory = BTreeMap<FlowKey, Timestamp>;
