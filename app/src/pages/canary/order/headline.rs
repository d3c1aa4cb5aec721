//! Where a canary is, in one sentence; and what comes next, in another.

use super::rail::remaining;
use crate::{components::sign::Sign, format, lang::Lang};
use naru_view::{
    Millis,
    order::{Order, Phase},
};

/// Shape and word of a phase.
pub(super) fn phase(lang: Lang, phase: Phase) -> (Sign, &'static str) {
    match phase {
        Phase::Waiting => (Sign::Idle, lang.order_phase_waiting()),
        Phase::Moving => (Sign::Idle, lang.order_phase_moving()),
        Phase::Dwelling => (Sign::Good, lang.order_phase_dwelling()),
        Phase::Held => (Sign::Warn, lang.order_phase_held()),
        Phase::Paused => (Sign::Warn, lang.order_phase_paused()),
        Phase::RollingBack => (Sign::Bad, lang.order_phase_rolling_back()),
        Phase::RolledBack => (Sign::Bad, lang.order_phase_rolled_back()),
        Phase::Promoted => (Sign::Good, lang.order_phase_promoted()),
        Phase::Finished => (Sign::Good, lang.order_phase_finished()),
        Phase::Stopped => (Sign::Bad, lang.order_phase_stopped()),
    }
}

/// Where it is.
pub(in super::super) fn headline(lang: Lang, it: &Order) -> String {
    let (canary, stable) = (&it.canary, &it.stable);
    let weight = points(it.weight);
    match it.phase {
        Phase::Waiting => lang.order_waiting(canary, &points(it.steps.first().map(|it| it.weight))),
        Phase::Moving => lang.order_moving(canary, &points(it.moving_to)),
        Phase::Dwelling => match following(it) {
            Some(next) => lang.order_dwelling(canary, &next, &weight),
            None => lang.order_dwelling_last(canary, &weight),
        },
        Phase::Held => lang.order_held(canary, &weight),
        Phase::Paused => lang.order_paused(canary, &weight),
        Phase::RollingBack => lang.order_rolling_back(canary, &weight),
        Phase::RolledBack => lang.order_rolled_back(canary, stable),
        Phase::Promoted => lang.order_promoted(canary, stable),
        Phase::Finished => lang.order_finished(canary),
        Phase::Stopped => lang.order_stopped(canary, &weight),
    }
}

/// Whether that is still so: what came of a canary that is over may have been changed by a person since.
pub(in super::super) fn stands(it: &Order) -> bool {
    match it.phase {
        Phase::RolledBack => it.weight == Some(0),
        Phase::Finished => it.weight == Some(100),
        _ => true,
    }
}

pub(super) fn points(weight: Option<u32>) -> String {
    weight.map_or_else(|| format::UNKNOWN.into(), |it| it.to_string())
}

/// The weight of the step after the one in force.
fn following(it: &Order) -> Option<u32> {
    let step = it.step? as usize;
    it.steps.get(step + 1).map(|it| it.weight)
}

/// What comes next, or what holds as long as it is so; None where the reasons say it.
pub(super) fn next(lang: Lang, it: &Order, now: Millis) -> Option<String> {
    match it.phase {
        Phase::Dwelling if following(it).is_none() => Some(lang.order_last_step().into()),
        Phase::Dwelling => {
            let left = it.until.map(|until| until - now).filter(|left| *left > 0);
            let lacking = it.few.map(|(n, wanted)| wanted.saturating_sub(n));
            Some(match (left, lacking) {
                (Some(left), Some(n)) => lang.order_goes_on_in_after(&format::count(n), &remaining(left)),
                (Some(left), None) => lang.order_goes_on_in(&remaining(left)),
                (None, Some(n)) => lang.order_goes_on_after(n),
                (None, None) => lang.order_goes_on_now().into(),
            })
        }
        Phase::Paused => Some(lang.order_paused_means().into()),
        Phase::Promoted => {
            let until = it.old_needed_until?;
            Some(lang.order_kept_until(&it.stable, &format::utc(until)))
        }
        _ => None,
    }
}

#[cfg(all(test, feature = "fixtures"))]
mod tests {
    use super::{headline, next};
    use crate::{
        Lang,
        fixtures::{NOW, order},
    };
    use naru_view::order::{Order, Phase};

    #[test]
    fn where_it_is_and_what_comes_next() {
        for (phase, said) in [
            (Phase::Waiting, "v2 has not begun, first step 10 %"),
            (Phase::Moving, "v2 is being set to 50 %"),
            (Phase::Dwelling, "v2 at 25 %, next 50 %"),
            (Phase::Held, "v2 holds at 25 %"),
            (Phase::RolledBack, "v2 was rolled back, v1 has all requests"),
        ] {
            assert_eq!(headline(Lang::En, &order(phase)), said);
        }
        let mut dwelling = order(Phase::Dwelling);
        dwelling.until = Some(NOW + 192_000);
        dwelling.few = Some((312, 500));
        let said = |it: &Order| next(Lang::En, it, NOW).unwrap();
        assert_eq!(
            said(&dwelling),
            "It goes on in 3:12 at the earliest, and after 188 more requests."
        );
        dwelling.until = Some(NOW - 1);
        assert_eq!(said(&dwelling), "It goes on after 188 more requests.");
        dwelling.few = None;
        assert_eq!(
            said(&dwelling),
            "It goes on as soon as nothing speaks against it."
        );
        dwelling.step = Some(3);
        assert_eq!(
            said(&dwelling),
            "After this step it waits for a person to promote it."
        );
        assert_eq!(next(Lang::En, &order(Phase::Held), NOW), None);
    }
}
