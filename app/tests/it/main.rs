//! Pages rendered natively from fixtures, in both languages and in every state.
