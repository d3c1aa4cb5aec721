//! 2.2: services go into the mesh in their order, each after the one before it has soaked. Told by when their injected pods were made, which is the day of
//! the injection as long as nobody has restarted them since; where that does not fit the order, the order is not known, rather than wrong.

use crate::{
    Timestamp, Why,
    crossing::Item,
    fact::Proxy,
    judge::{
        Check, Code, Found, World, ask,
        injected::{Which, places},
    },
    mesh::subset::duration::millis,
    object::{Key, Kind},
};

const ORDER: Code = Code::info("injection-out-of-order");
const SOAK: Code = Code::info("injection-soak-short");

pub(super) const CHECK: Check = Check {
    name: "injection_order",
    item: Item::ServicesInjected,
    codes: &[&ORDER, &SOAK],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    if !world.running(found) {
        return;
    }
    let soak = world.declared(found, "soak", |it| {
        let text = Some(&it.soak).filter(|it| !it.is_empty())?;
        millis(text)
    });
    let Some(soak) = soak.and_then(|it| i64::try_from(it).ok()) else {
        return;
    };
    let soak = jiff::SignedDuration::from_millis(soak);
    let entry = places(world, Which::Entry, found);
    let services = places(world, Which::Services, found);
    let mut before: Option<(String, Timestamp)> = None;
    for (path, place) in entry.into_iter().chain(services) {
        let Some((at, pod)) = first(world, place) else {
            let what = format!("{place}: injected pods");
            return found.unknown(Why::NotObserved { what: what.into() });
        };
        let by = crate::mesh::Decider {
            key: pod,
            path: "/metadata/creationTimestamp".into(),
        };
        found.saw_at("injected-since", &by, format!("{place}: {at}"));
        if let Some((name, earlier)) = &before {
            let args = || [("service", place.to_string().into()), ("before", name.as_str().into())];
            let code = if at < *earlier {
                Some(&ORDER)
            } else if at.duration_since(*earlier) < soak {
                Some(&SOAK)
            } else {
                None
            };
            if let (Some(code), Some(field)) = (code, ask::declared_at(world, &path)) {
                found.finding(code, field, args());
                let what = format!("{name}, {place}: order");
                found.unknown(Why::NotObserved { what: what.into() });
            }
        }
        before = Some((place.to_string(), at));
    }
    if let Some((name, at)) = before
        && world.now.duration_since(at) < soak
    {
        found.unknown(Why::NotOver {
            of: format!("{name}: soak").into(),
            until: (at + soak).to_string().into(),
        });
    }
}

/// The first injected pod behind a Service, and when it was made.
fn first(world: &World<'_>, place: &crate::crossing::migration::Place) -> Option<(Timestamp, Key)> {
    let workloads = ask::workloads_behind(world, place);
    let pods = workloads.iter().flat_map(|id| ask::pods(world, id));
    let injected = pods.filter(|pod| pod.proxy == Proxy::Sidecar);
    injected
        .filter_map(|pod| {
            let key = Key::new(Kind::Pod, pod.namespace.clone(), pod.name.clone());
            Some((pod.created?, key))
        })
        .min()
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged_running};

    fn system(a: &str, b: &str) -> String {
        let mut yaml = r#"
{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}, spec: {soak: 24h, entry: {namespace: shop, name: a}, services: [{namespace: shop, name: b}]}}
"#
        .to_owned();
        for (name, at) in [("a", a), ("b", b)] {
            yaml += &format!(
                r#"
---
{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: shop}}, spec: {{selector: {{app: {name}}}, ports: [{{port: 80}}]}}}}
---
{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: shop, labels: {{app: {name}}}, creationTimestamp: "{at}"}},
  spec: {{containers: [{{name: app}}, {{name: istio-proxy}}]}}, status: {{phase: Running}}}}
"#
            );
        }
        yaml
    }

    #[test]
    fn in_order_and_soaked_is_known_and_anything_else_is_not() {
        let found = judged_running(
            "injection_order",
            &system("2025-12-28T00:00:00Z", "2025-12-30T00:00:00Z"),
        );
        assert_eq!((codes(&found), found.unknown.len(), found.facts.len()), (vec![], 0, 2));
        for (a, b, code) in [
            (
                "2025-12-30T00:00:00Z",
                "2025-12-28T00:00:00Z",
                "injection-out-of-order",
            ),
            (
                "2025-12-28T00:00:00Z",
                "2025-12-28T12:00:00Z",
                "injection-soak-short",
            ),
        ] {
            let found = judged_running("injection_order", &system(a, b));
            assert_eq!(codes(&found), [code]);
            assert!(!found.unknown.is_empty());
        }
        let fresh = judged_running(
            "injection_order",
            &system("2025-12-28T00:00:00Z", "2026-01-01T11:00:00Z"),
        );
        assert_eq!((codes(&fresh), fresh.unknown.len()), (vec![], 1));
    }
}
