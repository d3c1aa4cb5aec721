//! 3.3: no fault is left behind. One that nobody ends hits users.

use crate::{
    crossing::Item,
    judge::{Check, Code, Found, World, fix::Edit},
    mesh::Decider,
    object::{Kind, Object},
    snapshot::Objects,
};
use serde_json::Value;

const LEFT: Code = Code::error("fault-left").mended(ended);

pub(super) const CHECK: Check = Check {
    name: "fault_left",
    item: Item::Resilient,
    codes: &[&LEFT],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    found.unknowns(world.objects.gap(Kind::VirtualService));
    for route in world.objects.of_kind(Kind::VirtualService) {
        let all = faults(route);
        if all.is_empty() {
            found.saw("no-fault", route, "/spec/http", "0");
        }
        for (index, kind) in all {
            let by = Decider::of(route, format!("/spec/http/{index}/fault/{kind}"));
            let args = [
                ("route", (&*route.key().name).into()),
                ("rule", index.to_string().into()),
                ("kind", kind.into()),
            ];
            found.finding(&LEFT, by, args);
        }
    }
}

/// Without a delay; and without the field that held it, if it was the only one. Requests that an abort answers now would reach the destination
/// then: an abort may stand there to refuse them.
fn ended(_: &Objects, route: &Object, path: &str) -> Option<Vec<Edit>> {
    let (fault, kind) = path.rsplit_once('/')?;
    let all = route.get(fault)?.as_object()?;
    all.get(kind).filter(|_| kind == "delay")?;
    let path = if all.len() == 1 { fault } else { path };
    Some(vec![Edit {
        path: path.into(),
        after: None,
    }])
}

/// Faults with a part of the requests: without a percentage there is none. (`TranslateFault` in istio's `pilot/pkg/networking/core/route`.)
fn faults(route: &Object) -> Vec<(usize, &'static str)> {
    let rules = route.list("/spec/http").iter().enumerate();
    let kinds = rules.flat_map(|(index, rule)| ["delay", "abort"].map(|kind| (index, kind, rule)));
    kinds
        .filter(|(_, kind, rule)| {
            let of = |name: &str| rule.pointer(&format!("/fault/{kind}/{name}")).and_then(Value::as_f64);
            of("percentage/value").or_else(|| of("percent")).is_some_and(|it| it > 0.0)
        })
        .map(|(index, kind, _)| (index, kind))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    #[test]
    fn a_fault_that_hits_somebody_is_told() {
        let found = |fault: &str| {
            let yaml = format!(
                "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: r, namespace: shop}}\nspec: {{hosts: [a], http: [{{{fault} route: [{{destination: {{host: a}}}}]}}]}}\n"
            );
            codes(&judged("fault_left", &yaml))
        };
        assert_eq!(found("fault: {delay: {fixedDelay: 5s, percentage: {value: 0.5}}},"), ["fault-left"]);
        assert_eq!(found("fault: {abort: {httpStatus: 503, percentage: {value: 100}}},"), ["fault-left"]);
        assert!(found("fault: {abort: {httpStatus: 503, percentage: {value: 0}}},").is_empty());
        assert!(found("").is_empty());
    }
}
