//! What a person reads before confirming: diff, prediction, risks, dry run, the same as a command.

use super::{Sheet, hand_over, quorum};
use crate::{
    AppError,
    components::{
        sign::{Sign, pill},
        whys::whys,
    },
    context::lang,
    format,
    lang::Lang,
    say,
};
use leptos::prelude::*;
use naru_view::canary::{DiffLine, DryRun, PlanSheet, Prediction};

/// Characters of a reason; the server refuses more.
const REASON: usize = 500;

pub(super) fn planned(
    sheet: Sheet,
    plan: &PlanSheet,
    before: Option<&AppError>,
    busy: bool,
) -> impl IntoView + use<> {
    let lang = lang();
    let (kind, namespace, name) = &plan.target;
    let mends = matches!(sheet.ask.get_untracked(), Some(super::Ask::Mend(_)));
    let risks = if plan.risks.is_empty() {
        view! { <p>{lang.plan_no_risks()}</p> }.into_any()
    } else {
        let items = plan
            .risks
            .iter()
            .map(|risk| view! { <li>{say::risk(lang, risk)}</li> })
            .collect_view();
        view! { <ul class="bullets">{items}</ul> }.into_any()
    };
    let before =
        before.map(|error| view! { <p class="notice warn" role="alert">{say::app_error(lang, error)}</p> });
    view! {
        <div class="body">
            {before}
            {plan.quorum.as_ref().map(|it| quorum::told(lang, it))}
            {plan.hand_over.as_ref().map(|over| view! { <p class="notice">{lang.plan_over(&over.owner)}</p> })}
            <p class="quiet">{lang.plan_target(kind, name, namespace)}" · "{lang.plan_digest(&short(&plan.digest))}</p>
            <section>
                <h3>{lang.plan_diff()}</h3>
                {diff(lang, &plan.diff)}
            </section>
            <section>
                <h3>{lang.plan_prediction()}</h3>
                {mends.then(|| view! { <p>{lang.plan_mend_means()}</p> })}
                {prediction(lang, &plan.prediction)}
            </section>
            <section>
                <h3>{lang.plan_risks()}</h3>
                {risks}
            </section>
            <section>
                <h3>{lang.plan_dry_run()}</h3>
                {dry_run(lang, &plan.dry_run)}
            </section>
            {match &plan.hand_over {
                // By hand it would be taken back as well.
                Some(over) => hand_over::patch(lang, over).into_any(),
                None => view! {
                    <section>
                        <h3>{lang.plan_kubectl()}</h3>
                        <pre class="command" tabindex="0">{plan.kubectl.to_string()}</pre>
                    </section>
                }
                .into_any(),
            }}
        </div>
        {match plan.hand_over {
            Some(_) => hand_over::watch(sheet, lang).into_any(),
            None => confirm(sheet, lang, plan, busy).into_any(),
        }}
    }
}

fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}

/// Each touched path with its value before and after.
pub(crate) fn diff(lang: Lang, lines: &[DiffLine]) -> impl IntoView + use<> {
    let lines = lines.iter().map(|line| {
        let told =
            |value: &Option<naru_view::Name>| value.as_deref().unwrap_or(lang.plan_absent()).to_owned();
        let (before, after) = (told(&line.before), told(&line.after));
        let path = match &*line.label {
            "" => line.path.to_string(),
            label => format!("{label} · {}", line.path),
        };
        view! {
            <p class="path">{path}</p>
            <del><span class="visually-hidden">{lang.plan_before()}</span>"− "{before}</del>
            <ins><span class="visually-hidden">{lang.plan_after()}</span>"+ "{after}</ins>
        }
    });
    view! { <div class="diff">{lines.collect_view()}</div> }
}

fn prediction(lang: Lang, it: &Prediction) -> AnyView {
    if it.window_s == 0 {
        return view! { <p>{lang.plan_not_predicted()}</p> }.into_any();
    }
    let moved = match (it.moved, it.rate) {
        (Some(moved), Some(rate)) => lang.plan_moved(&format::number(moved), &format::number(rate)),
        _ => lang.plan_moved_unknown().into(),
    };
    let rows = it.destinations.iter().map(|to| {
        let rate = match to.rate {
            Some((before, after)) => lang.plan_rate_change(&format::number(after), &format::number(before)),
            None => format::UNKNOWN.into(),
        };
        let pods = to.ready.map_or_else(
            || lang.canary_pods_unknown().to_owned(),
            |n| lang.canary_pods(u64::from(n)),
        );
        view! {
            <tr>
                <th scope="row">{to.label.to_string()}</th>
                <td class="r">{lang.plan_weight_change(&to.weight.1, &to.weight.0)}</td>
                <td class="r">{rate}</td>
                <td class="r">{pods}</td>
            </tr>
        }
    });
    view! {
        <p>{moved}" "{lang.plan_window(&it.window_s)}</p>
        {whys(lang, &it.whys)}
        <div class="scroll"><table class="rows"><tbody>{rows.collect_view()}</tbody></table></div>
    }
    .into_any()
}

fn dry_run(lang: Lang, it: &DryRun) -> impl IntoView + use<> {
    let (sign, word, detail) = match it {
        DryRun::Accepted => (Sign::Good, lang.plan_dry_accepted(), String::new()),
        DryRun::Differs { paths } => {
            let paths: Vec<&str> = paths.iter().map(|path| &**path).collect();
            (Sign::Warn, lang.plan_dry_differs(), paths.join(", "))
        }
        DryRun::Refused { detail } => (Sign::Bad, lang.plan_dry_refused(), detail.to_string()),
        DryRun::Unknown { why } => (Sign::Unknown, lang.plan_dry_unknown(), say::why(lang, why)),
    };
    view! { <p>{pill(sign, word)}" "{detail}</p> }
}

/// The reason and the button. The button waits for a reason; it says why where nothing may be written.
fn confirm(sheet: Sheet, lang: Lang, plan: &PlanSheet, busy: bool) -> impl IntoView + use<> {
    let plan = plan.clone();
    let first = plan.quorum.as_ref().is_some_and(|it| it.proposed.is_none());
    let refused = matches!(plan.dry_run, DryRun::Refused { .. });
    let fits = move || {
        let reason = sheet.reason.get();
        let reason = reason.trim();
        !reason.is_empty() && reason.chars().count() <= REASON
    };
    let writable = sheet.writable();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if fits() && writable && !busy && !refused {
            if first {
                sheet.propose(plan.clone());
            } else {
                sheet.apply(plan.clone());
            }
        }
    };
    let undoes = matches!(sheet.ask.get_untracked(), Some(super::Ask::Undo { .. }));
    let word = match (busy, first, undoes) {
        (true, true, _) => lang.quorum_proposing(),
        (true, false, _) => lang.plan_applying(),
        (false, true, _) => lang.quorum_propose(),
        (false, false, true) => lang.plan_apply_undo(),
        (false, false, false) => lang.plan_apply(),
    };
    let hint = move || match (writable, fits()) {
        (false, _) => Some(lang.plan_read_only()),
        (true, false) => Some(lang.plan_reason_needed()),
        (true, true) => None,
    };
    view! {
        <form on:submit=submit>
            <footer>
                <label class="reason">
                    <span class="quiet">{lang.plan_reason()}</span>
                    <input
                        class="field"
                        name="reason"
                        autocomplete="off"
                        maxlength=REASON
                        placeholder=lang.plan_reason_hint()
                        prop:value=sheet.reason
                        on:input:target=move |event| sheet.reason.set(event.target().value())
                        disabled=busy
                    />
                </label>
                <button class="button go" aria-describedby="apply-hint" disabled=move || busy || refused || !writable || !fits()>{word}</button>
                <p id="apply-hint" class="quiet">{hint}</p>
            </footer>
        </form>
    }
}
