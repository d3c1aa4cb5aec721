//! 2.3: connections carry more than a handful of requests. Where each ends after a few, every few requests pay for a new handshake of mutual TLS.

use crate::{
    crossing::Item,
    judge::{Check, Code, Found, World, ask},
    mesh::Decider,
    object::Kind,
};
use serde_json::Value;

const FEW: Code = Code::warning("requests-per-connection");

/// Up to this many requests the handshake shows in the latency of a good part of them.
const HANDFUL: u64 = 10;

pub(super) const CHECK: Check = Check {
    name: "requests_per_connection",
    item: Item::Connected,
    codes: &[&FEW],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    found.unknowns(world.objects.gap(Kind::DestinationRule));
    for rule in world.objects.of_kind(Kind::DestinationRule) {
        for level in ask::traffic_policies(rule) {
            let path = format!("{level}/connectionPool/http/maxRequestsPerConnection");
            // 0 stands for no limit.
            let set = rule.get(&path).and_then(Value::as_u64).filter(|it| *it > 0);
            if let Some(requests) = set.filter(|it| *it <= HANDFUL) {
                let host = rule.text("/spec/host").into();
                let args = [("host", host), ("requests", requests.to_string().into())];
                found.finding(&FEW, Decider::of(rule, path), args);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    #[test]
    fn a_handful_is_too_few_and_no_limit_is_none() {
        for (requests, expected) in [
            (2, &["requests-per-connection"][..]),
            (10, &["requests-per-connection"]),
            (11, &[]),
            (0, &[]),
        ] {
            let rule = "apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: r, namespace: shop}";
            let pool = format!("connectionPool: {{http: {{maxRequestsPerConnection: {requests}}}}}");
            let yaml = format!("{{{rule}, spec: {{host: a, trafficPolicy: {{{pool}}}}}}}");
            assert_eq!(codes(&judged("requests_per_connection", &yaml)), expected);
        }
    }
}
