//! One workload behind a destination: endpoints, mutual TLS, authorization, and what was measured.

use crate::{
    components::{
        age::age,
        sign::{self, Sign},
        whys::whys,
    },
    format,
    graph::mtls,
    lang::Lang,
    pages::why::step::{by, line, step},
    say,
};
use leptos::prelude::*;
use naru_view::{
    explanation::{
        Agreed, Authorization, Cause, End, Explanation, How, Observed, Sends, Takes, Tls, Verdict,
    },
    topology::Meshed,
};

/// How far the measured share under mutual TLS may lie from what the model says before it is worth a word: proxies report requests of the
/// whole window, also those from before a change.
const DIFFERS: f64 = 0.01;

pub(super) fn end(lang: Lang, told: &Explanation, end: &End) -> AnyView {
    let name = end
        .workload
        .as_ref()
        .map_or_else(|| lang.explain_addresses().to_owned(), ToString::to_string);
    let ready = if end.ready > 0 { Sign::Good } else { Sign::Bad };
    let mut steps = vec![
        step(
            ready,
            lang.table_endpoints(),
            true,
            line(lang.explain_end(&end.ready, &end.total, &name)),
        ),
        tls(lang, &end.tls),
        authorization(lang, end.authorization.as_ref()),
    ];
    if end.deaf {
        steps.push(step(
            Sign::Bad,
            lang.request_reads(),
            true,
            line(lang.explain_deaf()),
        ));
    }
    steps.push(observed(lang, told, end));
    view! { <div class="behind"><p class="who-is-there"><strong>{name}</strong></p><ol class="chain">{steps}</ol></div> }.into_any()
}

fn tls(lang: Lang, tls: &Tls) -> AnyView {
    let (sign, text) = match &tls.agreed {
        Agreed::Mutual => (Sign::Good, lang.explain_mutual().to_owned()),
        Agreed::Plaintext => (Sign::Warn, lang.explain_plaintext().into()),
        Agreed::Refused => (Sign::Bad, lang.explain_refused().into()),
        Agreed::Unknown { whys } => (Sign::Unknown, lang.explain_tls_unknown(&say::whys(lang, whys))),
    };
    let sent = tls.sent.map(|(sends, cause)| {
        let what = match sends {
            Sends::Plaintext => lang.request_plaintext(),
            Sends::Mutual => lang.request_mutual(),
            Sends::Tls => lang.request_own_tls(),
        };
        line(match cause {
            Cause::NoProxy => lang.request_sent_no_proxy(&what),
            Cause::DestinationRule => lang.request_sent_destination_rule(&what),
            Cause::AutoMtlsOff => lang.request_sent_auto_off(&what),
            Cause::PeerAuthentication => lang.request_sent_peer_authentication(&what),
            Cause::NoServerProxy => lang.request_sent_no_server_proxy(&what),
            Cause::Automatic => lang.request_sent_automatic(&what),
            Cause::Passthrough => lang.request_sent_passthrough(&what),
        })
    });
    let takes = tls.takes.map(|takes| {
        line(match takes {
            Takes::Workload => lang.request_takes_workload(),
            Takes::Strict => lang.request_takes_strict(),
            Takes::Permissive => lang.request_takes_permissive(),
            Takes::Disable => lang.request_takes_disable(),
        })
    });
    let body = view! {
        <p><strong>{text}</strong></p>
        {sent}{by(lang, tls.sent_by.as_ref())}
        {takes}{by(lang, tls.takes_by.as_ref())}
    };
    step(sign, lang.table_mtls(), true, body.into_any())
}

fn authorization(lang: Lang, decision: Option<&Authorization>) -> AnyView {
    let name = lang.request_authorization();
    let Some(decision) = decision else {
        return step(Sign::Idle, name, true, line(lang.request_nobody_asks()));
    };
    let (sign, text) = match &decision.verdict {
        Verdict::Allow => (Sign::Good, lang.explain_allowed().to_owned()),
        Verdict::Deny => (Sign::Bad, lang.explain_denied().into()),
        Verdict::Unknown { whys } => (Sign::Unknown, lang.explain_authz_unknown(&say::whys(lang, whys))),
    };
    let how = match decision.how {
        How::NoPolicies => Some(lang.request_no_policies()),
        How::NotDenied => Some(lang.request_not_denied()),
        How::AllowedByRule => Some(lang.request_allowed_by_rule()),
        How::DeniedByRule => Some(lang.request_denied_by_rule()),
        How::NoRuleMatched => Some(lang.request_no_rule_matched()),
        How::Custom => Some(lang.request_custom()),
        How::Token => Some(lang.request_token()),
        How::NotJudged => None,
    };
    let body = view! {
        <p><strong>{text}</strong></p>
        {how.map(line)}
        {by(lang, decision.decider.as_ref())}
    };
    step(sign, name, true, body.into_any())
}

fn observed(lang: Lang, told: &Explanation, end: &End) -> AnyView {
    let name = lang.table_observed();
    let Some(seen) = &end.observed else {
        let text = match (told.measured, told.caller.meshed) {
            (None, _) => {
                let reasons: Vec<_> = told.sources.iter().flat_map(|it| it.whys.clone()).collect();
                let body = view! { <p>{lang.request_not_measured()}</p>{whys(lang, &reasons)} }.into_any();
                return step(Sign::Unknown, name, true, body);
            }
            (Some(_), Meshed::No) => lang.request_unnamed(),
            (Some(_), _) => lang.request_nothing_measured(),
        };
        return step(Sign::Unknown, name, true, line(text));
    };
    let sign = match seen.rate {
        Some(rate) if rate > 0.0 => Sign::of_errors(seen.error_share),
        _ => Sign::Idle,
    };
    let fact = |name: &'static str, value: AnyView| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
    let measured = told.measured.map(|at| age(lang, at));
    let body = view! {
        <dl class="figures">
            {fact(lang.table_rate(), format::maybe(seen.rate).into_any())}
            {fact(lang.table_errors(), sign::errors(seen.error_share).into_any())}
            {fact(lang.table_average(), format::duration_of(seen.average_ms).into_any())}
            {fact(lang.table_mtls(), mtls(lang, seen.mtls_share).into_any())}
        </dl>
        <p class="quiet">
            {lang.request_all_between(&seen.protocol)}" "{lang.unit_window(&told.window_s)}" · "{measured}
        </p>
        {seen.last_seen.map(|at| view! { <p class="quiet">{lang.request_last_seen()}" "{age(lang, at)}</p> })}
        {differs(lang, &end.tls, seen)}
        {whys(lang, &seen.whys)}
    };
    step(sign, name, true, body.into_any())
}

/// Where the measurements say something else about mutual TLS than the model.
fn differs(lang: Lang, tls: &Tls, seen: &Observed) -> Option<AnyView> {
    let share = seen
        .mtls_share
        .filter(|_| seen.rate.is_some_and(|rate| rate > 0.0))?;
    let text = match &tls.agreed {
        Agreed::Mutual if share < 1.0 - DIFFERS => {
            lang.request_differs_mutual(&format::percent_of(Some(share)))
        }
        Agreed::Plaintext if share > DIFFERS => {
            lang.request_differs_plaintext(&format::percent_of(Some(share)))
        }
        _ => return None,
    };
    Some(view! { <p class="notice warn">{text}</p> }.into_any())
}
