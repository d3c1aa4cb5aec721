//! What is asked of user-service, and what its two versions make of it: a base of failures that comes in bursts, of both together and of each
//! alone, incidents behind both, and what is wrong with v2.

use naru_domain::{Name, snapshot::Objects, traffic::Protocol};
use naru_rehearsal::traffic::{Arrivals, Call, Caller, Demand, Turn, Work};
use std::cell::Cell;

pub(crate) const USER: &str = "user-service";
pub(crate) const V1: &str = "user-service-v1";
pub(crate) const V2: &str = "user-service-v2";

/// What is wrong with the canary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// So many more requests fail (share). Of gRPC calls, by their own status alone: HTTP says 200.
    Errors(f64),
    /// The same from this weight on.
    AtWeight(u32, f64),
    /// So many fail in the first minute, and none after it.
    FirstMinute(f64),
    /// So many take more than a second and a half; the others do not move.
    Slow(f64),
    /// It loses its pods.
    NoPods,
    /// A container of it is killed for want of memory every 40 s.
    OomLoop,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Share of failures of both.
    pub(crate) base: f64,
    /// Share of requests of both that are slower than the objective.
    pub(crate) slow: f64,
    /// So many more of the canary's may be slower (share).
    pub(crate) slower: f64,
    /// Requests per second of both.
    pub(crate) rps: f64,
    pub(crate) fault: Fault,
    pub(crate) grpc: bool,
    /// Seconds from the canary's first request to the fault.
    pub(crate) onset: i64,
}

thread_local! {
    /// Decides the bursts. A turn is a plain function: what it goes by lies here.
    static SEED: Cell<u64> = const { Cell::new(0) };
    /// The seconds of the rehearsal in which the canary is at fault.
    static AT_FAULT: Cell<(i64, i64)> = const { Cell::new((i64::MAX, i64::MAX)) };
}

/// The fault begins at this second of the rehearsal, and ends.
pub(crate) fn at_fault(from: i64, until: i64) {
    AT_FAULT.set((from, until));
}

/// By how much failures are more or fewer while a burst of both versions lasts, with an incident behind both as the last; 1 on average.
const SHARED: [f64; 4] = [0.6, 1.2, 2.8, 1.0];
/// The same of one version alone.
const OWN: [f64; 2] = [0.7, 1.9];
/// What fails in an incident.
const INCIDENT: f64 = 0.05;

/// Evenly between 0 and 1, by Steele, Lea and Flood's SplitMix64.
fn unit(of: i64, salt: u64) -> f64 {
    let mut z = SEED.get()
        ^ salt.wrapping_mul(0xd134_2543_de82_ef95)
        ^ of.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn shared(second: i64) -> usize {
    // One in four hundred quarters of a minute begins an incident of 45 s.
    if (0..3).any(|before| unit(second.div_euclid(15) - before, 1) < 1.0 / 400.0) {
        return 3;
    }
    match unit(second.div_euclid(45), 2) {
        it if it < 0.6 => 0,
        it if it < 0.9 => 1,
        _ => 2,
    }
}

fn own(second: i64, version: u64) -> usize {
    usize::from(unit(second.div_euclid(30), 3 + version) >= 0.75)
}

fn v1<const S: usize, const O: usize>(_: &Objects, second: i64) -> bool {
    shared(second) == S && own(second, 0) == O
}

fn v2<const S: usize, const O: usize, const FAULT: bool>(_: &Objects, second: i64) -> bool {
    let (from, until) = AT_FAULT.get();
    shared(second) == S && own(second, 1) == O && (from..until).contains(&second) == FAULT
}

type When = fn(&Objects, i64) -> bool;

/// By burst of both, and of the version.
const WHEN_V1: [[When; 2]; 4] = [
    [v1::<0, 0>, v1::<0, 1>],
    [v1::<1, 0>, v1::<1, 1>],
    [v1::<2, 0>, v1::<2, 1>],
    [v1::<3, 0>, v1::<3, 1>],
];

/// The same, well and at fault.
const WHEN_V2: [[[When; 2]; 2]; 4] = [
    [
        [v2::<0, 0, false>, v2::<0, 0, true>],
        [v2::<0, 1, false>, v2::<0, 1, true>],
    ],
    [
        [v2::<1, 0, false>, v2::<1, 0, true>],
        [v2::<1, 1, false>, v2::<1, 1, true>],
    ],
    [
        [v2::<2, 0, false>, v2::<2, 0, true>],
        [v2::<2, 1, false>, v2::<2, 1, true>],
    ],
    [
        [v2::<3, 0, false>, v2::<3, 0, true>],
        [v2::<3, 1, false>, v2::<3, 1, true>],
    ],
];

/// Two callers, and both versions in every mood.
pub(crate) fn demand(setting: &Setting, seed: u64) -> Demand {
    SEED.set(seed);
    at_fault(i64::MAX, i64::MAX);
    let arrivals = |namespace: &str, workload: &str| Arrivals {
        name: workload.into(),
        caller: Caller::Workload {
            namespace: namespace.into(),
            workload: workload.into(),
            meshed: true,
        },
        call: Call {
            protocol: if setting.grpc {
                Protocol::Grpc
            } else {
                Protocol::Http
            },
            ..Call::http(USER, USER)
        },
        rate: setting.rps / 2.0,
        unrest: 0.4,
        ..Arrivals::default()
    };
    let (failing, late) = match setting.fault {
        Fault::Errors(more) | Fault::AtWeight(_, more) | Fault::FirstMinute(more) => (more, 0.0),
        Fault::Slow(share) => (0.0, share),
        Fault::None | Fault::NoPods | Fault::OomLoop => (0.0, 0.0),
    };
    let work = |shared: usize, own: usize, at_fault: bool| {
        let incident = if shared == 3 { INCIDENT } else { 0.0 };
        let usual = setting.base * SHARED[shared] * OWN[own] + incident;
        let (failing, late) = if at_fault { (failing, late) } else { (0.0, 0.0) };
        let slow = setting.slow * SHARED[shared] * OWN[own];
        Work {
            ms: 15.0,
            failing: usual + (1.0 - usual) * failing,
            calls: vec![Call {
                essential: false,
                ..Call::http("keycloak", "keycloak").share(slow + (1.0 - slow) * late)
            }],
            ..Work::default()
        }
    };
    let mut turns = Vec::new();
    for (shared, whens) in WHEN_V1.iter().enumerate() {
        for (own, when) in whens.iter().enumerate() {
            turns.push(turn(V1, *when, work(shared, own, false)));
            for (at_fault, when) in [false, true].into_iter().zip(WHEN_V2[shared][own]) {
                turns.push(turn(V2, when, work(shared, own, at_fault)));
            }
        }
    }
    let at = |namespace: &str, name: &str| (Name::from(namespace), Name::from(name));
    let dawdles = Work {
        ms: 3_000.0,
        ..Work::default()
    };
    Demand {
        arrivals: vec![
            arrivals("default", "sangsang-plus-gateway"),
            arrivals("product-service", "product-service"),
        ],
        works: [
            (at("keycloak", "keycloak"), dawdles),
            (at(USER, V1), work(0, 0, false)),
            (at(USER, V2), work(0, 0, false)),
        ]
        .into(),
        turns,
    }
}

fn turn(workload: &'static str, when: When, work: Work) -> Turn {
    Turn {
        workload: (USER, workload),
        when,
        work,
    }
}
