//! Changes: a wish becomes a plan, a plan becomes an entry of the journal, the entry is carried out with one guarded write.
//!
//! A [`Plan`](plan::Plan) leaves nothing to decide: it names the object as it was seen, each value before and after, what will happen
//! to the observed traffic and what could go wrong. People confirm its digest. A [`Record`](record::Record) is the plan in the journal;
//! one record is one guarded write, so that it lands whole or not at all. After a crash [`recovery`] asks the live object only one
//! thing: is it as before, as after, or something else?
//!
//! Order of reading: [`plan`], [`weights`] (the first kind of change), [`undo`], [`rollback`], [`touched`],
//! [`owner`] and [`writer`] (who else writes, who has written), [`quorum`] (who has to agree), [`record`], [`recovery`], [`ended`],
//! [`tried`] (what the journal tells of canaries).

pub mod ended;
#[cfg(test)]
pub(crate) mod example;
pub mod mend;
pub mod owner;
pub mod plan;
pub mod quorum;
pub mod record;
pub mod recovery;
pub mod rollback;
pub mod touched;
pub mod tried;
pub mod undo;
pub mod weights;
pub mod writer;
