//! Servers that die, and that sleep, at every call.

use super::World;
use naru_engine::contract::{Killing, Moment};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde_json::json;
use std::sync::{Arc, atomic::Ordering};

/// As quick a course as there is.
fn quick() -> World {
    World::ordering(|it| {
        for step in it["spec"]["steps"].as_array_mut().expect("steps") {
            (step["dwell"], step["requests"]) = (json!("0s"), json!(0));
        }
        it["spec"]["keepOld"] = json!("0s");
    })
}

/// A course in which the first server dies at this moment, and the next one goes on. Whether it did die.
async fn dies_at(moment: Moment) -> bool {
    let world = quick();
    let before = world.written();
    let killing = Arc::new(Killing::new(Arc::new(world.store.clone()), moment));
    killing.arm();
    let dying = world.engine_on(killing.clone(), "dying").await;
    let died = tokio::select! {
        () = world.until("Finished") => false,
        () = killing.reached() => true,
    };
    dying.stop().await;
    if died {
        // Another server: the Lease of the one that died is believed in for a while.
        let next = world.engine("next").await;
        world.until("Finished").await;
        next.stop().await;
    }
    assert_eq!(world.weights(), [0, 100], "{moment:?}");
    assert_eq!(world.landed(), ["10", "50", "100"], "{moment:?}");
    assert_eq!(world.written(), before + 3, "{moment:?}");
    died
}

#[tokio::test]
async fn a_kill_at_every_call_moves_each_step_once() {
    let mut call = 0;
    while dies_at(Moment::before(call)).await && dies_at(Moment::after(call)).await {
        call += 1;
    }
    // The Lease, and for each of three moves: Canary, route, freeze, dry run, status, entry, patch, end, status.
    assert!(call > 30, "only {call} calls");
}

/// It does not die: it wakes up when another has gone on, and does what it was about to do.
async fn sleeps_at(call: u32) -> bool {
    let world = quick();
    let before = world.written();
    let killing = Arc::new(Killing::new(Arc::new(world.store.clone()), Moment::before(call)));
    killing.arm();
    let sleeping = world.engine_on(killing.clone(), "sleeping").await;
    let slept = tokio::select! {
        () = world.until("Finished") => false,
        () = killing.reached() => true,
    };
    if slept {
        let next = world.engine("next").await;
        // From before the other inherits the Lease to after the end.
        let scrapes = SmallRng::seed_from_u64(u64::from(call)).random_range(0..12);
        for _ in 0..scrapes {
            world.clock.advance_ms(15_000);
            tokio::time::sleep(2 * super::LOOK).await;
        }
        killing.release();
        world.until("Finished").await;
        next.stop().await;
    }
    sleeping.stop().await;
    assert_eq!(world.landed(), ["10", "50", "100"], "asleep at {call}");
    assert_eq!(world.written(), before + 3, "asleep at {call}");
    slept
}

#[tokio::test]
async fn who_wakes_up_late_moves_nothing() {
    let mut call = 0;
    while sleeps_at(call).await {
        call += 1;
    }
    assert!(call > 30, "only {call} calls");
}

/// A version that fails, and two servers that die on its way.
async fn fails_and_dies(seed: u64) {
    let world = quick();
    world.metrics.failing.store(30, Ordering::Relaxed);
    let mut random = SmallRng::seed_from_u64(seed);
    for name in ["first", "second"] {
        let call = random.random_range(0..32);
        let moment = [Moment::before(call), Moment::after(call)][random.random_range(0..2)];
        let killing = Arc::new(Killing::new(Arc::new(world.store.clone()), moment));
        killing.arm();
        let dying = world.engine_on(killing.clone(), name).await;
        tokio::select! {
            () = world.until("RolledBack") => {}
            () = killing.reached() => {}
        }
        dying.stop().await;
    }
    let last = world.engine("last").await;
    world.until("RolledBack").await;
    last.stop().await;
    assert_eq!(
        (world.weights(), world.why()),
        (vec![100, 0], vec!["worse".into()]),
        "{seed}"
    );
    assert_eq!(world.landed().last().map(String::as_str), Some("0"), "{seed}");
}

#[tokio::test]
async fn fifty_pairs_of_random_kills_keep_no_failing_version_in_force() {
    for ten in 0..5 {
        let seeds = 10 * ten..10 * (ten + 1);
        futures::future::join_all(seeds.map(fails_and_dies)).await;
    }
}
