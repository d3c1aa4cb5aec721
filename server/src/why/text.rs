//! The explanation for people: a line a fact, what follows from it indented.

use super::place;
use naru_app::{Lang, say};
use naru_domain::{
    Why,
    mesh::{
        Decider,
        authz::{Decision, Verdict},
        explain::{End, Explanation, Leg, Nowhere},
        mtls,
        route::Outcome,
    },
};
use std::fmt::Write;

pub(super) fn told(lang: Lang, told: &Explanation) -> String {
    let mut out = String::new();
    let caller = place(&told.caller.workload);
    let who = match (&told.choice, &told.caller.principal) {
        (None, _) => lang.explain_plain(&caller),
        (Some(_), principal) => {
            let principal = principal.as_deref().unwrap_or("");
            if told.caller.gateway {
                lang.explain_gateway(&principal, &caller)
            } else {
                lang.explain_sidecar(&principal, &caller)
            }
        }
    };
    line(&mut out, 0, &who);
    if let Some(choice) = &told.choice {
        if let Some(text) = outcome(lang, &choice.outcome) {
            line(&mut out, 0, &text);
        }
        if let Some(first) = choice.deciders.first() {
            line(&mut out, 1, &by(lang, first));
        }
    }
    for it in &told.legs {
        leg(&mut out, lang, it);
    }
    out
}

/// None where the destinations say it.
fn outcome(lang: Lang, outcome: &Outcome) -> Option<String> {
    Some(match outcome {
        Outcome::Sent(_) => return None,
        Outcome::NoVirtualHost => lang.explain_no_virtual_host().into(),
        Outcome::NoRoute => lang.explain_no_route().into(),
        Outcome::NoListener => lang.explain_no_listener().into(),
        Outcome::NoFilterChain => lang.explain_no_filter_chain().into(),
        Outcome::Passthrough => lang.explain_passthrough().into(),
        Outcome::BlackHole => lang.explain_black_hole().into(),
        Outcome::Redirect { code, .. } => lang.explain_redirect(code),
        Outcome::Direct { status } => lang.explain_direct(status),
        Outcome::Unknown(whys) => lang.explain_unknown(&reasons(lang, whys)),
    })
}

fn leg(out: &mut String, lang: Lang, leg: &Leg) {
    let to = &leg.share.destination;
    let destination = say::destination(&to.host, &to.subset);
    line(
        out,
        0,
        &lang.explain_sent(&destination, &to.port, &format!("{} %", leg.share.weight)),
    );
    match &leg.ends {
        Err(Nowhere::NoCluster) => line(out, 1, &lang.explain_no_cluster(&destination)),
        Err(Nowhere::Unknown(whys)) => line(out, 1, &lang.explain_unknown(&reasons(lang, whys))),
        Ok(ends) => {
            if ends.iter().all(|it| it.ready == 0) {
                line(out, 1, lang.explain_no_endpoints());
            }
            for it in ends {
                end(out, lang, it);
            }
        }
    }
}

fn end(out: &mut String, lang: Lang, end: &End) {
    let workload = end
        .workload
        .as_ref()
        .map_or_else(|| lang.explain_addresses().into(), place);
    line(out, 1, &lang.explain_end(&end.ready, &end.total, &workload));
    let tls = match &end.handshake.outcome {
        mtls::Outcome::Works { mutual: true } => lang.explain_mutual().into(),
        mtls::Outcome::Works { mutual: false } => lang.explain_plaintext().into(),
        mtls::Outcome::Refused { .. } => lang.explain_refused().into(),
        mtls::Outcome::Unknown(whys) => lang.explain_tls_unknown(&reasons(lang, whys)),
    };
    line(out, 2, &tls);
    let mode = end.handshake.takes.as_ref().and_then(|it| it.decider.as_ref());
    if let Some(decider) = mode {
        line(out, 3, &by(lang, decider));
    }
    if let Some(decision) = &end.authorization {
        authorization(out, lang, decision);
    }
    if end.deaf {
        line(out, 2, lang.explain_deaf());
    }
}

fn authorization(out: &mut String, lang: Lang, decision: &Decision) {
    let text = match &decision.verdict {
        Verdict::Allow => lang.explain_allowed().into(),
        Verdict::Deny => lang.explain_denied().into(),
        Verdict::Unknown(whys) => lang.explain_authz_unknown(&reasons(lang, whys)),
    };
    line(out, 2, &text);
    if let Some(decider) = &decision.decider {
        line(out, 3, &by(lang, decider));
    }
}

fn by(lang: Lang, decider: &Decider) -> String {
    let key = &decider.key;
    lang.explain_by(&format!(
        "{} {}/{} {}",
        key.kind.name(),
        key.namespace,
        key.name,
        decider.path
    ))
}

fn reasons(lang: Lang, whys: &[Why]) -> String {
    let all: Vec<String> = whys.iter().map(|why| say::why(lang, why)).collect();
    all.join(" ")
}

fn line(out: &mut String, depth: usize, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}{}", "  ".repeat(depth), text.trim_end());
}
