//! Reasons as sentences, in either language. The pages, the command line and the logs of pipelines say the same.

use crate::{AppError, format, lang::Lang};
use naru_view::{
    rehearsal::Declined,
    session::{NotIn, ReadOnly},
    why::{ApplyError, Refused, Risk, SourceName, Why},
};

/// The source's own name; the same in both languages.
pub fn source(source: SourceName) -> &'static str {
    match source {
        SourceName::Kubernetes => "Kubernetes",
        SourceName::Prometheus => "Prometheus",
        SourceName::Istiod => "istiod",
        SourceName::Pods => "pods",
    }
}

/// Host and subset as one name: `user-service (v2)`.
pub fn destination(host: &str, subset: &str) -> String {
    if subset.is_empty() {
        host.into()
    } else {
        format!("{host} ({subset})")
    }
}

/// Why something is not known.
pub fn why(lang: Lang, why: &Why) -> String {
    match why {
        Why::NotYet { source: s } => lang.why_not_yet(&source(*s)),
        Why::Unreachable { source: s, detail } => lang.why_unreachable(detail, &source(*s)),
        Why::TimedOut { source: s, after_ms } => {
            lang.why_timed_out(&format::duration(*after_ms as f64), &source(*s))
        }
        Why::Garbled { source: s, detail } => lang.why_garbled(detail, &source(*s)),
        Why::Failed {
            source: s,
            status,
            detail,
        } => lang.why_failed(detail, &source(*s), status),
        Why::Stale { source: s, since } => lang.why_stale(&format::utc(*since), &source(*s)),
        Why::Forbidden {
            verb,
            resource,
            namespace: Some(namespace),
        } => lang.why_forbidden_in(namespace, resource, verb),
        Why::Forbidden {
            verb,
            resource,
            namespace: None,
        } => lang.why_forbidden(resource, verb),
        Why::KindAbsent { kind } => lang.why_kind_absent(kind),
        Why::TooLarge {
            kind,
            name,
            bytes,
            limit,
        } => lang.why_too_large(
            &format::bytes(*bytes as f64),
            kind,
            &format::bytes(*limit as f64),
            name,
        ),
        Why::TooYoung { samples, needed } => lang.why_too_young(needed, samples),
        Why::NoTraffic { window_s } => lang.why_no_traffic(window_s),
        Why::HeaderRouted { subset } => lang.why_header_routed(subset),
        Why::NoMoment => lang.why_no_moment().into(),
        Why::NotJudged { what } => lang.why_not_judged(what),
        Why::OneReporter { missing } if &**missing == "source" => lang.why_one_reporter_source().into(),
        Why::OneReporter { .. } => lang.why_one_reporter_destination().into(),
        Why::SecurityDisagrees => lang.why_security_disagrees().into(),
        Why::Interrupted => lang.why_interrupted().into(),
        Why::ChangedMeanwhile => lang.why_changed_meanwhile().into(),
        Why::Rejected { detail } => lang.why_rejected(detail),
        Why::NeedsCluster => lang.why_needs_cluster().into(),
        Why::NoMigration => lang.why_no_migration().into(),
        Why::OddMigration { detail } => lang.why_odd_migration(detail),
        Why::NotDeclared { field } => lang.why_not_declared(field),
        Why::NoEvidence { of } => lang.why_no_evidence(of),
        Why::FollowsFrom { item } => lang.why_follows_from(item),
        Why::NotObserved { what } => lang.why_not_observed(what),
        Why::NotCounted { of, since } => lang.why_not_counted(of, since),
        Why::NotOver { of, until } => lang.why_not_over(of, until),
        Why::Said { detail } => lang.why_said(detail),
    }
}

/// What a check found: the sentence of its code, with its placeholders filled in. A code without a sentence says its own name.
#[cfg(feature = "ssr")]
pub fn finding(lang: Lang, finding: &naru_domain::judge::Finding) -> String {
    let text = lang.finding(finding.code.name).unwrap_or(finding.code.name);
    let fill =
        |text: String, (name, value): (&&str, &naru_view::Name)| text.replace(&format!("{{{name}}}"), value);
    finding.args.iter().fold(text.to_owned(), fill)
}

/// Several reasons, one after the other.
pub fn whys(lang: Lang, whys: &[Why]) -> String {
    whys.iter().map(|it| why(lang, it)).collect::<Vec<_>>().join(" ")
}

/// Why a change is refused before anything is written.
pub fn refused(lang: Lang, refused: &Refused) -> String {
    match refused {
        Refused::NotFound {
            kind,
            namespace,
            name,
        } => lang.refused_not_found(kind, name, namespace),
        Refused::RouteChanged { detail } => lang.refused_route_changed(detail),
        Refused::Sum { sum } => lang.refused_sum(sum),
        Refused::NoReadyPods { host, subset, weight } => {
            lang.refused_no_ready_pods(&destination(host, subset), weight)
        }
        Refused::SubsetUndefined { host, subset } => lang.refused_subset_undefined(host, subset),
        Refused::HostUnknown { host } => lang.refused_host_unknown(host),
        Refused::Owned { owner, by } => lang.refused_owned(by, owner),
        Refused::NothingToDo => lang.refused_nothing_to_do().into(),
        Refused::Unknown { whys: reasons } => lang.refused_unknown(&whys(lang, reasons)),
        Refused::ForeignEdit { manager } => lang.refused_foreign_edit(manager),
        Refused::NotUndoable => lang.refused_not_undoable().into(),
        Refused::Reason { limit } => lang.refused_reason(limit),
        Refused::BadInput { field } => lang.refused_bad_input(field),
        Refused::Unguarded { policies } => lang.refused_unguarded(policies),
        Refused::Untrusted { at } => lang.refused_untrusted(at),
        Refused::NotMet { item } => lang.refused_not_met(item),
        Refused::SamePerson => lang.refused_same_person().into(),
        Refused::NotJudged => lang.refused_not_judged().into(),
    }
}

/// What is wrong with an admission policy that signatures rest on.
#[cfg(feature = "ssr")]
pub fn guard(lang: Lang, policy: &str, down: naru_domain::crossing::guard::Down) -> String {
    let key = down.key();
    lang.guard(key).unwrap_or(key).replace("{policy}", policy)
}

/// How much a finding weighs, as a word.
#[cfg(feature = "ssr")]
pub fn severity(lang: Lang, severity: naru_domain::judge::Severity) -> &'static str {
    use naru_domain::judge::Severity;
    match severity {
        Severity::Error => lang.severity_error(),
        Severity::Warning => lang.severity_warning(),
        Severity::Info => lang.severity_info(),
    }
}

/// Where and how the signatures are not whole.
#[cfg(feature = "ssr")]
pub fn broken(lang: Lang, broken: &naru_domain::crossing::chain::Broken) -> String {
    use naru_domain::crossing::chain::How;
    let with = match &broken.how {
        How::Forked { with } => with,
        How::NoEvidence { evidence } | How::OtherEvidence { evidence } | How::OtherItem { evidence } => {
            evidence
        }
        How::Cut { head } => &head.0,
        How::Unreadable { detail } => detail,
        _ => "",
    };
    let key = broken.how.key();
    let sentence = lang.broken(key).unwrap_or(key).replace("{with}", with);
    format!("{}: {sentence}", broken.at)
}

/// What could go wrong with a change that is allowed.
pub fn risk(lang: Lang, risk: &Risk) -> String {
    match risk {
        Risk::SessionsFlip => lang.risk_sessions_flip().into(),
        Risk::OpenStreamsStay => lang.risk_open_streams_stay().into(),
        Risk::Load { subset, pods, factor } => {
            lang.risk_load(&format::number(*factor), u64::from(*pods), subset)
        }
        Risk::HeaderRouted { subset } => lang.risk_header_routed(subset),
        Risk::AllToOne { subset } => lang.risk_all_to_one(subset),
        Risk::Blind => lang.risk_blind().into(),
    }
}

/// Why a confirmed change did not go through.
pub fn apply_error(lang: Lang, error: &ApplyError) -> String {
    match error {
        ApplyError::Refused { refused: reason } => refused(lang, reason),
        ApplyError::DigestChanged { .. } => lang.apply_digest_changed().into(),
        ApplyError::Forbidden { detail } => lang.apply_forbidden(detail),
        ApplyError::Invalid { detail } => lang.apply_invalid(detail),
        ApplyError::Conflict => lang.apply_conflict().into(),
        ApplyError::Unreachable { detail } => lang.apply_unreachable(detail),
        ApplyError::Unsure { change, detail } => lang.apply_unsure(change, detail),
        ApplyError::NoJournal { detail } => lang.apply_no_journal(detail),
        ApplyError::ReadOnly => lang.apply_read_only().into(),
    }
}

/// Why nothing may be written.
pub fn read_only(lang: Lang, why: ReadOnly) -> &'static str {
    match why {
        ReadOnly::Server => lang.apply_read_only(),
        ReadOnly::ProviderAway => lang.session_provider_away(),
        ReadOnly::RevocationsUnknown => lang.session_revocations_unknown(),
    }
}

/// Why somebody is not signed in.
pub fn not_in(lang: Lang, why: NotIn) -> &'static str {
    match why {
        NotIn::Lapsed => lang.login_lapsed(),
        NotIn::SignedOut => lang.login_signed_out(),
        NotIn::SignedOutHere => lang.login_signed_out_here(),
        NotIn::ProviderAway => lang.login_provider_away(),
        NotIn::Refused => lang.login_refused(),
        NotIn::Stray => lang.login_stray(),
        NotIn::Token => lang.login_token(),
        NotIn::Groups => lang.login_groups(),
        NotIn::Cluster => lang.login_cluster(),
    }
}

/// Why a page or an action has no answer.
pub fn app_error(lang: Lang, error: &AppError) -> String {
    match error {
        AppError::Apply { error } => apply_error(lang, error),
        AppError::Lost => lang.error_lost().into(),
        AppError::BadRequest { field } => lang.refused_bad_input(field),
        AppError::NotFound => lang.error_not_found().into(),
        AppError::ReadOnly { why } => read_only(lang, *why).into(),
        AppError::SignedOut => lang.error_signed_out().into(),
        AppError::Declined { why } => match why {
            Declined::Unknown(name) => lang.rehearsal_unknown(name),
            Declined::NotNow => lang.rehearsal_not_now().into(),
            Declined::Ended => lang.rehearsal_ended().into(),
            Declined::Forbidden => lang.rehearsal_forbidden().into(),
        },
        AppError::Internal => lang.error_internal().into(),
    }
}
