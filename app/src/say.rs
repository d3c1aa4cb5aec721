//! Reasons as sentences, in either language. The pages, the command line and the logs of pipelines say the same.

use crate::{AppError, format, lang::Lang};
use naru_view::{
    canary::{Owner, Proposed, Role},
    change::Writer,
    freeze::{Share, Stay},
    order::{Arg, Metric, Said},
    rehearsal::Declined,
    session::{NotIn, ReadOnly},
    why::{ApplyError, Leaves, Refused, Risk, SourceName, Why},
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

/// What a destination is to its rule.
pub fn role(lang: Lang, role: Role) -> &'static str {
    match role {
        Role::Stable => lang.canary_role_stable(),
        Role::Canary => lang.canary_role_canary(),
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

/// How a canary stays while nothing may be moved.
pub fn stay(lang: Lang, it: &Stay) -> String {
    let place = format!("{}/{}", it.namespace, it.name);
    if let Some(detail) = &it.unreadable {
        return lang.freeze_stay_unreadable(detail, &place);
    }
    let share = |it: &Share| format!("{} {} %", it.version, it.weight);
    let weights: Vec<String> = it.versions.iter().map(share).collect();
    if weights.is_empty() {
        lang.freeze_stay_unknown(&it.phase, &place)
    } else {
        lang.freeze_stay(&it.phase, &place, &weights.join(", "))
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
        Why::Connections => lang.why_connections().into(),
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
        Why::NotAlways { of, seen, looks } => lang.why_not_always(looks, of, seen),
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
        Refused::NoWeight => lang.refused_no_weight().into(),
        Refused::NotGranted { host, namespace } => lang.refused_not_granted(host, namespace),
        Refused::NoSteps { list } => lang.refused_no_steps(list),
        Refused::NoReadyPods { host, subset, weight } => {
            lang.refused_no_ready_pods(&destination(host, subset), weight)
        }
        Refused::SubsetUndefined { host, subset } => lang.refused_subset_undefined(host, subset),
        Refused::HostUnknown { host } => lang.refused_host_unknown(host),
        Refused::Owned {
            owner,
            by,
            leaves: left,
        } => sentences([Some(lang.refused_owned(by, owner)), leaves(lang, left)]),
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
        Refused::CanaryOver { name } => lang.refused_canary_over(name),
        Refused::Quorum { above } => lang.refused_quorum(above),
        Refused::OneIsEnough => lang.refused_one_is_enough().into(),
        Refused::CanaryRuns { name } => lang.refused_canary_runs(name),
        Refused::Frozen { by, reason } => lang.refused_frozen(by, reason),
        Refused::NotFrozen => lang.refused_not_frozen().into(),
    }
}

/// What somebody who writes an object leaves alone, where that is known.
pub fn leaves(lang: Lang, leaves: &Leaves) -> Option<String> {
    match leaves {
        Leaves::Nothing => None,
        Leaves::Unread { application } => Some(lang.leaves_unread(application)),
        Leaves::Takes { application } => Some(lang.leaves_takes(application)),
        Leaves::UntilSync { application } => Some(lang.leaves_until_sync(application)),
        Leaves::Kept { application } => Some(lang.leaves_kept(application)),
    }
}

/// What waits for a second person: who proposed it, when, and why.
pub fn proposed(lang: Lang, it: &Proposed) -> String {
    lang.quorum_proposed(&it.by, &it.reason, &format::utc(it.at))
}

/// Who else writes the weights of a rule, and what that means for whoever would set them.
pub fn owner(lang: Lang, owner: &Owner) -> String {
    let (by, name) = (&owner.by, &owner.name);
    let whose = match (owner.bars(), owner.files) {
        (false, _) => lang.canary_owner_leaves(by, name),
        (true, true) => lang.canary_owner_takes_files(by, name),
        (true, false) => lang.canary_owner(by, name),
    };
    sentences([Some(whose), leaves(lang, &owner.leaves)])
}

fn sentences(all: [Option<String>; 2]) -> String {
    all.into_iter().flatten().collect::<Vec<_>>().join(" ")
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
        Risk::TakesOver { canary } => lang.risk_takes_over(canary),
        Risk::Autoscaler {
            subset,
            autoscaler,
            most,
            pods,
        } => lang.risk_autoscaler(autoscaler, most, pods, subset),
        Risk::Pool {
            subset,
            caller,
            rule,
            field,
            limit,
            most,
        } => {
            let by = match &**rule {
                "" if caller.is_empty() => "DestinationRule".to_owned(),
                "" => lang.risk_pool_of_mesh().to_owned(),
                rule => format!("DestinationRule {rule}"),
            };
            let caller: &str = if caller.is_empty() {
                lang.risk_pool_caller()
            } else {
                caller
            };
            lang.risk_pool(&by, &caller, field, limit, most, subset)
        }
        Risk::RulesStay { application, list } => lang.risk_rules_stay(application, list),
    }
}

/// Why a canary is where it is, or what people must be told of it. A code without a sentence says its own name.
pub fn said(lang: Lang, said: &Said) -> String {
    let arg = |name: &str| match said.args.get(name) {
        Some(Arg::Time(at)) => format::utc(*at),
        Some(Arg::Refused(reason)) => refused(lang, reason),
        Some(Arg::Text(text)) => text.to_string(),
        None => format::UNKNOWN.into(),
    };
    let role = || match &*arg("role") {
        "stable" => lang.order_role_stable().to_owned(),
        "canary" => lang.order_role_canary().to_owned(),
        other => other.to_owned(),
    };
    let metric = || match &*arg("metric") {
        "errors" => lang.order_errors().to_owned(),
        "latency" => lang.order_latency_short().to_owned(),
        "client-errors" => lang.order_client_errors().to_owned(),
        "amplification" => lang.order_amplification().to_owned(),
        other => other.to_owned(),
    };
    match &*said.code {
        "dwell" => lang.said_dwell(&arg("until")),
        "few-requests" => lang.said_few_requests(&arg("n"), &arg("wanted")),
        "warm-up" => lang.said_warm_up(&arg("until")),
        "load" => lang.said_load(&arg("times")),
        "stable-restarted" => lang.said_stable_restarted(&arg("times")),
        "deployed" => lang.said_deployed(&arg("at"), &role()),
        "no-samples" => lang.said_no_samples().into(),
        "stale" => lang.said_stale(&arg("at")),
        "readiness-unknown" => lang.said_readiness_unknown(&role()),
        "nothing-to-compare" => lang.said_nothing_to_compare().into(),
        "undecided" => lang.said_undecided(&metric()),
        "no-bucket" => lang.said_no_bucket(&arg("ms")),
        "no-bucket-nearest" => lang.said_no_bucket_nearest(&arg("ms"), &arg("nearest")),
        "recently-worse" => lang.said_recently_worse(&metric(), &arg("minutes")),
        "no-ready-pods" => lang.said_no_ready_pods().into(),
        "crash-looping" => lang.said_crash_looping(&arg("times")),
        "worse" => lang.said_worse(&metric()),
        "route-unknown" => lang.said_route_unknown().into(),
        "other-destinations" => lang.said_other_destinations(&arg("weight")),
        "aborted" => lang.said_aborted().into(),
        "blind" => lang.said_blind().into(),
        "roll-back-frozen" => lang.said_roll_back_frozen().into(),
        "frozen" => lang.said_frozen().into(),
        "touched" if arg("by").is_empty() => lang.said_touched_unknown().into(),
        "touched" => lang.said_touched(&arg("by")),
        "step-unknown" => lang.said_step_unknown().into(),
        "not-at-start" => lang.said_not_at_start(&arg("weight")),
        "awaits-promotion" => lang.said_awaits_promotion().into(),
        "intent-lost" => lang.said_intent_lost().into(),
        "change-stopped" => lang.said_change_stopped(&arg("change")),
        "not-carried-out" => lang.said_not_carried_out(&arg("change")),
        "stable-too-small" => lang.said_stable_too_small(&arg("needed"), &arg("ready")),
        "refused" => lang.said_refused(&arg("detail")),
        "freeze-unknown" => lang.said_freeze_unknown(&arg("detail")),
        "two-canaries" => lang.said_two_canaries(&arg("name")),
        "unreadable" => lang.said_unreadable(&arg("detail")),
        "other-rules" => lang.said_other_rules().into(),
        other => lang.said_other(&other),
    }
}

/// What is compared, as people call it.
pub fn metric(lang: Lang, metric: Metric) -> String {
    match metric {
        Metric::Errors => lang.order_errors().into(),
        Metric::Latency(above_ms) => lang.order_latency(&format::duration(above_ms)),
        Metric::ClientErrors => lang.order_client_errors().into(),
        Metric::Amplification => lang.order_amplification().into(),
    }
}

/// Why a confirmed change did not go through.
pub fn apply_error(lang: Lang, error: &ApplyError) -> String {
    match error {
        ApplyError::Refused { refused: reason } => refused(lang, reason),
        ApplyError::DigestChanged { by, .. } => after(lang, by.as_deref(), lang.apply_digest_changed()),
        ApplyError::Forbidden { detail } => lang.apply_forbidden(detail),
        ApplyError::Invalid { detail } => lang.apply_invalid(detail),
        ApplyError::Conflict { by } => after(lang, by.as_deref(), lang.apply_conflict()),
        ApplyError::Unreachable { detail } => lang.apply_unreachable(detail),
        ApplyError::Unsure { change, detail } => lang.apply_unsure(change, detail),
        ApplyError::Lost { detail } => lang.apply_lost(detail),
        ApplyError::NoJournal { detail } => lang.apply_no_journal(detail),
        ApplyError::ReadOnly => lang.apply_read_only().into(),
    }
}

/// Who came before, ahead of what that means.
fn after(lang: Lang, by: Option<&Writer>, what: &str) -> String {
    by.map_or_else(|| what.to_owned(), |by| format!("{} {what}", wrote(lang, by)))
}

/// Who wrote what stands, when, and the journal's name for it.
pub fn wrote(lang: Lang, by: &Writer) -> String {
    let at = by.at.map_or_else(|| format::UNKNOWN.to_owned(), format::utc);
    match &by.change {
        Some(change) if change.actor.is_empty() => lang.written_change(&at, &change.name),
        Some(change) => lang.written_actor(&change.actor, &at, &change.name),
        None => lang.written_manager(&at, &by.manager),
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
