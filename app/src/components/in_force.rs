//! How far a change has come with the proxies. Accepted is the API server's word; in force is theirs, asked of every istiod until all have it.

use crate::{
    AppError,
    components::{
        sign::{Sign, pill},
        whys::whys,
    },
    context::lang,
    format,
    lang::Lang,
    say, serverfns,
};
use leptos::{prelude::*, task::spawn_local};
use naru_view::{
    Millis, Name,
    in_force::{Proxies, Reached},
    why::ApplyError,
};
use std::time::Duration;

/// Between two looks while a push may be under way: it takes a few hundred milliseconds.
const SOON: Duration = Duration::from_millis(300);
/// Between two looks later.
const LATER: Duration = Duration::from_secs(2);
/// It is looked often for so long, in milliseconds.
const HURRY: Millis = 5_000;
/// It is looked at all for so long, in milliseconds. A proxy that has not acknowledged a push by then is a matter for `/mesh`.
const PATIENCE: Millis = 60_000;
/// What a proxy still refuses so long after a change, in milliseconds, it refuses because of it; before, it may tell of an earlier one.
const PUSHED: Millis = 3_000;
/// So often no answer at all is taken for a fault that passes.
const LOST: u32 = 10;

/// What was seen last, and whether it is looked no more.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    answer: Result<Reached, AppError>,
    over: bool,
}

/// The looks so far.
#[derive(Clone, Copy, Debug, Default)]
struct Looks {
    first: Option<Millis>,
    lost: u32,
}

/// Looks at once, and until it is known or nothing more is to be expected. Nothing without scripts, and nothing of changes whose way is not
/// followed.
pub(crate) fn in_force(namespace: Name, change: Name) -> impl IntoView {
    let lang = lang();
    let which = StoredValue::new((namespace, change));
    let seen = RwSignal::new(None::<Seen>);
    Effect::new(move |_| look(which, seen, Looks::default()));
    let told = move || {
        seen.with(|seen| match seen {
            None => view! { <p class="quiet">{lang.in_force_asking()}</p> }.into_any(),
            Some(seen) => told(lang, seen),
        })
    };
    view! { <div class="in-force scripted" role="status">{told}</div> }
}

fn look(which: StoredValue<(Name, Name)>, seen: RwSignal<Option<Seen>>, mut looks: Looks) {
    spawn_local(async move {
        let Some((namespace, change)) = which.try_get_value() else {
            return;
        };
        let answer = serverfns::read_reached(namespace, change).await;
        let next = looks.next(&answer);
        let over = next.is_none();
        // The page may be gone: then there is nobody to tell.
        if seen.try_set(Some(Seen { answer, over })).is_some() {
            return;
        }
        if let Some(wait) = next {
            set_timeout(move || look(which, seen, looks), wait);
        }
    });
}

impl Looks {
    /// When to look again; None if that is no use.
    fn next(&mut self, answer: &Result<Reached, AppError>) -> Option<Duration> {
        let proxies = match answer {
            Ok(Reached::Proxies(proxies)) => proxies,
            Err(
                AppError::Lost
                | AppError::Apply {
                    error: ApplyError::Unreachable { .. },
                },
            ) => {
                self.lost += 1;
                return (self.lost < LOST).then_some(LATER);
            }
            Ok(Reached::Moved { .. } | Reached::NotFollowed) | Err(_) => return None,
        };
        let nobody = proxies.all == 0 && proxies.whys.is_empty();
        if proxies.whole() || nobody || refuses(proxies) {
            return None;
        }
        let elapsed = proxies.at - *self.first.get_or_insert(proxies.at);
        match elapsed {
            ..HURRY => Some(SOON),
            HURRY..PATIENCE => Some(LATER),
            _ => None,
        }
    }
}

fn refuses(proxies: &Proxies) -> bool {
    proxies.refused > 0 && proxies.at - proxies.since > PUSHED
}

fn told(lang: Lang, seen: &Seen) -> AnyView {
    match &seen.answer {
        Ok(Reached::Proxies(proxies)) => reached(lang, proxies, seen.over).into_any(),
        Ok(Reached::Moved { by }) => {
            let by = by.as_ref().map(|by| view! { <li>{say::wrote(lang, by)}</li> });
            view! {
                <p>{pill(Sign::Warn, lang.in_force_word_moved())}" "{lang.in_force_moved()}</p>
                <ul class="whys">{by}</ul>
            }
            .into_any()
        }
        Ok(Reached::NotFollowed) => ().into_any(),
        Err(error) => view! {
            <p>{pill(Sign::Unknown, lang.in_force_word_unconfirmed())}" "{say::app_error(lang, error)}</p>
        }
        .into_any(),
    }
}

fn reached(lang: Lang, proxies: &Proxies, over: bool) -> impl IntoView + use<> {
    let (all, acknowledged) = (proxies.all, proxies.acknowledged);
    let elapsed = proxies.at - proxies.since;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a minute or so")]
    let time = format::duration(elapsed as f64);
    let (sign, word, text) = if proxies.whole() {
        let mut text = lang.in_force_whole(u64::from(all));
        // Of what was looked at long after, nobody knows when it came.
        if elapsed < PATIENCE {
            text = format!("{text} {}", lang.in_force_after(&time));
        }
        (Sign::Good, lang.in_force_word(), text)
    } else if all == 0 && proxies.whys.is_empty() {
        (
            Sign::Warn,
            lang.in_force_word_unconfirmed(),
            lang.in_force_nobody().into(),
        )
    } else if over {
        let sign = if refuses(proxies) {
            Sign::Bad
        } else {
            Sign::Unknown
        };
        let text = lang.in_force_unconfirmed(&acknowledged, &all, &time);
        (sign, lang.in_force_word_unconfirmed(), text)
    } else {
        let text = lang.in_force_partly(&acknowledged, &all);
        (Sign::Idle, lang.in_force_word_waiting(), text)
    };
    let more = |named: usize, of: u32| {
        let rest = u64::from(of).saturating_sub(named as u64);
        (rest > 0).then(|| lang.in_force_more(&rest))
    };
    let mut lines: Vec<String> = proxies
        .refusals
        .iter()
        .map(|(pod, words)| lang.in_force_refused(pod, words))
        .collect();
    lines.extend(more(proxies.refusals.len(), proxies.refused));
    let mut waiting: Vec<String> = proxies.waiting_pods.iter().map(|it| it.to_string()).collect();
    waiting.extend(more(waiting.len(), proxies.waiting));
    if !waiting.is_empty() {
        lines.push(lang.in_force_waiting(&waiting.join(", ")));
    }
    let lines = lines
        .into_iter()
        .map(|line| view! { <li>{line}</li> })
        .collect_view();
    view! {
        <p>{pill(sign, word)}" "{text}</p>
        <ul class="whys">{lines}</ul>
        {whys(lang, &proxies.whys)}
    }
}

#[cfg(test)]
mod tests {
    use super::{AppError, LATER, LOST, Looks, Proxies, Reached, SOON};
    use naru_view::why::{ApplyError, SourceName, Why};

    fn at(ms: i64, acknowledged: u32, refused: u32) -> Result<Reached, AppError> {
        Ok(Reached::Proxies(Proxies {
            since: 0,
            at: ms,
            all: 3,
            acknowledged,
            refused,
            ..Proxies::default()
        }))
    }

    #[test]
    fn it_is_looked_often_at_first_then_seldom_then_no_more() {
        let mut looks = Looks::default();
        let waits = [100, 4_000, 5_200, 50_000, 60_100].map(|ms| looks.next(&at(ms, 2, 0)));
        assert_eq!(waits, [Some(SOON), Some(SOON), Some(LATER), Some(LATER), None]);
        // From the first look on: what is looked at a day later is looked at as long.
        assert_eq!(Looks::default().next(&at(86_400_000, 2, 0)), Some(SOON));
    }

    #[test]
    fn what_is_decided_is_not_looked_at_again() {
        assert_eq!(Looks::default().next(&at(100, 3, 0)), None);
        // A refusal of before may still be told right after the change.
        assert_eq!(Looks::default().next(&at(100, 2, 1)), Some(SOON));
        assert_eq!(Looks::default().next(&at(3_100, 2, 1)), None);
        assert_eq!(Looks::default().next(&Ok(Reached::Moved { by: None })), None);
        assert_eq!(Looks::default().next(&Err(AppError::NotFound)), None);
    }

    #[test]
    fn an_istiod_that_is_silent_or_a_lost_answer_is_asked_again() {
        let whys = vec![Why::NotYet {
            source: SourceName::Istiod,
        }];
        let silent = Ok(Reached::Proxies(Proxies {
            whys,
            ..Proxies::default()
        }));
        assert_eq!(Looks::default().next(&silent), Some(SOON));
        let mut looks = Looks::default();
        let tries = (0..LOST + 5).filter(|_| looks.next(&Err(AppError::Lost)).is_some());
        assert_eq!(tries.count(), LOST as usize - 1);
        let away = Err(AppError::Apply {
            error: ApplyError::Unreachable {
                detail: "refused".into(),
            },
        });
        assert_eq!(Looks::default().next(&away), Some(LATER));
    }
}
