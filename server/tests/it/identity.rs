//! Who is let in, and how others are not: the console against a real provider (of the tests' own, on loopback), and against people who
//! try to be somebody else.

mod back_channel;
mod break_glass;
mod cookies;
mod outage;
mod provider;
mod rsa;
mod settings;
mod sight;
mod sign_in;
mod tokens;
mod world;
