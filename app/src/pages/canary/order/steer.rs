//! How people steer a canary: the buttons, and the sheet that says what will happen before anything is written.

use super::headline::{headline, points};
use crate::{
    AppError,
    components::{
        dialog::Dialog,
        sign::{Sign, pill},
    },
    context::{frame, lang},
    lang::Lang,
    say, serverfns,
};
use leptos::{ev, html, prelude::*, task::spawn_local};
use naru_view::{
    Name,
    canary::Canary,
    order::{Course, Idle, Order, Phase, Steer},
    why::ApplyError,
};

/// What a button asks for: the canary as it was when it was pressed, and what is wanted of it.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Wish {
    namespace: Name,
    order: Order,
    course: Course,
}

impl Wish {
    fn verb(&self, lang: Lang) -> &'static str {
        verb(lang, &self.order, self.course)
    }

    /// What will happen.
    fn means(&self, lang: Lang) -> String {
        let (canary, stable) = (&self.order.canary, &self.order.stable);
        let weight = points(self.order.weight);
        match self.course {
            Course::Pause => lang.order_pause_means(canary, &weight),
            Course::Run => lang.order_run_means(canary, &weight),
            Course::Promote => lang.order_promote_means(canary, stable),
            Course::Abort if self.order.change.is_none() => lang.order_abort_unmoved().into(),
            Course::Abort => lang.order_abort_means(stable),
        }
    }

    /// The same as a command; the kind is named in full, since others have one of this name.
    fn kubectl(&self) -> String {
        let course = course(self.course);
        format!(
            r#"kubectl patch canaries.naru.dev {} -n {} --type merge -p '{{"spec":{{"course":"{course}"}}}}'"#,
            self.order.name, self.namespace
        )
    }
}

/// As the object has it.
const fn course(course: Course) -> &'static str {
    match course {
        Course::Run => "run",
        Course::Pause => "pause",
        Course::Promote => "promote",
        Course::Abort => "abort",
    }
}

fn verb(lang: Lang, order: &Order, course: Course) -> &'static str {
    match course {
        Course::Run => lang.order_run(),
        Course::Pause => lang.order_pause(),
        Course::Promote => lang.order_promote(),
        Course::Abort if order.phase == Phase::Promoted => lang.order_take_back(),
        Course::Abort => lang.order_abort(),
    }
}

/// Pause or go on, promote, abort; those that cannot be are shown with the reason.
pub(super) fn buttons(
    canary: Memo<Canary>,
    order: Memo<Order>,
    ask: RwSignal<Option<Wish>>,
) -> impl IntoView {
    let frame = frame();
    let lang = frame.lang;
    let read_only = frame.read_only;
    let barred = move |it: &Order, course: Course| match read_only {
        Some(why) => Some(say::read_only(lang, why)),
        None => it.idle(course).map(|idle| told(lang, idle)),
    };
    let turn = Memo::new(move |_| {
        order.with(|it| {
            if it.course == Course::Pause {
                Course::Run
            } else {
                Course::Pause
            }
        })
    });
    let button = move |class: &'static str, course: Signal<Course>| {
        let why = Memo::new(move |_| order.with(|it| barred(it, course.get())));
        let press = move |_| {
            ask.set(Some(Wish {
                namespace: canary.with_untracked(|it| it.route.namespace.clone()),
                order: order.get_untracked(),
                course: course.get_untracked(),
            }));
        };
        view! {
            <button type="button" class=class disabled=move || why.with(Option::is_some) title=move || why.get() on:click=press>
                {move || order.with(|it| verb(lang, it, course.get()))}
            </button>
        }
    };
    let always = |course| Signal::stored(course);
    // One reason for all of them is said in words; what is wanted already is said as well.
    let hint = move || {
        order.with(|it| match (barred(it, Course::Abort), it.course) {
            (Some(why), _) if read_only.is_some() || it.over() || it.phase == Phase::RollingBack => why,
            (_, Course::Promote) if it.phase != Phase::Promoted => lang.order_course_promote(),
            (_, Course::Abort) => lang.order_course_abort(),
            (_, Course::Pause) if it.phase != Phase::Paused => lang.order_course_pause(),
            _ if it.phase == Phase::Promoted => lang.order_idle_promoted(),
            _ => "",
        })
    };
    view! {
        <footer class="act scripted">
            {button("button", turn.into())}
            {button("button", always(Course::Promote))}
            {button("button stop", always(Course::Abort))}
            <p class="quiet end" role="status">{hint}</p>
        </footer>
    }
}

fn told(lang: Lang, idle: Idle) -> &'static str {
    match idle {
        Idle::Over => lang.order_idle_over(),
        Idle::Wanted => lang.order_idle_wanted(),
        Idle::RollingBack => lang.order_idle_rolling_back(),
        Idle::Promoted => lang.order_idle_promoted(),
    }
}

/// How far it is.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Ready,
    Sending,
    Done,
    Failed(AppError),
}

/// Opens whenever `ask` is set, and unsets it when closed.
pub(in super::super) fn sheet(ask: RwSignal<Option<Wish>>) -> impl IntoView {
    let lang = lang();
    let dialog = Dialog::new(ask);
    let step = RwSignal::new(Step::Ready);
    dialog.opens(move |_| step.set(Step::Ready));
    let close = move || dialog.close();
    let send = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Some(wish) = ask
            .get_untracked()
            .filter(|_| step.get_untracked() == Step::Ready)
        else {
            return;
        };
        let now = dialog.next();
        step.set(Step::Sending);
        spawn_local(async move {
            let steer = Steer {
                namespace: wish.namespace,
                name: wish.order.name,
                from: wish.order.course,
                course: wish.course,
            };
            let answer = serverfns::steer_canary(steer).await;
            if let Err(AppError::SignedOut) = answer {
                crate::live::sign_in();
            }
            if dialog.waits(now) {
                step.set(answer.map_or_else(Step::Failed, |()| Step::Done));
            }
        });
    };
    let title = move || {
        ask.with(|it| {
            it.as_ref()
                .map(|it| format!("{} · {}", it.verb(lang), it.order.name))
        })
    };
    let body = move || {
        let Some(wish) = ask.get() else {
            return ().into_any();
        };
        match step.get() {
            Step::Ready | Step::Sending => {
                view! { <form on:submit=send>{asked(lang, &wish, step, close)}</form> }.into_any()
            }
            Step::Done => view! {
                <div class="body" role="status">
                    <p>{pill(Sign::Good, lang.order_sent())}</p>
                    <p>{lang.order_sent_text()}</p>
                </div>
                <footer>{closing(lang, close)}</footer>
            }
            .into_any(),
            Step::Failed(error) => failed(lang, &error, close),
        }
    };
    dialog.view("steer-title", title, || {}, body)
}

fn asked(
    lang: Lang,
    wish: &Wish,
    step: RwSignal<Step>,
    close: impl Fn() + Copy + Send + Sync + 'static,
) -> AnyView {
    let sending = move || step.get() == Step::Sending;
    let class = match wish.course {
        Course::Abort => "button stop",
        _ => "button go",
    };
    let verb = wish.verb(lang);
    let word = move || if sending() { lang.order_sending() } else { verb };
    let cancel = view! { <button type="button" class="button" on:click=move |_| close()>{lang.plan_cancel()}</button> };
    view! {
        <div class="body">
            <section>
                <h3>{lang.order_state()}</h3>
                <p>{headline(lang, &wish.order)}</p>
            </section>
            <section>
                <h3>{lang.order_will()}</h3>
                <p>{wish.means(lang)}</p>
            </section>
            <section>
                <h3>{lang.plan_kubectl()}</h3>
                <pre class="command" tabindex="0">{wish.kubectl()}</pre>
            </section>
        </div>
        <footer>
            <button class=class disabled=sending>{word}</button>
            {cancel}
        </footer>
    }
    .into_any()
}

fn failed(lang: Lang, error: &AppError, close: impl Fn() + Copy + Send + Sync + 'static) -> AnyView {
    let (sign, word) = match error {
        // It may be written: that is not "failed".
        AppError::Lost
        | AppError::Apply {
            error: ApplyError::Unsure { .. },
        } => (Sign::Unknown, lang.plan_unsure()),
        _ => (Sign::Bad, lang.plan_failed()),
    };
    view! {
        <div class="body" role="alert">
            <p>{pill(sign, word)}</p>
            <p>{say::app_error(lang, error)}</p>
        </div>
        <footer>{closing(lang, close)}</footer>
    }
    .into_any()
}

/// The way back to the page. Focus goes there, since what had it is gone.
pub(in super::super) fn closing(
    lang: Lang,
    close: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let button = NodeRef::<html::Button>::new();
    Effect::new(move |_| {
        if let Some(button) = button.get() {
            request_animation_frame(move || {
                let _ = button.focus();
            });
        }
    });
    view! { <button node_ref=button type="button" class="button" on:click=move |_| close()>{lang.sheet_close()}</button> }
}
