//! Whole systems through all checks.

#![allow(clippy::unwrap_used, reason = "helpers of tests may stop where they stand")]

mod guardrail;
mod mutations;
mod sets;
