//! 3.2: who decides by a header which version he gets. At a gateway that is any client, since rules are matched before anything is taken out; in the mesh it
//! is whoever calls, if he passes the header on at all, which services do only for headers that they know of.

use crate::{
    Name,
    crossing::Item,
    judge::{Check, Code, Found, World},
    mesh::{Decider, route},
    object::{Kind, Object},
};
use serde_json::Value;
use std::collections::BTreeSet;

const FORGEABLE: Code = Code::warning("canary-header-forgeable");
const HOP: Code = Code::info("canary-header-in-mesh");

pub(super) const CHECK: Check = Check {
    name: "canary_header",
    item: Item::Canaried,
    codes: &[&FORGEABLE, &HOP],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    found.unknowns(world.objects.gap(Kind::VirtualService));
    for object in world.objects.of_kind(Kind::VirtualService) {
        of_route(object, found);
    }
}

fn of_route(object: &Object, found: &mut Found) {
    let rules = route::rules(object);
    let outside = route::gateways(object).iter().any(|it| &**it != "mesh");
    for rule in &rules {
        let versions = |rule: &route::Rule| -> BTreeSet<(Name, Name)> {
            let all = rule.destinations.iter();
            all.map(|it| (it.host.clone(), it.subset.clone())).collect()
        };
        let own = versions(rule);
        // The same host in another version, for whoever does not send the header.
        let beside = rules.iter().filter(|it| it.index != rule.index).any(|other| {
            let theirs = versions(other);
            theirs != own && theirs.iter().any(|(host, _)| own.iter().any(|(it, _)| it == host))
        });
        if !beside {
            continue;
        }
        for (path, header) in headers(object, rule.index) {
            let code = if outside { &FORGEABLE } else { &HOP };
            let args = [
                ("route", (&*object.key().name).into()),
                ("header", header.into()),
            ];
            found.finding(code, Decider::of(object, path), args);
        }
    }
}

/// The headers that a rule matches by, each with its place.
fn headers(object: &Object, rule: u32) -> Vec<(String, String)> {
    let list = format!("/spec/http/{rule}/match");
    let mut all = Vec::new();
    for (index, entry) in object.list(&list).iter().enumerate() {
        let map = entry.get("headers").and_then(Value::as_object);
        for name in map.into_iter().flatten().map(|(name, _)| name) {
            let escaped = name.replace('~', "~0").replace('/', "~1");
            all.push((format!("{list}/{index}/headers/{escaped}"), name.clone()));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    fn route(gateways: &str, first: &str, second: &str) -> String {
        format!(
            "{{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {{name: r, namespace: shop}}, spec: {{hosts: [users], gateways: [{gateways}],
              http: [{{{first}}}, {{{second}}}]}}}}"
        )
    }

    const CANARY: &str = "match: [{headers: {canary: {exact: 'true'}}}], route: [{destination: {host: users, subset: v2}}]";
    const REST: &str = "route: [{destination: {host: users, subset: v1}, weight: 90}, {destination: {host: users, subset: v2}, weight: 10}]";

    #[test]
    fn at_a_gateway_any_client_decides_and_in_the_mesh_a_caller() {
        let found = judged("canary_header", &route("gate", CANARY, REST));
        assert_eq!(codes(&found), ["canary-header-forgeable"]);
        assert_eq!(&*found.findings[0].1.path, "/spec/http/0/match/0/headers/canary");
        assert_eq!(codes(&judged("canary_header", &route("", CANARY, REST))), ["canary-header-in-mesh"]);
    }

    #[test]
    fn a_header_that_chooses_between_services_is_no_canary() {
        let other = "route: [{destination: {host: products}}]";
        assert_eq!(codes(&judged("canary_header", &route("gate", CANARY, other))), [""; 0]);
        let path = CANARY.replace("headers: {canary: {exact: 'true'}}", "uri: {prefix: /v2}");
        assert_eq!(codes(&judged("canary_header", &route("gate", &path, REST))), [""; 0]);
    }
}
