//! Every scenario's story can be won, each of its bad plays ends in the harm that it names, and all of it depends on nothing but the
//! seed and what is done when.

use jiff::{SignedDuration, Timestamp};
use naru_ports::{Clock, Declined};
use naru_rehearsal::{
    ManualClock, Rehearsal,
    run::Record,
    scenario::{self, Scenario},
    story::{Ends, Play, Story, TOO_LATE},
    time::{Control, Pace},
};
use std::{collections::BTreeSet, sync::Arc};

fn stories() -> Vec<(Scenario, &'static Story)> {
    let with = |it: Scenario| it.story.map(|story| (it, story));
    scenario::ALL.into_iter().filter_map(with).collect()
}

/// Plays until the end, looking every `every_s` seconds.
fn play(scenario: &Scenario, steps: &Play, seed: u64, every_s: i64) -> Record {
    let start: Timestamp = scenario.story.unwrap().starts.parse().unwrap();
    let clock = Arc::new(ManualClock::at(start));
    let rehearsal = Rehearsal::start(scenario, seed, clock.clone());
    let run = rehearsal.run.clone().unwrap();
    let mut steps = steps.steps.iter().peekable();
    loop {
        let passed = clock.now().duration_since(start).as_secs();
        while let Some((_, step)) = steps.next_if(|(at, _)| *at <= passed) {
            run.take(step)
                .unwrap_or_else(|why| panic!("{} {step:?}: {why:?}", scenario.name));
        }
        let next = steps.peek().map_or(i64::MAX, |(at, _)| *at);
        clock.advance(SignedDuration::from_secs(every_s.min(next - passed)));
        run.look();
        if let Some(record) = run.record() {
            assert!(steps.next().is_none(), "{} ended too early: {record:?}", scenario.name);
            return record;
        }
    }
}

#[test]
fn each_play_ends_as_it_says() {
    let mut wrong = Vec::new();
    for (scenario, story) in stories() {
        for one in story.plays {
            for seed in [1, 7] {
                let record = play(&scenario, one, seed, 60);
                let ended = record.harm.as_deref().map_or(Ends::Won, |it| {
                    Ends::Lost(story.harms.iter().map(|it| it.name).find(|name| *name == it).unwrap_or(TOO_LATE))
                });
                let line = format!(
                    "{:14} {:32} seed {seed}: {ended:?} after {} s, {} of {} harmed",
                    scenario.name,
                    one.name,
                    record.ended.duration_since(record.began).as_secs(),
                    record.harmed,
                    record.asked
                );
                std::io::Write::write_all(&mut std::io::stderr(), format!("{line}\n").as_bytes()).unwrap();
                if ended != one.ends {
                    wrong.push(line);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn who_does_nothing_does_not_win() {
    let nothing = Play {
        name: "nothing",
        steps: &[],
        ends: Ends::Lost(TOO_LATE),
    };
    for (scenario, story) in stories() {
        let record = play(&scenario, &nothing, 3, 600);
        assert!(record.harm.is_some(), "{record:?}");
        let minutes = record.ended.duration_since(record.began).as_secs() / 60;
        assert!(minutes <= i64::from(story.minutes), "{record:?}");
    }
}

#[test]
fn a_run_is_the_same_however_often_one_looks() {
    for (scenario, story) in stories() {
        let one = story.plays.first().unwrap();
        assert_eq!(play(&scenario, one, 5, 600), play(&scenario, one, 5, 7), "{}", scenario.name);
    }
}

#[test]
fn a_run_is_the_same_at_every_pace() {
    let scenario = scenario::by_name("canary-fails").unwrap();
    let bad = scenario.story.unwrap().plays.iter().find(|it| it.name == "stays-at-ten").unwrap();
    let start: Timestamp = scenario.story.unwrap().starts.parse().unwrap();
    let played = |pace: Pace, look_ms: i64| {
        let hand = Arc::new(ManualClock::at(start));
        let clock = Arc::new(Control::new(hand.clone(), start, pace));
        let rehearsal = Rehearsal::start(&scenario, 2, clock.clone());
        let run = rehearsal.run.unwrap();
        let (at, step) = &bad.steps[0];
        clock.step(SignedDuration::from_secs(*at));
        run.take(step).unwrap();
        while run.record().is_none() {
            hand.advance_ms(look_ms);
        }
        (run.record(), run.look())
    };
    let real = played(Pace::Real, 900);
    assert_eq!(real, played(Pace::Sixty, 1_000));
    assert_eq!(real, played(Pace::Ten, 130));
}

#[test]
fn moves_are_refused_when_unknown_when_they_do_nothing_and_after_the_end() {
    let scenario = scenario::by_name("night-job").unwrap();
    let start: Timestamp = scenario.story.unwrap().starts.parse().unwrap();
    let clock = Arc::new(ManualClock::at(start));
    let run = Rehearsal::start(&scenario, 1, clock.clone()).run.unwrap();
    assert_eq!(run.act("nonsense"), Err(Declined::Unknown("nonsense".into())));
    assert_eq!(run.act("permissive"), Err(Declined::NotNow));
    clock.advance_ms(10_000);
    assert_eq!(run.act("strict"), Ok(()));
    assert_eq!(run.act("strict"), Err(Declined::NotNow));
    let look = run.look();
    let of = |name: &str| look.moves.iter().find(|it| &*it.name == name).unwrap();
    assert_eq!(of("strict").done, Some(start.as_millisecond() + 10_000));
    assert!(!of("strict").offered && of("permissive").offered);
    assert_eq!((look.ending, run.record()), (None, None));
    clock.advance(SignedDuration::from_hours(1));
    assert_eq!(run.act("permissive"), Err(Declined::Ended));
    let look = run.look();
    assert_eq!(look.ending.unwrap().harm.as_deref(), Some("night-job-lost"));
    assert!(look.moves.iter().all(|it| !it.offered) && look.hint.is_none());
    assert_eq!(&*look.toll.rows[0].cause, "plaintext");
}

#[test]
fn every_part_has_a_name_of_its_own_and_every_step_is_one_of_the_moves() {
    for (scenario, story) in stories() {
        let names = scenario.names();
        let own: BTreeSet<_> = names.iter().collect();
        assert_eq!(own.len(), names.len(), "{}", scenario.name);
        assert!(story.plays.iter().any(|it| it.ends == Ends::Won), "{}", scenario.name);
        let harms = || story.harms.iter().map(|it| it.name);
        for name in harms() {
            let play = story.plays.iter().any(|it| it.ends == Ends::Lost(name));
            assert!(play, "{}: no play does {name}", scenario.name);
        }
    }
}
