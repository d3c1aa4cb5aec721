//! Changes that leave JSON what it is: bytes changed at random are seldom JSON, and the model is behind the parser.

use crate::input::split;
use libfuzzer_sys::fuzzer_mutate;
use naru_domain::mesh::nonsense::{NAMES, TEXTS};
use serde_json::{Map, Value, json};

/// Changes `data[..size]` in place and returns its new size: mostly a node of the JSON, sometimes the request, sometimes any bytes.
pub fn mutate(data: &mut [u8], size: usize, max: usize, seed: u32) -> usize {
    let mut dice = Dice(u64::from(seed));
    let (json, rest) = split(&data[..size]);
    let Ok(Value::Array(mut objects)) = serde_json::from_slice(json) else {
        return fuzzer_mutate(data, size, max);
    };
    let mut rest = rest.to_vec();
    match dice.of(16) {
        0 => return fuzzer_mutate(data, size, max),
        1..=3 => {
            let (old, room) = (
                rest.len(),
                max.saturating_sub(json.len() + 1).min(old_or(512, rest.len())),
            );
            rest.resize(room.max(old), 0);
            let room = rest.len();
            let new = fuzzer_mutate(&mut rest, old, room);
            rest.truncate(new);
        }
        _ => {
            for _ in 0..=dice.of(3) {
                change(&mut objects, &mut dice);
            }
        }
    }
    write(&objects, &rest, &mut data[..max]).unwrap_or(size)
}

/// Some objects of each.
pub fn cross(one: &[u8], other: &[u8], out: &mut [u8], seed: u32) -> usize {
    let mut dice = Dice(u64::from(seed));
    let (first, rest) = split(one);
    let read = |json| serde_json::from_slice::<Vec<Value>>(json).unwrap_or_default();
    let all = read(first).into_iter().chain(read(split(other).0));
    let some: Vec<Value> = all.filter(|_| dice.of(4) != 0).collect();
    write(&some, rest, out).unwrap_or(0)
}

fn old_or(least: usize, old: usize) -> usize {
    least.max(old)
}

fn write(objects: &[Value], rest: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut bytes = serde_json::to_vec(objects).ok()?;
    if !rest.is_empty() {
        bytes.push(0);
        bytes.extend_from_slice(rest);
    }
    out.get_mut(..bytes.len())?.copy_from_slice(&bytes);
    Some(bytes.len())
}

/// One node of one object.
fn change(objects: &mut Vec<Value>, dice: &mut Dice) {
    match (dice.of(12), objects.len()) {
        (_, 0) => objects.push(
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}}),
        ),
        (0, many) => {
            let twin = objects[dice.of(many)].clone();
            objects.push(twin);
        }
        (1, many) => {
            objects.swap_remove(dice.of(many));
        }
        (_, many) => {
            let from = &objects[dice.of(many)];
            let other = node(from, dice.of(count(from))).clone();
            let into = &mut objects[dice.of(many)];
            let at = dice.of(count(into));
            alter(node_mut(into, at), other, dice);
        }
    }
}

fn alter(here: &mut Value, other: Value, dice: &mut Dice) {
    let way = dice.of(6);
    match here {
        Value::Object(fields) if way < 3 => {
            fields.insert(dice.pick(NAMES).into(), value(other, dice));
        }
        Value::Object(fields) if way == 3 && !fields.is_empty() => {
            let at = dice.of(fields.len());
            if let Some(name) = fields.keys().nth(at).cloned() {
                fields.shift_remove(&name);
            }
        }
        Value::Array(items) if way < 3 => items.push(value(other, dice)),
        Value::Array(items) if way == 3 && !items.is_empty() => {
            let at = dice.of(items.len());
            items.remove(at);
        }
        Value::String(text) if way == 0 => text.insert_str(0, dice.pick(TEXTS)),
        Value::String(text) if way == 1 => {
            let kept = text.chars().count();
            *text = text.chars().take(dice.of(kept + 1)).collect();
        }
        Value::String(text) if way == 2 => text.push_str(dice.pick(TEXTS)),
        _ => *here = value(other, dice),
    }
}

fn value(other: Value, dice: &mut Dice) -> Value {
    match dice.of(12) {
        0 => Value::Null,
        1 => json!([]),
        2 => Value::Object(Map::new()),
        3 => json!(dice.of(2) == 0),
        4 => json!([0, 80, 443, 15_001, 65_535, 65_536][dice.of(6)]),
        5 => json!([-1, i64::MIN, i64::MAX, 1 << 32][dice.of(4)]),
        6 => json!({ dice.pick(NAMES): dice.pick(TEXTS) }),
        7 => json!([dice.pick(TEXTS)]),
        8..=9 => json!(dice.pick(TEXTS)),
        _ => other,
    }
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    }
}

fn count(value: &Value) -> usize {
    1 + children(value).into_iter().map(count).sum::<usize>()
}

/// The node with this number, in the order of the text.
fn node(value: &Value, mut number: usize) -> &Value {
    if number == 0 {
        return value;
    }
    number -= 1;
    for child in children(value) {
        let many = count(child);
        if number < many {
            return node(child, number);
        }
        number -= many;
    }
    value
}

fn node_mut(value: &mut Value, mut number: usize) -> &mut Value {
    if number == 0 || !(value.is_array() || value.is_object()) {
        return value;
    }
    number -= 1;
    let at = children(value).iter().position(|child| {
        let many = count(child);
        let here = number < many;
        if !here {
            number -= many;
        }
        here
    });
    match (value, at) {
        (Value::Array(items), Some(at)) => node_mut(&mut items[at], number),
        (Value::Object(fields), Some(at)) => match fields.values_mut().nth(at) {
            Some(child) => node_mut(child, number),
            None => unreachable!("`at` was counted over the same fields"),
        },
        (value, _) => value,
    }
}

/// SplitMix64: the same seed, the same changes.
struct Dice(u64);

impl Dice {
    fn of(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides.max(1) as u64) as usize
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words[self.of(words.len())]
    }
}
