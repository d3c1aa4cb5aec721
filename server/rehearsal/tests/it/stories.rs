//! Every scenario's story can be won, each of its bad plays ends in the harm that it names, and all of it depends on nothing but the
//! seed and what is done when.

use jiff::{SignedDuration, Timestamp};
use naru_ports::Clock;
use naru_rehearsal::{
    ManualClock, Rehearsal,
    run::Record,
    scenario::{self, Scenario},
    story::{Ends, Play, Story, TOO_LATE},
    time::{Control, Pace},
};
use naru_view::rehearsal::Declined;
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
            assert!(
                steps.next().is_none(),
                "{} ended too early: {record:?}",
                scenario.name
            );
            return record;
        }
    }
}

/// All plays of a scenario, and the one in which nothing is done.
fn played(name: &str) {
    let scenario = scenario::by_name(name).unwrap();
    let story = scenario.story.unwrap();
    let mut wrong = Vec::new();
    for one in story.plays {
        let late = one.ends == Ends::Lost(TOO_LATE);
        for seed in [1, 7].into_iter().take(if late { 1 } else { 2 }) {
            let record = play(&scenario, one, seed, 60);
            let known = |it: &str| story.harms.iter().map(|it| it.name).find(|name| *name == it);
            let ended = match record.harm.as_deref() {
                None => Ends::Won,
                Some(harm) => Ends::Lost(known(harm).unwrap_or(TOO_LATE)),
            };
            let after = record.ended.duration_since(record.began).as_secs();
            let line = format!("{}, seed {seed}: {ended:?} after {after} s, {record:?}", one.name);
            eprintln!(
                "{}, seed {seed}: {ended:?} after {after} s, {} of {} harmed",
                one.name, record.harmed, record.asked
            );
            if ended != one.ends {
                wrong.push(line);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let nothing = Play {
        name: "nothing",
        steps: &[],
        ends: Ends::Lost(TOO_LATE),
    };
    let record = play(&scenario, &nothing, 3, 600);
    assert!(
        record.harm.is_some(),
        "nothing was done and it was won: {record:?}"
    );
    let minutes = record.ended.duration_since(record.began).as_secs() / 60;
    assert!(minutes <= i64::from(story.minutes), "{record:?}");
}

/// One test for each, so that they run beside one another.
macro_rules! played {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            played($name);
        })*

        #[test]
        fn every_story_is_played() {
            let all: Vec<&str> = stories().iter().map(|(it, _)| it.name).collect();
            assert_eq!(all, [$($name),*]);
        }
    };
}

played! {
    crossing_1_ends_as_its_plays_say: "crossing-1",
    crossing_2_ends_as_its_plays_say: "crossing-2",
    crossing_3_ends_as_its_plays_say: "crossing-3",
    canary_fails_ends_as_its_plays_say: "canary-fails",
    canary_dead_ends_as_its_plays_say: "canary-dead",
    night_job_ends_as_its_plays_say: "night-job",
    not_restarted_ends_as_its_plays_say: "not-restarted",
    rollouts_owns_ends_as_its_plays_say: "rollouts-owns",
    argo_applies_ends_as_its_plays_say: "argo-applies",
    blind_ends_as_its_plays_say: "blind",
}

#[test]
fn a_run_is_the_same_however_often_one_looks() {
    for (scenario, story) in stories() {
        let lost = |it: &&Play| it.ends != Ends::Won && it.ends != Ends::Lost(TOO_LATE);
        let one = story.plays.iter().find(lost).unwrap();
        assert_eq!(
            play(&scenario, one, 5, 600),
            play(&scenario, one, 5, 7),
            "{}",
            scenario.name
        );
    }
}

#[test]
fn a_run_is_the_same_at_every_pace() {
    let scenario = scenario::by_name("canary-fails").unwrap();
    let bad = scenario
        .story
        .unwrap()
        .plays
        .iter()
        .find(|it| it.name == "stays-at-ten")
        .unwrap();
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
    assert!(
        look.toll
            .rows
            .iter()
            .any(|it| &*it.caller == "price-sync" && &*it.cause == "plaintext")
    );
}

#[test]
fn every_part_has_a_name_of_its_own_and_every_step_is_one_of_the_moves() {
    for (scenario, story) in stories() {
        let names = scenario.names();
        names
            .iter()
            .for_each(|(part, name)| eprintln!("{} {part} {name}", scenario.name));
        let own: BTreeSet<_> = names.iter().collect();
        assert_eq!(own.len(), names.len(), "{}", scenario.name);
        assert!(
            story.plays.iter().any(|it| it.ends == Ends::Won),
            "{}",
            scenario.name
        );
        let harms = || story.harms.iter().map(|it| it.name);
        for name in harms() {
            let play = story.plays.iter().any(|it| it.ends == Ends::Lost(name));
            assert!(play, "{}: no play does {name}", scenario.name);
        }
    }
}
