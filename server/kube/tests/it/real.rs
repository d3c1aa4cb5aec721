//! What only a real API server shows.

mod admin;
mod contract;
mod identity;
mod journal;
mod ledger;
mod proxy;
mod subject;
