//! While somebody has frozen everything, and where two Canaries want one rule.

use super::{World, order};
use naru_domain::{
    freeze,
    object::{Key, Kind},
};
use serde_json::json;

#[tokio::test]
async fn while_all_is_frozen_nothing_moves_and_afterwards_it_goes_on() {
    let world = World::new();
    let engine = world.engine("a").await;
    world.at_ten().await;
    let actor = json!({"issuer": "https://id.example", "sub": "lee", "name": "Lee", "groups": []});
    let freeze = json!({"apiVersion": Kind::Freeze.api_version(), "kind": "Freeze", "metadata": {"name": "naru"},
        "spec": {"actor": actor, "reason": "an outage", "at": "2026-11-30T02:01:00Z"}});
    world.store.load(Kind::Freeze, freeze, "kubectl").unwrap();
    world
        .until_so("frozen", |it| it.why().contains(&"frozen".to_owned()))
        .await;
    for _ in 0..20 {
        world.clock.advance_ms(15_000);
        tokio::time::sleep(super::LOOK).await;
    }
    assert_eq!((world.weights(), world.phase()), (vec![90, 10], "Held".into()));
    assert!(world.store.delete(&freeze::key()));
    world.until("Promoted").await;
    engine.stop().await;
}

#[tokio::test]
async fn of_two_that_want_one_rule_the_younger_keeps_still() {
    let world = World::new();
    world.clock.advance_ms(2_000);
    let mut second = order();
    second["metadata"]["name"] = json!("user-again");
    world.store.load(Kind::Canary, second, "kubectl").unwrap();
    let engine = world.engine("a").await;
    world.until("Promoted").await;
    engine.stop().await;
    assert_eq!(world.landed(), ["10", "50", "100"]);
    let second = Key::new(Kind::Canary, "user-service", "user-again");
    let status = world
        .store
        .object(&second)
        .unwrap()
        .get("/status")
        .cloned()
        .unwrap();
    assert_eq!(
        status["alarm"],
        json!({"code": "two-canaries", "args": {"name": "user"}})
    );
    assert_eq!(status["phase"], "Waiting");
}
