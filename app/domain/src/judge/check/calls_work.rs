//! 2.3: by the mesh's configuration each declared call arrives: the caller's proxy knows where to, somebody is there, both sides agree on mutual TLS,
//! and policies let the caller in.

use crate::{
    Why,
    crossing::{Item, migration::Call},
    judge::{
        Check, Code, Found, World,
        ask::{self, Trouble, Untold},
    },
    mesh::Decider,
    object::Kind,
};

const CALLER: Code = Code::error("call-caller-absent").state();
const SERVICE: Code = Code::error("call-service-absent");
const PORT: Code = Code::error("call-port-absent");
const UNROUTED: Code = Code::error("call-unrouted");
// The rule is at fault, which is found where rules are judged.
const NOWHERE: Code = Code::warning("call-leads-nowhere");
const EMPTY: Code = Code::error("call-nobody-there").state();
const REFUSED: Code = Code::error("call-refused");
// The policy is at fault, which is found where policies are judged.
const DENIED: Code = Code::warning("call-denied");

pub(super) const CHECK: Check = Check {
    name: "calls_work",
    item: Item::Connected,
    codes: &[
        &CALLER, &SERVICE, &PORT, &UNROUTED, &NOWHERE, &EMPTY, &REFUSED, &DENIED,
    ],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let calls = world.declared(found, "calls", |it| (!it.calls.is_empty()).then_some(&it.calls));
    let Some(calls) = calls else { return };
    let explained = world.calls();
    for (index, call) in calls.iter().enumerate() {
        let Some(here) = ask::declared_at(world, &format!("/spec/calls/{index}")) else {
            continue;
        };
        match explained.told(index) {
            Ok(told) => {
                let (troubles, unknown) = ask::troubles(told, !call.path.is_empty());
                if troubles.is_empty() && unknown.is_empty() {
                    found.saw_at("call-arrives", &here, format!("{} → {}", call.from, call.to));
                }
                found.unknowns(unknown);
                for trouble in troubles {
                    let cause = ask::awaits_injection(world, call);
                    match cause.filter(|_| matches!(trouble, Trouble::Refused(_))) {
                        Some(item) => found.unknown(ask::follows_from(item)),
                        None => tell(call, trouble, &here, found),
                    }
                }
            }
            Err(untold) => not_told(world, call, untold.clone(), &here, found),
        }
    }
}

fn tell(call: &Call, trouble: Trouble, here: &Decider, found: &mut Found) {
    let mut place = "".into();
    let (code, by) = match trouble {
        Trouble::Unrouted(by) => (&UNROUTED, by),
        Trouble::NoCluster(by, at) => {
            place = at;
            found.unknown(ask::follows_from(Item::Routed));
            (&NOWHERE, by)
        }
        Trouble::Empty(Some(by), at) if matches!(by.key.kind, Kind::VirtualService | Kind::HttpRoute) => {
            place = at;
            found.unknown(ask::follows_from(Item::Routed));
            (&NOWHERE, Some(by))
        }
        Trouble::Empty(by, at) => {
            place = at;
            (&EMPTY, by)
        }
        Trouble::Refused(by) => (&REFUSED, by),
        Trouble::Denied(by) => {
            found.unknown(ask::follows_from(Item::Secured));
            (&DENIED, Some(by))
        }
    };
    let args = [
        ("from", call.from.to_string().into()),
        ("to", call.to.to_string().into()),
        ("place", (&*place).into()),
    ];
    found.finding(code, by.unwrap_or_else(|| here.clone()), args);
}

fn not_told(world: &World<'_>, call: &Call, untold: Untold, here: &Decider, found: &mut Found) {
    // What is not among the files may well be in the cluster, unless others of its namespace are among them.
    let complete = world.running || ask::absent(world, &call.to);
    let mut templates = world.objects.deployments.keys();
    let peers = world.running || templates.any(|it| it.namespace == call.from.namespace);
    let (code, field) = match untold {
        Untold::Unknown(why) => return found.unknown(why),
        Untold::Port => (&PORT, "port"),
        Untold::Caller if peers => (&CALLER, "from"),
        Untold::Service if complete => (&SERVICE, "to"),
        Untold::Caller | Untold::Service => return found.unknown(Why::NeedsCluster),
    };
    let by = Decider {
        key: here.key.clone(),
        path: format!("{}/{field}", here.path).into(),
    };
    let args = [
        ("from", call.from.to_string().into()),
        ("to", call.to.to_string().into()),
    ];
    found.finding(code, by, args);
}

#[cfg(test)]
mod tests;
