//! What only a real API server shows.

mod admin;
mod canary;
mod contract;
mod definition;
mod identity;
mod journal;
mod ledger;
mod proxy;
mod subject;
mod weights;
