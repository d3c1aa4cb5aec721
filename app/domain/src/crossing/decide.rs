//! What Naru does about signatures next: accept, refuse, or wait for a second person.

use super::{
    Evidence, Ledger, SignOff,
    chain::{Broken, How, fault},
};
use crate::{
    Timestamp,
    judge::{Severity, Verdict},
};
use jiff::SignedDuration;

/// The longest between judging and signing: who signs has just looked.
pub const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// Clocks of two servers differ by so much at most.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// What is to be done about one signature.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// It is in order.
    Accept,
    /// It is not, and never was.
    Refuse(How),
}

/// The first signature that something is to be done about. Those that wait for a second person are passed over: what follows them does
/// not wait with them. `wants_second` says so of an item. While signatures are being brought in from a file nothing is decided from there on.
///
/// # Errors
/// What was accepted is broken: then nothing is decided.
pub fn next(
    ledger: &Ledger,
    wants_second: impl Fn(&str) -> bool,
) -> Result<Option<(&SignOff, Decision)>, Broken> {
    if !ledger.unreadable.is_empty() {
        return ledger.verify(None).map(|_| None);
    }
    let sign_offs = &ledger.sign_offs;
    for (index, sign_off) in sign_offs.iter().enumerate().filter(|(_, it)| it.pending()) {
        if sign_off.arriving {
            return Ok(None);
        }
        let wrong = fault(sign_offs, index, &ledger.evidence)?;
        if let Some(how) = wrong.or_else(|| unfit(ledger, sign_off)) {
            return Ok(Some((sign_off, Decision::Refuse(how))));
        }
        let waits = wants_second(&sign_off.spec.item) && sign_off.status.countersignature.is_none();
        if !waits {
            return Ok(Some((sign_off, Decision::Accept)));
        }
    }
    Ok(None)
}

/// Why a signature that stands in order in the chain cannot count all the same.
fn unfit(ledger: &Ledger, sign_off: &SignOff) -> Option<How> {
    let evidence = ledger.evidence_of(sign_off)?;
    let signed = sign_off.spec.signed_at;
    let fresh = evidence.spec.at <= signed + SKEW && signed.duration_since(evidence.spec.at) <= FRESH;
    if !fresh {
        return Some(How::Stale);
    }
    (!fit(ledger, evidence, signed)).then_some(How::NotMet)
}

/// No error stands against it but those that were accepted at that moment.
fn fit(ledger: &Ledger, evidence: &Evidence, at: Timestamp) -> bool {
    let mut errors = evidence
        .spec
        .findings
        .iter()
        .filter(|it| it.severity == Severity::Error);
    let accepted = |it| {
        let mut all = ledger.exceptions.iter();
        all.any(|exception| exception.covers_seen(it) && exception.held(at))
    };
    evidence.spec.verdict != Verdict::NotMet || errors.all(accepted)
}
