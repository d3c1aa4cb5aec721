//! Any bytes: a JSON list of objects, then a zero byte, then the lines of a request. Every question about them must have an answer.
#![no_main]

#[path = "../src/input.rs"]
mod input;
#[path = "../src/mutate.rs"]
mod mutate;

use input::Input;
use libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target};
use naru_domain::{
    manifests,
    mesh::nonsense::{ask_everything, sound},
};

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::read(data) else { return };
    // Beside sound objects, and in their place, as the property test does.
    let beside = sound().into_iter().chain(input.objects.clone()).collect();
    for all in [beside, input.objects] {
        let all: Vec<serde_json::Value> = all;
        if let Ok(objects) = manifests::objects(all) {
            ask_everything(&objects, &input.asked);
        }
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::mutate(data, size, max_size, seed)
});

fuzz_crossover!(|one: &[u8], other: &[u8], out: &mut [u8], seed: u32| {
    mutate::cross(one, other, out, seed)
});
