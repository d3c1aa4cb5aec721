//! The words that are read. What is not here is refused: some take texts, some choose series, and what Prometheus adds later is nobody's to
//! bound yet.

/// Of samples over a time.
const OVER_TIME: [&str; 21] = [
    "absent_over_time",
    "avg_over_time",
    "changes",
    "count_over_time",
    "delta",
    "deriv",
    "idelta",
    "increase",
    "irate",
    "last_over_time",
    "mad_over_time",
    "max_over_time",
    "min_over_time",
    "predict_linear",
    "present_over_time",
    "quantile_over_time",
    "rate",
    "resets",
    "stddev_over_time",
    "stdvar_over_time",
    "sum_over_time",
];

/// Of values at a moment.
const AT_ONCE: [&str; 18] = [
    "abs",
    "absent",
    "ceil",
    "clamp",
    "clamp_max",
    "clamp_min",
    "exp",
    "floor",
    "histogram_quantile",
    "ln",
    "log10",
    "log2",
    "round",
    "scalar",
    "sgn",
    "sqrt",
    "timestamp",
    "vector",
];

/// Of several series. Those that choose some of them (`topk`) would hide the others.
const AGGREGATIONS: [&str; 9] = [
    "avg", "count", "group", "max", "min", "quantile", "stddev", "stdvar", "sum",
];

/// What cannot be a metric's name.
const KEYWORDS: [&str; 12] = [
    "and",
    "atan2",
    "bool",
    "by",
    "group_left",
    "group_right",
    "ignoring",
    "offset",
    "on",
    "or",
    "unless",
    "without",
];

/// What a function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Samples over a time, once.
    Range,
    /// Values at a moment.
    Instant,
}

pub(super) fn function(name: &str) -> Option<Takes> {
    match name {
        _ if OVER_TIME.contains(&name) => Some(Takes::Range),
        _ if AT_ONCE.contains(&name) => Some(Takes::Instant),
        _ => None,
    }
}

pub(super) fn aggregation(name: &str) -> bool {
    AGGREGATIONS.contains(&name)
}

pub(super) fn keyword(name: &str) -> bool {
    KEYWORDS.contains(&name)
}

/// A number that is written as a word.
pub(super) fn number(name: &str) -> bool {
    name.eq_ignore_ascii_case("inf") || name.eq_ignore_ascii_case("nan")
}
