//! The one error that crosses the wire. Its sentences are in [`crate::say`].

use leptos::{
    prelude::{FromServerFnError, ServerFnErrorErr},
    server_fn::codec::JsonEncoding,
};
use naru_view::{Name, rehearsal::Declined, session::ReadOnly, why::ApplyError};
use serde::{Deserialize, Serialize};

/// Why a page or an action has no answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "failed", rename_all = "kebab-case")]
pub enum AppError {
    /// The console planned or acted, and says why it did not go through.
    Apply {
        /// Why.
        error: ApplyError,
    },
    /// The server cannot be reached, or its answer was cut off. A write may have landed: the journal knows.
    Lost,
    /// What was sent is out of bounds, and was not looked at further.
    BadRequest {
        /// Which input; never its content.
        field: Name,
    },
    /// There is no such thing, or this viewer may not see it.
    NotFound,
    /// Nothing may be written here, or not now.
    ReadOnly {
        /// Why.
        why: ReadOnly,
    },
    /// Nobody is signed in, or no longer.
    SignedOut,
    /// The rehearsal does not do it.
    Declined {
        /// Why.
        why: Declined,
    },
    /// A fault of ours; the server's log has it.
    Internal,
}

impl From<ApplyError> for AppError {
    fn from(error: ApplyError) -> Self {
        Self::Apply { error }
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) => Self::Lost,
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => Self::BadRequest {
                field: "request".into(),
            },
            // In the browser: the answer was not of this server's making (a proxy's page), or was cut off.
            ServerFnErrorErr::Deserialization(_) if cfg!(not(feature = "ssr")) => Self::Lost,
            ServerFnErrorErr::Deserialization(_) => Self::BadRequest {
                field: "request".into(),
            },
            _ => Self::Internal,
        }
    }
}

impl AppError {
    /// The HTTP status that says the same.
    pub fn status(&self) -> u16 {
        match self {
            Self::Apply { error } => match error {
                ApplyError::Refused { .. } | ApplyError::Invalid { .. } => 422,
                ApplyError::DigestChanged { .. } | ApplyError::Conflict { .. } => 409,
                ApplyError::Forbidden { .. } | ApplyError::ReadOnly => 403,
                ApplyError::Unreachable { .. } | ApplyError::NoJournal { .. } => 503,
                ApplyError::Unsure { .. } | ApplyError::Lost { .. } => 504,
            },
            Self::Declined { why } => match why {
                Declined::Unknown(_) => 422,
                Declined::NotNow | Declined::Ended => 409,
                Declined::Forbidden => 403,
            },
            Self::BadRequest { .. } => 400,
            Self::SignedOut => 401,
            Self::ReadOnly { .. } => 403,
            Self::NotFound => 404,
            Self::Lost | Self::Internal => 500,
        }
    }
}
